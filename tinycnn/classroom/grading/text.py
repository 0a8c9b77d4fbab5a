"""A grade as text: its cases, and the smallest input on which a function fails."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.classroom.grading.drawing import drawn
from tinycnn.classroom.sandbox.calling import ENDINGS
from tinycnn.explain.readers.style import WIDTH, paragraph
from tinycnn.wording import sentence

if TYPE_CHECKING:
    from tinycnn.classroom.grading.judging import Failure
    from tinycnn.classroom.grading.report import FunctionGrade, Grade

_UNBROKEN = "\N{NO-BREAK SPACE}"


def report_lines(grade: Grade) -> Iterator[str]:
    """The whole report."""
    yield f"{grade.exercise}: {grade.file}"
    if grade.problem:
        yield ""
        yield from paragraph(grade.problem)
        yield from printed(grade.output)
    for function in () if grade.problem else grade.functions:
        yield from _function(function)
    yield ""
    if grade.used:
        yield from (*paragraph(grade.used), "")
    yield grade.verdict


def _function(function: FunctionGrade) -> Iterator[str]:
    yield ""
    yield function.name
    for case in function.cases:
        yield f"  {case.status:<9}  {case.name}"
    if function.failure is None:
        return
    yield ""
    yield from explanation(function)


def explanation(function: FunctionGrade) -> Iterator[str]:
    """What fails, on which input, and what it looks like: lines of text."""
    failure = function.failure
    assert failure is not None
    if failure.kind == "not begun":
        yield from paragraph(failure.text)
        return
    yield from paragraph(f"In “{function.case}”: {sentence(failure.text)}")
    yield ""
    yield from failing_input(function.name, failure)
    for words in failure.looks_like:
        yield ""
        yield from paragraph(sentence(words))
    for one in failure.hints:
        yield ""
        yield from paragraph(one.teaches)
        yield from paragraph(f"Ask yourself: {one.asks}")


def failing_input(name: str, failure: Failure) -> Iterator[str]:
    """The call that fails: what goes in, what should come out, what came, and what was printed."""
    yield (
        "An input on which it fails:"
        if failure.kind in ENDINGS
        else "The smallest input on which it fails:"
    )
    yield from _call(name, failure.arguments)
    yield from drawn(
        ("", name, value)
        for name, value in failure.arguments.items()
        if isinstance(value, np.ndarray)
    )
    for wrong in failure.wrong:
        both = (("expected ", wrong.expected), ("came ", wrong.came))
        yield from drawn((before, wrong.name, array) for before, array in both)
    yield from printed(failure.output)


def printed(output: str) -> Iterator[str]:
    """What a file printed, if it did."""
    if output.strip():
        yield from ("", "It printed:", *(f"  {line}" for line in output.rstrip().split("\n")))


def _call(name: str, arguments: Arguments) -> list[str]:
    """The call, broken between its arguments where it is long."""
    words = [_argument(*item).replace(" ", _UNBROKEN) for item in arguments.items()]
    lines = textwrap.wrap(
        f"{name}({', '.join(words)})",
        WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_UNBROKEN, " ") for line in lines]


def _argument(name: str, value: Any) -> str:
    return name if isinstance(value, np.ndarray) else f"{name}={value}"
