"""Questions on layers that change no size: ReLU, local response normalisation, dropout."""

from __future__ import annotations

import numpy as np

from tinycnn.classroom.quiz.question import (
    Question,
    Random,
    at,
    constants,
    equations,
    named,
    pick,
    small,
    worked,
)
from tinycnn.explain.examples.arithmetic import factor, fraction, text


def relu(rng: Random) -> Question:
    """ReLU, and its gradient at cells below, at and above zero."""
    numbers = rng.permutation(
        np.r_[0, small(rng, -5, -1, 3), small(rng, 1, 5, 3), small(rng, -5, 5, 2)]
    )
    z, dy = named("z", numbers, 1, 3, 3, 1), named("dy", small(rng, 1, 9, 1, 3, 3, 1))
    (a,) = worked("relu", [z], ["a"])
    (dz,) = worked("relu_backward", [dy, a.value], ["dz"])
    return Question(
        "ReLU, forward and backward",
        ("`a` is the ReLU of `z`, and `dy` the gradient of the loss with respect to `a`. Give `a` and "
         "`dz`, the gradient with respect to `z`.", (z, dy)),
        ((a.value, dz.value),),
        ("a is z where z > 0, else 0; dz is dy where z > 0, else 0",),
        4,
    )  # fmt: skip


def lrn(rng: Random) -> Question:
    """Local response normalisation in its two dialects."""
    # The sum under the power is root^order, so that the paper's dialect gives a fraction.
    beta, order, roots = pick(rng, ((0.75, 4, (2, 3)), (0.5, 2, (3, 4, 5, 6, 7, 8))))
    x, size = named("x", np.zeros((1, 1, 1, 5))), pick(rng, (3, 5))
    while True:
        x.array[...] = small(rng, 1, 4, 1, 1, 1, 5)
        alpha, c, root = int(rng.integers(1, 4)), int(rng.integers(5)), pick(rng, roots)
        near = x.flat[max(c - size // 2, 0) : c + size // 2 + 1]
        squares = int(sum(number**2 for number in near))
        k = root**order - alpha * squares
        if 1 <= k <= 20:
            break
    given = {"k": k, "alpha": alpha, "beta": beta, "size": size}
    (paper,) = worked("local_response_norm", [x], ["y"], **given)
    (code,) = worked("local_response_norm", [x], ["y"], **given, alpha_over_size=True)
    own = x.flat[c]
    shared = fraction(k + alpha * squares / size)
    power = f"{text(own)}/{f'({shared})' if '/' in shared else shared}^{text(beta)}"
    around = {3: "one neighbour", 5: "two neighbours"}[size]
    return Question(
        "Local response normalisation, two dialects",
        (f"Five channels of one place; {constants(given)}, so that a channel sees itself and {around} on "
         "each side, if there are any.", (x,),
         f"(a) Give `{at('y', c)}` with alpha as the paper's formula has it.",
         "(b) Give it with alpha divided by the size, as the paper's code has it; leave the power "
         "standing."),
        (f"(a) `{at('y', c)} = {fraction(paper.value.flat[c])}`",
         f"(b) `{at('y', c)} = {power}`, about `{code.value.flat[c]:.4f}`"),
        ("(a) " + paper.cells[c].equation(at("y", c), f"{factor(own)}/{root**order}^{text(beta)}"),
         "(b) " + code.cells[c].equation(at("y", c), power)),
        4,
    )  # fmt: skip


def dropout(rng: Random) -> Question:
    """Inverted dropout, forward and backward, with a mask that the engine draws."""
    # Of multiples of the unit, the scaled numbers are whole.
    rate, unit = pick(rng, ((0.5, 1), (0.25, 3), (0.2, 4), (0.75, 1), (0.6, 2)))
    x, dy = (named(name, unit * small(rng, 1, 5, 1, 6)) for name in ("x", "dy"))
    while True:
        y, mask = worked("dropout", [x], ["y", "mask"], rate=rate, rng=int(rng.integers(2**32)))
        if 1 < sum(mask.value.flat) < 6:
            break
    dropped = int(rng.choice(np.flatnonzero(mask.value.array == 0)))
    (dx,) = worked("dropout_backward", [dy, mask.value], ["dx"], rate=rate)
    return Question(
        "Dropout",
        (f"Inverted dropout at rate {text(rate)}, while training; `mask` is 1 where a number is kept.",
         (x, mask.value, dy), "(a) Give `y`.", "(b) Give `dx` for the upstream gradient `dy`.",
         f"(c) What is `{at('y', dropped)}` at prediction?"),
        ("(a), (b)", (y.value, dx.value), f"(c) `{text(x.flat[dropped])}`"),
        (f"scale = 1/(1 - {text(rate)}) = {fraction(1 / (1 - rate))}", *equations(y),
         "(c) at prediction dropout is off, and y is x: nothing is left to do"),
    )  # fmt: skip
