"""A grade as HTML, for notebooks: whatever a file says or printed is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from tinycnn.classroom.grading.text import failing_input
from tinycnn.wording import sentence

if TYPE_CHECKING:
    from tinycnn.classroom.grading.report import FunctionGrade, Grade

_SIGNS = {"passes": ("✓", "#1a7f37"), "fails": ("✗", "#cf222e")}
_OTHER = ("–", "#6e7781")


def html_report(grade: Grade) -> str:
    """The whole report: a table of the cases of each function, and below it what fails."""
    return f"<div>{''.join(_parts(grade))}</div>"


def _parts(grade: Grade) -> Iterator[str]:
    yield f"<p><b>{escape(grade.exercise)}</b>: {escape(grade.file)}</p>"
    if grade.problem:
        yield _paragraph(grade.problem) + _pre(grade.output)
    for function in () if grade.problem else grade.functions:
        yield from _function(function)
    if grade.used:
        yield _paragraph(grade.used)
    yield f"<p><b>{escape(grade.verdict)}</b></p>"


def _function(function: FunctionGrade) -> Iterator[str]:
    yield f"<p><code>{escape(function.name)}</code></p><table><tbody>"
    for case in function.cases:
        sign, colour = _SIGNS.get(case.status, _OTHER)
        mark = f'<td style="color:{colour}">{sign} {escape(case.status)}</td>'
        yield f'<tr>{mark}<td style="text-align:left">{escape(case.name)}</td></tr>'
    yield "</tbody></table>"
    failure = function.failure
    if failure is None:
        return
    if failure.kind == "not begun":
        yield _paragraph(failure.text)
        return
    yield _paragraph(f"In “{function.case}”: {sentence(failure.text)}")
    yield _pre("\n".join(failing_input(function.name, failure)))
    yield from (_paragraph(sentence(words)) for words in failure.looks_like)
    for hint in failure.hints:
        yield _paragraph(hint.teaches) + _paragraph(f"Ask yourself: {hint.asks}")


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _pre(text: str) -> str:
    return f"<pre>{escape(text)}</pre>" if text.strip() else ""
