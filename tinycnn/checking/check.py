"""The gradient check: how the target behaves, then each of its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_input_array, expect_shape
from tinycnn.checking.behaviour import behave, copies
from tinycnn.checking.comparison import Comparison
from tinycnn.checking.report import GradientReport, TensorReport
from tinycnn.checking.targets.adaptors import as_target
from tinycnn.checking.targets.target import Arrays, Target
from tinycnn.losses import LossFunction
from tinycnn.validation import check_int, check_number, check_rng

TOLERANCE = 1e-6
_WHY = (
    "in float64 these differences resolve about 1e-9, and a right gradient agrees within that; an "
    "error of formula is rarely below 1e-3. The error is |a - n| / max(|a|, |n|, RMS of the "
    "tensor's gradient), and what a difference itself may be wrong by is allowed for."
)


def gradcheck(
    target: Any,
    *arrays: ArrayLike,
    wrt: Sequence[str] | str | None = None,
    samples: int | None = None,
    directions: int | None = None,
    rng: int | np.random.Generator | None = 0,
    tolerance: float | None = None,
    dy: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    loss: LossFunction | None = None,
    training: bool = False,
) -> GradientReport:
    """Compare gradients with differences of the forward pass; the report's ``ok`` is the verdict.

    ``target`` is one of

    - a layer, and ``arrays`` its input x (N, ...); its parameters are drawn from ``rng``,
    - a model, and x: the output's gradient for a random dy, or with ``labels`` the loss's; ``loss`` is
      one of `tinycnn.losses` (None: cross-entropy),
    - a pair ``(forward, backward)`` of functions, and the arrays of ``forward(*arrays) -> y``;
      ``backward(dy, *arrays)`` gives a gradient for each array, in their order (None: not
      differentiable). A function with several results, such as `ops.max_pool2d`, is wrapped in one
      that returns the array to check: ``lambda x: tc.ops.max_pool2d(x, 2)[0]``.

    All is computed on float64 copies. Each array, or those that ``wrt`` names, is checked as a whole
    along random ``directions`` of signs, and at ``samples`` single entries (None: all of a small
    tensor, a selection of a large one). ``training`` turns dropout on, with the same mask in every
    pass. ``dy`` is random unless given, ``tolerance`` the relative error that still passes; ``rng``
    draws directions, entries and dy. Differences are extrapolated to step 0 by Ridders' method.
    Source: Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", 1982.

    Raises ArgumentError for a target that is none of these or an option outside its range, and as the
    target's forward does where it cannot take the arrays. What is wrong with the target stands in the
    report.
    """
    chosen, generator = prepared(target, arrays, wrt, labels, rng, loss=loss, training=training)
    limit = TOLERANCE if tolerance is None else check_number(tolerance, "tolerance")
    entries = None if samples is None else check_int(samples, "samples", least=0)
    ways = (
        (1 if chosen.expensive else 2)
        if directions is None
        else check_int(directions, "directions", least=0)
    )
    seen = behave(chosen, generator, None if dy is None else given_dy(dy, chosen))
    tensors: list[TensorReport] = []
    notes: list[str] = []
    if seen.sound and seen.dy is not None:
        comparison = Comparison(
            _protected(chosen) if seen.mutates else chosen, seen.dy, limit, generator
        )
        for name in chosen.wrt:
            gradient = seen.gradients.get(name)
            if gradient is not None:
                tensors.append(comparison.tensor(name, gradient, entries, ways))
            elif wrt is not None:
                seen.problems.append(f"backward gives no gradient for {name}, which wrt names")
            else:
                notes.append(
                    f"{name} is not differentiable, as backward says: it gives None for it"
                )
        if not tensors and not seen.problems:
            seen.problems.append("backward gives no gradient at all")
    return GradientReport(chosen.name, seen.problems, tensors, limit, _WHY, notes)


def prepared(
    what: Any,
    arrays: Sequence[ArrayLike],
    wrt: Sequence[str] | str | None,
    labels: ArrayLike | None,
    rng: int | np.random.Generator | None,
    *,
    loss: LossFunction | None = None,
    training: bool,
) -> tuple[Target, np.random.Generator]:
    """The target of a check, and what draws the rest of it."""
    # Never the stream of rng itself: arrays are often drawn from the same seed, and dy would be x.
    drawn, generator = check_rng(rng).spawn(2)
    target = as_target(
        what, *arrays, wrt=wrt, labels=labels, loss=loss, training=training, rng=drawn
    )
    return target, generator


def given_dy(dy: ArrayLike, target: Target) -> Array:
    """Read and check the dy that the caller gave, in float64 and of y's shape."""
    given = as_input_array(dy, "dy", "...", np.dtype(np.float64))
    expect_shape(given, np.shape(target.forward(copies(target.arrays))), "dy", "the shape of y")
    return given


def _protected(target: Target) -> Target:
    """The same target, given copies only: what it writes to is then nobody's."""

    def forward(values: Arrays) -> Array:
        return target.forward(copies(values))

    def backward(dy: Array, values: Arrays) -> dict[str, Array | None]:
        return target.backward(dy.copy(), copies(values))

    observe = target.observe
    return replace(
        target,
        forward=forward,
        backward=backward,
        observe=None if observe is None else lambda values: observe(copies(values)),
    )
