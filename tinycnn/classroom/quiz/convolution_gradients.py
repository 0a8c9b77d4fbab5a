"""Questions on the gradients of a convolution that steps over cells, or reads beyond the image."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.classroom.quiz import mistakes
from tinycnn.classroom.quiz.question import (
    Question,
    Random,
    at,
    cell,
    equation,
    equations,
    named,
    said,
    slices,
    small,
    weights,
    worked,
)
from tinycnn.classroom.quiz.sliding import Sliding, draw_sliding
from tinycnn.shapes import times

_TERMS = range(3, 10)  # of the cell that is asked for: enough to think about, few enough to write


def weight_gradient(rng: Random) -> Question:
    """The gradient of a kernel and of its bias."""
    drawn = draw_sliding(rng, (3, 5), lambda drawn: drawn.products <= 24 and not drawn.plain)
    x, dz = named("x", small(rng, 0, 4, 1, *drawn.image, 1)), named("dz", _upstream(rng, drawn, 1))
    W = named("W", np.ones((*drawn.kernel, 1, 1)))
    _, dW, db = worked("conv2d_backward", [dz, x, W], ["dx", "dW", "db"], **drawn.arguments)
    return Question(
        "A convolution's gradient: the weights",
        (f"A {times(drawn.kernel)} kernel slides over `x` with {drawn.words}. `dz` is the gradient "
         "at its output.", (x, dz),
         "(a) Give `dW`, the gradient of the kernel.", "(b) Give `db`, the gradient of its bias."),
        ("(a)", (dW.value,), f"(b) {said(db, 0)}"),
        (*equations(dW), *equations(db)),
        4,
    )  # fmt: skip


def input_gradient(rng: Random) -> Question:
    """The gradient of a cell that two filters read, and of their biases."""
    drawn = draw_sliding(
        rng, (3, 5), lambda drawn: drawn.products <= 24 and not drawn.plain and drawn.overlaps
    )
    x = named("x", np.ones((1, *drawn.image, 1)))
    while True:
        W, dz = named("W", weights(rng, *drawn.kernel, 1, 2)), named("dz", _upstream(rng, drawn, 2))
        dx, _, db = worked("conv2d_backward", [dz, x, W], ["dx", "dW", "db"], **drawn.arguments)
        place = cell(rng, *drawn.image)
        wrong = mistakes.input_gradient(dz.array, x.array, W.array, drawn, place)
        right = float(dx.value.drawn[place])
        if equation(dx, *place).count("*") in _TERMS and right not in wrong.values():
            break
    return Question(
        "A convolution's gradient: a cell of the input",
        (f"Two filters slide over a {times(drawn.image)} image `x` of one channel with {drawn.words}. "
         "`dz` is the gradient at their output.", slices("W", W.array), slices("dz", dz.array[0]),
         f"(a) Give `{at('dx', *place)}`: look for the windows that read `{at('x', *place)}`, and "
         "with which weight, filter by filter.", "(b) Give `db[0]` and `db[1]`."),
        (f"(a) {said(dx, *place)}", f"(b) {said(db, 0)}, {said(db, 1)}"),
        ("(a) " + equation(dx, *place), "(a) " + mistakes.told(wrong),
         "(b) " + equation(db, 0), "(b) " + equation(db, 1)),
        4,
    )  # fmt: skip


def _upstream(rng: Random, drawn: Sliding, filters: int) -> Array:
    """Gradients at the output, most of them not zero in each filter."""
    while True:
        dz = small(rng, -2, 4, 1, *drawn.output, filters)
        if (np.count_nonzero(dz, axis=(0, 1, 2)) > 2).all():
            return dz
