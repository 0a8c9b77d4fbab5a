"""One derivative looked at closely: central differences at steps from large to small, in two precisions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, ieee
from tinycnn.checking.behaviour import behave
from tinycnn.checking.check import TOLERANCE, given_dy, prepared
from tinycnn.checking.comparison import Comparison
from tinycnn.checking.derivatives import sampling
from tinycnn.checking.derivatives.sizes import scale
from tinycnn.checking.error_curve import Curve, Point
from tinycnn.checking.targets.target import Arrays, Target
from tinycnn.errors import ArgumentError, UnknownNameError

_STEPS = tuple(10.0 ** (-1 - i / 2) for i in range(19))  # 1e-1 .. 1e-10


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
    target, generator = prepared(what, arrays, None, labels, rng, training=training)
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
