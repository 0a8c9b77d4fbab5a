"""An explanation of one number, as a value: readers (terminal, notebook, programs) only draw it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from tinycnn.arrays import Array
from tinycnn.explain.values.candidate import Candidate
from tinycnn.explain.values.places import Place, Region
from tinycnn.explain.values.printing import number
from tinycnn.explain.values.sums import Source, Sum
from tinycnn.explain.values.task import Task


@dataclass(frozen=True)
class _Section:
    """What all sections of an explanation have: ``kind``, by which data name them."""

    kind: ClassVar[str]
    stands_apart: ClassVar[bool] = True  # False: it goes on where the section before it ended

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {"kind": self.kind, **vars(self)}


@dataclass(frozen=True)
class ReceptiveField(_Section):
    """What the number depends on: ``lines`` in words, and ``field``, the region of the picture."""

    kind = "sees"

    lines: tuple[str, ...]
    field: Region | None


@dataclass(frozen=True)
class SumTree(_Section):
    """A sum under its ``heading``, opened level by level: ``tree``.

    ``kernel``, (height, width), is that whose positions its parts stand for, where they stand for such. Of
    terms that stand on maps over each other ``planes`` says what a map is of: a channel, a filter. ``second``
    is what the second factors are where these are no array of the pass: 1 / count.
    ``cancelled`` is the size of what cancels inside its terms, which bounds of rounding need. ``asked``
    leaves its total to the reader, and shows ``riddle`` in place of a sum that would give it away. Opened is
    what ``path`` says, level by level which part, and then always the largest; ``letter`` tells several sums
    apart that open.
    """

    kind = "adds"

    heading: str
    tree: Sum
    cancelled: float = 0.0
    riddle: str = ""
    asked: bool = False
    kernel: tuple[int, ...] = ()
    planes: str = ""
    second: str = ""
    path: tuple[int, ...] = ()
    letter: str = ""

    def to_dict(self) -> dict[str, Any]:
        kernel = {"kernel": self.kernel} if self.kernel else {}
        return {"kind": self.kind, "heading": self.heading, **kernel, "sum": self.tree.to_dict()}


@dataclass(frozen=True)
class Maximum(_Section):
    """Numbers of a window whose maximum is taken, under a ``heading``.

    ``candidates`` row by row, None for a cell outside the image, and the place of the ``argmax`` in them. In
    the map, the window's first cell stands at ``first`` and its cells are ``dilation`` apart. ``asked``
    leaves it to the reader to find the argmax. Opened is the candidate at ``path``, else the argmax.
    """

    kind = "compares"

    heading: str
    candidates: tuple[tuple[Candidate | None, ...], ...]  # None: outside the image
    argmax: tuple[int, int]
    first: tuple[int, int]
    dilation: tuple[int, int]
    asked: bool = False
    path: tuple[int, ...] = ()

    @property
    def rows(self) -> tuple[tuple[float | None, ...], ...]:
        """The numbers alone."""
        return tuple(
            tuple(None if one is None else one.value for one in row) for row in self.candidates
        )

    @property
    def cells(self) -> dict[tuple[int, int], float]:
        """The cells inside the image, by their places in the map."""
        (top, left), (down, right) = self.first, self.dilation
        return {
            (top + i * down, left + j * right): value
            for i, row in enumerate(self.rows)
            for j, value in enumerate(row)
            if value is not None
        }

    def to_dict(self) -> dict[str, Any]:
        parts = [[one and one.to_dict() for one in row] for row in self.candidates]
        rows = {"heading": self.heading, "rows": self.rows, "candidates": parts}
        return {"kind": self.kind, **rows, "winner": self.argmax}


@dataclass(frozen=True)
class Step(_Section):
    """Something done to a number: its name, its arithmetic, the value it gives, and a remark.

    ``task`` is what it asks of a reader who predicts the value, ``source`` the number that it begins with,
    where that is one of the pass.
    """

    kind = "step"
    stands_apart = False

    name: str
    arithmetic: str
    value: float
    remark: str = ""
    task: Task | None = None
    source: Source | None = None

    def to_dict(self) -> dict[str, Any]:
        source = {} if self.source is None else {"source": self.source.to_dict()}
        names = ("kind", "name", "arithmetic", "value", "remark")
        return {**{name: getattr(self, name) for name in names}, **source}


@dataclass(frozen=True)
class Notes(_Section):
    """Sentences, ``lines``, under a heading: WHY, NEXT, STEP."""

    kind = "notes"

    heading: str
    lines: tuple[str, ...]


class FunnelStage(NamedTuple):
    """How many are left, and of what, in words: 573, ``win a window of pool1``."""

    left: int
    words: str

    def __str__(self) -> str:
        return f"{self.left:,} {self.words}"


@dataclass(frozen=True)
class Funnel(_Section):
    """How many are left after each of some ``stages``, under a heading: PLACES."""

    kind = "funnel"

    heading: str
    stages: tuple[FunnelStage, ...]

    def __str__(self) -> str:
        return "  >  ".join(map(str, self.stages))

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "stages": [stage._asdict() for stage in self.stages]}


@dataclass(frozen=True)
class Check(_Section):
    """One agreement: the engine's number against a reference's, and how far they may differ.

    ``against`` names the reference, ``bound`` is the largest difference that rounding explains, and
    ``why`` says how it is worked out.
    """

    kind = "check"

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

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "difference": self.difference, "ok": self.ok}


Section = ReceptiveField | SumTree | Maximum | Step | Notes | Funnel | Check
S = TypeVar("S", ReceptiveField, SumTree, Notes, Funnel, Check)


def only(kind: type[S], sections: Sequence[Section]) -> tuple[S, ...]:
    """The sections of one kind, in order."""
    return tuple(section for section in sections if isinstance(section, kind))


@dataclass(frozen=True)
class Explanation:
    """One number opened: its name (``subject``) and ``place``, its value, and the sections in reading order.

    ``picture`` holds the sample's pixels where the input is a picture, ``beside`` the numbers at places close
    by. ``str`` draws it for a terminal, notebooks show HTML.
    """

    subject: str  # "conv2, row 13, column 13, filter 7"
    value: float | int  # an int counts something
    place: tuple[int, ...]
    picture: Array | None  # pixels (H, W, C) uint8 of the sample, where the input is a picture
    sections: tuple[Section, ...]
    beside: Mapping[Place, float] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The value as the first line shows it: a count in full, a number in five digits."""
        return f"{self.value:,}" if type(self.value) is int else number(self.value)

    @property
    def checks(self) -> tuple[Check, ...]:
        """All agreements."""
        return only(Check, self.sections)

    @property
    def ok(self) -> bool:
        """Whether every check agrees within its bound."""
        return all(check.ok for check in self.checks)

    @property
    def trees(self) -> tuple[Sum, ...]:
        """All sums."""
        return tuple(section.tree for section in only(SumTree, self.sections))

    def notes(self, heading: str) -> tuple[str, ...]:
        """The sentences under ``heading``, such as "NEXT"."""
        found = (notes for notes in only(Notes, self.sections) if notes.heading == heading)
        return tuple(line for notes in found for line in notes.lines)

    def with_note(self, heading: str, *lines: str) -> Explanation:
        """The same with some sentences, ``lines`` under ``heading``, at its end."""
        return replace(self, sections=(*self.sections, Notes(heading, lines)))

    def __str__(self) -> str:
        from tinycnn.explain.readers.explanation_text import draw_explanation
        from tinycnn.explain.readers.style import Style

        return draw_explanation(self, Style.plain())

    def _repr_html_(self) -> str:
        from tinycnn.explain.readers.notebook import draw_explanation

        return draw_explanation(self)

    def save(self, target: str | Path) -> None:
        """Write a figure into the file ``target``, .svg or .png.

        Raises MissingExtraError without matplotlib (extra ``plot``), FileError where it cannot be written.
        """
        from tinycnn.explain.readers.figure import save

        save(self, target)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, sums down to their terms."""
        return {
            "subject": self.subject,
            "value": self.value,
            "place": list(self.place),
            "ok": self.ok,
            "sections": [section.to_dict() for section in self.sections],
        }
