"""An opened number as the page draws it: the terminal's texts, of all parts of a sum."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from tinycnn.explain.readers.sum_text import total_words
from tinycnn.explain.values.candidate import Candidate
from tinycnn.explain.values.explanation import (
    Check,
    Explanation,
    Funnel,
    Maximum,
    Notes,
    ReceptiveField,
    Section,
    Step,
    SumTree,
)
from tinycnn.explain.values.printing import Printed, factor, number, printed
from tinycnn.explain.values.sums import Part, Source, largest

_NUMBERS = ("x", "y", "z", "dy", "dz")  # arrays whose numbers open: a weight is given


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
def _funnel(section: Funnel) -> dict[str, Any]:
    most = max(section.stages[0].left, 1)
    stages = [{"text": str(stage), "share": stage.left / most} for stage in section.stages]
    return {"heading": section.heading, "stages": stages}


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
    rows = [[one and _candidate(one) for one in row] for row in section.candidates]
    return {"heading": section.heading, "rows": rows, "argmax": section.argmax}


def _candidate(one: Candidate) -> dict[str, Any]:
    """A number of a window, and in which windows it competes."""
    windows = [
        {"words": window.place, "text": number(window.value), **_sources([window.source])}
        for window in one.windows
    ]
    return {"text": number(one.value), "windows": windows, **_sources([one.source])}


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
    return {
        "heading": section.heading,
        "kernel": section.kernel,
        "tree": _level(tree, number(tree.value)),
    }


def _level(part: Part, shown: str) -> dict[str, Any]:
    """A part of a sum under its printed number; its own parts are printed to fit each other."""
    level: dict[str, Any] = {"place": part.place, "text": shown}
    if part.position:
        level["position"] = part.position
    if not part.parts:
        return {**level, **_sources([part.source])}
    inner = printed(part)
    level |= {"terms": part.terms, "total": total_words(inner), "columns": part.columns}
    level["largest"] = part.parts.index(largest(part.parts))
    if inner.exponent:
        level["unit"] = inner.exponent
    if any(child.parts for child in part.parts):
        level["parts"] = [_level(*pair) for pair in zip(part.parts, inner.parts, strict=True)]
        return level
    level["places"] = [child.place for child in part.parts]  # many: lists of each are smaller
    level["texts"] = inner.parts
    if any(child.position for child in part.parts):
        level["positions"] = [child.position for child in part.parts]
    if any(child.factors for child in part.parts):
        level["a"], level["b"] = zip(*(_factors(child, inner) for child in part.parts), strict=True)
    others = [getattr(child, "other", None) for child in part.parts]
    if all(other is not None and other.array in _NUMBERS for other in others):
        level["other"] = _sources(others, part.columns)
    return {**level, **_sources([child.source for child in part.parts], part.columns)}


def _factors(part: Part, shown: Printed) -> tuple[str, str]:
    """Both as they are printed beside the product; of what is none, nothing."""
    if not part.factors:
        return "", ""
    a, b = part.factors
    return factor(a, b, shown), factor(b, a, shown)


def _sources(found: Sequence[Source | None], columns: int = 1) -> dict[str, Any]:
    """In which array of the pass the parts stand, and where, if all of them do in one.

    The first place alone where the others follow it: on the last axis, or ``across`` so many columns.
    """
    sources = [source for source in found if source is not None]
    arrays = {source.array for source in sources}
    if len(sources) < len(found) or len(arrays) != 1:
        return {}
    (array,), places, (*axes, last) = arrays, [source.place for source in sources], sources[0].place
    if places == [(*axes, last + k) for k in range(len(places))]:
        return {"array": array, "first": places[0]}
    if len(axes) == 2 and places == [
        (axes[0] + k // columns, axes[1] + k % columns, last) for k in range(len(places))
    ]:
        return {"array": array, "first": places[0], "across": columns}
    return {"array": array, "sources": places}
