"""One derivative looked at closely: how a difference's error depends on its step.

A large step is off by the function's curvature, a small one by rounding divided by the step: a V,
whose tip lies further left and lower in float64 than in float32.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn import figures
from tinycnn.arrays import Array, ieee
from tinycnn.checking.behaviour import behave
from tinycnn.checking.check import TOLERANCE, given_dy, prepared
from tinycnn.checking.comparison import Comparison
from tinycnn.checking.derivatives import sampling
from tinycnn.checking.derivatives.sizes import scale
from tinycnn.checking.report import Entry
from tinycnn.checking.targets.target import Arrays, Target
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.tables import html_table, text_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = tuple(10.0 ** (-1 - i / 2) for i in range(19))  # 1e-1 .. 1e-10
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


def explain(
    what: Any,
    *arrays: ArrayLike,
    where: str,
    rng: int | np.random.Generator | None = 0,
    dy: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    training: bool = False,
) -> Curve:
    """Look closely at the derivative ``where``, such as "x[0,3]" or "conv1.W[5,5,0,3]".

    The other arguments are those of `gradcheck`, and so are the numbers: what is drawn from ``rng``
    is the same. Raises ArgumentError where the target does not even behave.
    """
    target, generator = prepared(what, arrays, None, labels, training, rng)
    name, index = _read(where, target)
    seen = behave(target, generator, None if dy is None else given_dy(dy, target))
    gradient = seen.gradients.get(name)
    if not seen.sound or seen.dy is None or gradient is None:
        problems = "; ".join(seen.problems) or f"backward gives no gradient for {name}"
        raise ArgumentError(f"{where} cannot be looked at: {target.name}: {problems}")
    cell = int(np.ravel_multi_index(index, gradient.shape)) if index else 0
    comparison = Comparison(target, seen.dy, TOLERANCE, generator)
    entry = comparison.entry(sampling.entry(name, cell, gradient.shape), gradient)
    unit = scale(target.arrays[name])
    # A kink has no derivative to be wrong about: there the gradient's own convention is the measure.
    truth = entry.analytic if entry.verdict == "kink" else entry.numeric
    size = max(abs(truth), abs(entry.analytic), scale(gradient, zero=0.0)) or 1.0
    single = target.single or target.forward
    runs: list[tuple[Callable[[Arrays], Array], type[np.floating[Any]]]] = [
        (single, np.float32),
        (target.forward, np.float64),
    ]
    points = []
    for step in _STEPS:
        numbers: list[float] = []
        for forward, dtype in runs:
            slope = _slope(target, forward, dtype, (name, cell), step * unit, seen.dy)
            numbers += [slope, abs(slope - truth) / size]
        points.append(Point(step, *numbers))
    return Curve(target.name, where, unit, entry, tuple(points))


@ieee
def _slope(
    target: Target,
    forward: Callable[[Arrays], Array],
    dtype: type[np.floating[Any]],
    place: tuple[str, int],
    step: float,
    dy: Array,
) -> float:
    """One central difference with all arrays in ``dtype``."""
    name, cell = place
    outputs, places = [], []
    with np.errstate(all="ignore"):  # float32 does not hold every scale, nor forward every step
        values: dict[str, Array] = {
            key: array.astype(dtype) if array.dtype.kind == "f" else array
            for key, array in target.arrays.items()
        }
        for side in (step, -step):
            moved = values[name].copy()
            moved.reshape(-1)[cell] += dtype(side)
            outputs.append(np.asarray(forward({**values, name: moved}), np.float64))
            places.append(float(moved.reshape(-1)[cell]))
        # A step that rounding swallows whole gives the slope 0: that is what a program would see.
        length = places[0] - places[1] or 2 * step
        return float(np.vdot(dy, outputs[0] - outputs[1])) / length


def _row(error: float) -> int:
    """The picture's row of an error: its power of ten, at most 0 and at least the lowest."""
    power = math.log10(error) if error > 0 else _BOTTOM
    return round(min(max(-power, 0), -_BOTTOM)) if math.isfinite(power) else 0


def _read(where: str, target: Target) -> tuple[str, tuple[int, ...]]:
    """Take "W[0,3]" apart and check it."""
    found = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[([\d\s,]*)\])?\s*", where)
    name = found[1] if found else where
    if found is None or name not in target.wrt:
        raise UnknownNameError(
            f"one derivative is named like {target.wrt[0]}[0,0], by one of "
            f"{', '.join(target.wrt)}; got {where!r}"
        )
    index = tuple(int(part) for part in (found[2] or "").split(",") if part.strip())
    shape = target.arrays[name].shape
    fits: Sequence[bool] = [i < size for i, size in zip(index, shape, strict=False)]
    if len(index) != len(shape) or not all(fits):
        raise UnknownNameError(
            f"{name} has shape {shape}; got the index {list(index)}, count from 0 on each axis"
        )
    return name, index
