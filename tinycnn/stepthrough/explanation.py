"""An explanation of one number, as a value: readers (terminal, notebook, programs) only draw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tinycnn.arrays import Array
from tinycnn.stepthrough.field import Region, Seen
from tinycnn.stepthrough.sums import Product, Sum


@dataclass(frozen=True)
class Check:
    """One agreement: the engine's number against a reference's, and how far they may differ."""

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
        """Whether they agree within the bound, or are both NaN, or the same infinity."""
        same = self.engine == self.reference
        return same or self.difference <= self.bound or self.engine != self.engine != self.reference


@dataclass(frozen=True)
class Step:
    """Something done to the sum: its name, its arithmetic in words, and the number it gives."""

    name: str
    arithmetic: str
    value: float


@dataclass(frozen=True)
class Explanation:
    """One number opened: what it sees, the sum that makes it, what follows, and who reads it."""

    subject: str  # "conv2, row 13, column 13, filter 7"
    value: float
    place: tuple[int, ...]
    source: str  # the name of what it reads: "pool1"
    window: Seen
    channels: tuple[int, int]
    picture: Array  # pixels (H, W, C) uint8
    receptive_field: Region
    tree: Sum
    grid: tuple[int, int]  # the tree's first level as rows and columns
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    next: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        from tinycnn.stepthrough.terminal import Style, draw_explanation

        return draw_explanation(self, Style.plain())

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, the tree down to its products."""
        return {
            "subject": self.subject,
            "value": self.value,
            "place": list(self.place),
            "source": self.source,
            "window": {"asked": self.window.asked, "inside": self.window.inside},
            "channels": self.channels,
            "receptive_field": self.receptive_field,
            "sum": _node(self.tree),
            "steps": [vars(step) for step in self.steps],
            "checks": [
                vars(check) | {"difference": check.difference, "ok": check.ok}
                for check in self.checks
            ],
            "next": list(self.next),
        }


def _node(part: Sum | Product) -> dict[str, Any]:
    if isinstance(part, Product):
        return {"place": part.place, "a": part.a, "b": part.b, "value": part.value}
    return {
        "place": part.place,
        "value": part.value,
        "terms": part.terms,
        "parts": [_node(child) for child in part.parts],
    }
