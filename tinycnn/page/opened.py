"""An opened number as the page draws it: the terminal's texts, of all parts of a sum."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from tinycnn.explain.readers.sum_text import total_words
from tinycnn.explain.values.explanation import (
    Check,
    Explanation,
    Maximum,
    Notes,
    ReceptiveField,
    Section,
    Step,
    SumTree,
)
from tinycnn.explain.values.printing import factor, number, printed
from tinycnn.explain.values.sums import Part


def drawn(explanation: Explanation) -> dict[str, Any]:
    """All sections in reading order."""
    return {
        "subject": explanation.subject,
        "text": explanation.headline,
        "place": explanation.place,
        "ok": explanation.ok,
        "sections": [{"kind": section.kind, **_drawn(section)} for section in explanation.sections],
    }


@singledispatch
def _drawn(section: Section) -> dict[str, Any]:
    """The texts of one section, as its kind has them below."""
    raise NotImplementedError(type(section).__name__)


@_drawn.register
def _notes(section: Notes) -> dict[str, Any]:
    return {"heading": section.heading, "lines": section.lines}


@_drawn.register
def _receptive_field(section: ReceptiveField) -> dict[str, Any]:
    return {"lines": section.lines, "field": section.field}


@_drawn.register
def _step(section: Step) -> dict[str, Any]:
    return {
        "heading": section.name,
        "arithmetic": section.arithmetic,
        "text": number(section.value),
        "remark": section.remark,
    }


@_drawn.register
def _maximum(section: Maximum) -> dict[str, Any]:
    rows = [["" if value is None else number(value) for value in row] for row in section.rows]
    return {"heading": section.heading, "rows": rows, "argmax": section.argmax,
            "first": section.first, "dilation": section.dilation}  # fmt: skip


@_drawn.register
def _check(check: Check) -> dict[str, Any]:
    """Both numbers in nine digits, all that a float32 has; exact ones in full."""
    engine, reference = (
        f"{value!r}" if check.bound == 0 else f"{value:.9g}"
        for value in (check.engine + 0.0, check.reference + 0.0)  # 0, not -0
    )
    return {
        "engine": engine,
        "against": check.against,
        "reference": reference,
        "difference": f"{check.difference:.1e}" if check.difference else "0",
        "bound": f"{check.bound:.1e}" if check.bound else "0",
        "why": check.why,
        "finite": check.finite,
        "ok": check.ok,
    }


@_drawn.register
def _sum(section: SumTree) -> dict[str, Any]:
    tree = section.tree
    return {"heading": section.heading, "tree": _level(tree, number(tree.value))}


def _level(part: Part, shown: str) -> dict[str, Any]:
    """A part of a sum under its printed number; its own parts are printed to fit each other."""
    level: dict[str, Any] = {"place": part.place, "text": shown}
    if not part.parts:
        return level
    inner = printed(part)
    level |= {"terms": part.terms, "total": total_words(inner), "columns": part.columns}
    if inner.exponent:
        level["unit"] = inner.exponent
    if all(child.factors for child in part.parts):  # many: lists by what they hold are smaller
        level["places"] = [child.place for child in part.parts]
        level["texts"] = inner.parts
        pairs = [child.factors for child in part.parts]
        level["a"] = [factor(a, b, inner) for a, b in pairs]
        level["b"] = [factor(b, a, inner) for a, b in pairs]
        if first := _first_source(part.parts):
            level["source"] = first
    else:
        level["parts"] = [_level(*pair) for pair in zip(part.parts, inner.parts, strict=True)]
    return level


def _first_source(parts: Sequence[Part]) -> tuple[int, ...]:
    """Where the first part comes from, if the others come from the cells behind it on the last axis."""
    *axes, last = parts[0].source or (-1,)
    behind = [(*axes, last + k) for k in range(len(parts))]
    return parts[0].source if [part.source for part in parts] == behind else ()
