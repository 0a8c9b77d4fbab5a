"""One derivative looked at closely: how a difference's error depends on its step.

A large step is off by the function's curvature, a small one by rounding divided by the step: a V,
whose tip lies further left and lower in float64 than in float32.
"""

from __future__ import annotations

import html
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinycnn import figures
from tinycnn.checking.report import Entry
from tinycnn.tables import html_table, text_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEAD = ("step h", "float32", "error", "float64", "error")
_BOTTOM, _COLUMN = -16, 3  # the picture's lowest power of ten, and the width of a step


@dataclass(frozen=True)
class Point:
    """Central differences at one step, and their relative errors."""

    step: float  # in units of the array's scale
    float32: float
    error32: float
    float64: float
    error64: float


@dataclass(frozen=True)
class Curve:
    """The error of a difference at steps from 1e-1 to 1e-10, in float32 and in float64."""

    target: str
    where: str  # "W[0,3]"
    unit: float  # the scale of the array: the root mean square of its cells
    entry: Entry  # the same derivative as the check sees it, from several steps
    points: tuple[Point, ...]

    @property
    def best32(self) -> Point:
        """The step of least error in float32."""
        return min(self.points, key=lambda point: point.error32)

    @property
    def best64(self) -> Point:
        """The step of least error in float64."""
        return min(self.points, key=lambda point: point.error64)

    @property
    def ok(self) -> bool:
        """Whether the gradient agrees with the differences."""
        return self.entry.verdict == "agrees"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return asdict(self) | {"ok": self.ok, "points": [asdict(point) for point in self.points]}

    def save(self, target: str | Path) -> None:
        """Draw it with matplotlib (extra "plot") to a file, .svg or .png."""
        figures.save(self._figure, target)

    def __str__(self) -> str:
        table = text_table(_HEAD, self._body(), 5)
        return "\n\n".join([self._heading(), table, self._picture(), self._meaning()])

    def _repr_html_(self) -> str:
        heading, picture, meaning = (
            f"<pre>{html.escape(text)}</pre>"
            for text in (self._heading(), self._picture(), self._meaning())
        )
        return heading + html_table(_HEAD, self._body(), 5) + picture + meaning

    def _heading(self) -> str:
        entry = self.entry
        verdict = entry.verdict + (f" ({entry.reason})" if entry.reason else "")
        return (
            f"d{self.where} of {self.target}: {verdict}\n"
            f"analytic    {entry.analytic:.12g}\n"
            f"differences {entry.numeric:.12g}, extrapolated from several steps"
        )

    def _meaning(self) -> str:
        return (
            f"Steps are in units of {self.unit:.3g}, the array's scale. Best in float64: an error of\n"
            f"{self.best64.error64:.0e} at a step of {self.best64.step:.0e}; in float32: "
            f"{self.best32.error32:.0e} at {self.best32.step:.0e}.\n"
            "On the left the function's curvature is the error, on the right rounding."
        )

    def _body(self) -> list[list[str]]:
        return [
            [f"{p.step:.1e}", f"{p.float32:.8g}", f"{p.error32:.1e}", f"{p.float64:.12g}", f"{p.error64:.1e}"]
            for p in self.points
        ]  # fmt: skip

    def _picture(self) -> str:
        """Both curves drawn in text: powers of ten downwards, steps to the right."""
        width = _COLUMN * len(self.points)
        rows = [[" "] * width for _ in range(1 - _BOTTOM)]
        for i, point in enumerate(self.points):
            for error, mark in ((point.error32, "x"), (point.error64, "o")):
                row = rows[_row(error)]
                column = _COLUMN * i
                row[column] = "*" if row[column] != " " else mark
        lines = [f"{f'1e{-power}':>6} |{''.join(row)}".rstrip() for power, row in enumerate(rows)]
        lines[0] = lines[0].replace("1e0 ", "  1 ", 1).rstrip()
        below = [f"1e{round(math.log10(p.step))}" for p in self.points[::4]]
        axis = "".join(text.ljust(4 * _COLUMN) for text in below).rstrip()
        lines += [" " * 7 + "+" + "-" * width, " " * 8 + axis]
        return "\n".join(["error: x float32, o float64, * both", *lines])

    def _figure(self) -> Figure:
        figure = figures.blank(7.0, 4.5)
        axes = figure.add_subplot()
        steps = [point.step for point in self.points]
        lowest = 10.0**_BOTTOM
        for name, errors in (
            ("float32", [point.error32 for point in self.points]),
            ("float64", [point.error64 for point in self.points]),
        ):
            axes.loglog(steps, [max(error, lowest) for error in errors], "o-", label=name)
        axes.invert_xaxis()
        axes.set_xlabel("step h, in units of the array's scale")
        axes.set_ylabel("relative error of the central difference")
        axes.set_title(f"d{self.where} of {self.target}".replace("$", r"\$"))
        axes.grid(alpha=0.3)
        axes.legend()
        return figure


def _row(error: float) -> int:
    """The picture's row of an error: its power of ten, at most 0 and at least the lowest."""
    power = math.log10(error) if error > 0 else _BOTTOM
    return round(min(max(-power, 0), -_BOTTOM)) if math.isfinite(power) else 0
