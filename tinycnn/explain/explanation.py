"""An explanation of one number, as a value: readers (terminal, notebook, programs) only draw it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinycnn.arrays import Array
from tinycnn.explain.field import Region
from tinycnn.explain.sums import Part, Product, Sum, number


@dataclass(frozen=True)
class Sees:
    """What the number depends on: ``lines`` in words, and ``field``, the region of the picture."""

    lines: tuple[str, ...]
    field: Region | None


@dataclass(frozen=True)
class Adds:
    """A sum under its ``heading``, opened level by level: ``tree``."""

    heading: str
    tree: Sum


@dataclass(frozen=True)
class Compares:
    """Numbers of a window whose maximum is taken, under a ``heading``.

    ``rows`` of the window, None for a cell outside the image, and the place of the argmax, ``winner``.
    """

    heading: str
    rows: tuple[tuple[float | None, ...], ...]  # None: outside the image
    winner: tuple[int, int]


@dataclass(frozen=True)
class Step:
    """Something done to a number: its name, its arithmetic, the value it gives, and a remark."""

    name: str
    arithmetic: str
    value: float
    remark: str = ""


@dataclass(frozen=True)
class Notes:
    """Sentences, ``lines``, under a heading: WHY, NEXT, STEP."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """One agreement: the engine's number against a reference's, and how far they may differ.

    ``against`` names the reference, ``bound`` is the largest difference that rounding explains, and
    ``why`` says how it is worked out.
    """

    against: str
    engine: float
    reference: float
    bound: float
    why: str

    @property
    def difference(self) -> float:
        """|engine - reference|."""
        return abs(self.engine - self.reference)

    @property
    def ok(self) -> bool:
        """Whether both are finite and agree within the bound."""
        return self.finite and self.difference <= self.bound

    @property
    def finite(self) -> bool:
        """Whether there are numbers to compare: two NaN, or two infinities, prove nothing."""
        return math.isfinite(self.engine) and math.isfinite(self.reference)


Section = Sees | Adds | Compares | Step | Notes | Check


@dataclass(frozen=True)
class Explanation:
    """One number opened: its name (``subject``) and ``place``, its value, and the sections in reading order.

    ``picture`` holds the sample's pixels where the input is a picture. ``str`` draws it for a terminal,
    notebooks show HTML.
    """

    subject: str  # "conv2, row 13, column 13, filter 7"
    value: float | int  # an int counts something
    place: tuple[int, ...]
    picture: Array | None  # pixels (H, W, C) uint8 of the sample, where the input is a picture
    sections: tuple[Section, ...]

    @property
    def headline(self) -> str:
        """The value as the first line shows it: a count in full, a number in five digits."""
        return f"{self.value:,}" if isinstance(self.value, int) else number(self.value)

    @property
    def checks(self) -> tuple[Check, ...]:
        """All agreements."""
        return tuple(section for section in self.sections if isinstance(section, Check))

    @property
    def ok(self) -> bool:
        """Whether every check agrees within its bound."""
        return all(check.ok for check in self.checks)

    @property
    def trees(self) -> tuple[Sum, ...]:
        """All sums."""
        return tuple(section.tree for section in self.sections if isinstance(section, Adds))

    def notes(self, heading: str) -> tuple[str, ...]:
        """The sentences under ``heading``, such as "NEXT"."""
        return tuple(
            line
            for section in self.sections
            if isinstance(section, Notes) and section.heading == heading
            for line in section.lines
        )

    def with_note(self, heading: str, *lines: str) -> Explanation:
        """The same with some sentences, ``lines`` under ``heading``, at its end."""
        return replace(self, sections=(*self.sections, Notes(heading, lines)))

    def __str__(self) -> str:
        from tinycnn.explain.terminal import Style, draw_explanation

        return draw_explanation(self, Style.plain())

    def _repr_html_(self) -> str:
        from tinycnn.explain.notebook import draw_explanation

        return draw_explanation(self)

    def save(self, target: str | Path) -> None:
        """Write a figure into the file ``target``, .svg or .png.

        Raises MissingExtraError without matplotlib (extra ``plot``), FileError where it cannot be written.
        """
        from tinycnn.explain.figure import save

        save(self, target)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, sums down to their terms."""
        return {
            "subject": self.subject,
            "value": self.value,
            "place": list(self.place),
            "ok": self.ok,
            "sections": [_section(section) for section in self.sections],
        }


def _section(section: Section) -> dict[str, Any]:
    kind = {"kind": type(section).__name__.lower()}
    if isinstance(section, Adds):
        return kind | {"heading": section.heading, "sum": _node(section.tree)}
    if isinstance(section, Check):
        return kind | vars(section) | {"difference": section.difference, "ok": section.ok}
    return kind | vars(section)


def _node(part: Part) -> dict[str, Any]:
    data: dict[str, Any] = {"place": part.place, "value": part.value}
    if isinstance(part, Product):
        return data | {"a": part.a, "b": part.b}
    if isinstance(part, Sum):
        return data | {"terms": part.terms, "parts": [_node(child) for child in part.parts]}
    return data
