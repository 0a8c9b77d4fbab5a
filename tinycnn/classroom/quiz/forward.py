"""Questions on the forward pass, with numbers for pencil and paper."""

from __future__ import annotations

import math

import numpy as np

from tinycnn import ops
from tinycnn.classroom.quiz.question import (
    Question,
    Random,
    at,
    cell,
    constants,
    equation,
    equations,
    named,
    pick,
    small,
    worked,
)
from tinycnn.explain.examples.arithmetic import Value, factor, fraction, text
from tinycnn.networks import alexnet
from tinycnn.shapes import times

# Class counts that are products of 2 and 10, with the logarithm worked out from these two.
_CLASSES = {
    4: "2*ln(2)",
    8: "3*ln(2)",
    16: "4*ln(2)",
    20: "ln(2) + ln(10)",
    40: "2*ln(2) + ln(10)",
    100: "2*ln(10)",
    200: "ln(2) + 2*ln(10)",
    400: "2*ln(2) + 2*ln(10)",
    1000: "3*ln(10)",
}


def conv_cell(rng: Random) -> Question:
    """One cell of a convolution of a 4 x 4 image."""
    stride, padding = pick(rng, ((1, 0), (2, 0), (1, 1)))
    x, W = named("x", small(rng, 0, 4, 1, 4, 4, 1)), named("W", _weights(rng, 2, 2, 1, 1))
    b = named("b", small(rng, -2, 2, 1))
    (z,) = worked("conv2d", [x, W, b], ["z"], stride=stride, padding=padding)
    place = cell(rng, *z.value.layout)
    return Question(
        "A cell of a convolution",
        (f"Stride {stride}, padding {padding}. The output `z` is {times(z.value.layout)}. "
         f"Work out `{at('z', *place)}`.", (x, W, b)),
        (f"`{at('z', *place)} = {text(float(z.value.drawn[place]))}`",),
        (equation(z, *place),),
    )  # fmt: skip


def im2col_row(rng: Random) -> Question:
    """A row of the matrix that makes a convolution a product."""
    size = pick(rng, (4, 5))
    x = named("x", small(rng, 0, 9, 1, size, size, 1))
    (cols,) = worked("im2col", [x], ["cols"], kernel=2)
    out = size - 1
    i, j = cell(rng, out, out)
    row = i * out + j
    _, width, _ = alexnet().shapes[1]
    u, v = cell(rng, width, width)
    sources = [copy.source for copy in cols.cells[row * 4 : row * 4 + 4]]
    return Question(
        "A row of im2col",
        ("im2col turns each window into a row, in the order of the output's cells. The kernel is "
         "2 x 2, the stride 1.", (x,), "(a) How large is the matrix `cols` (rows x columns)?",
         f"(b) Which of its rows belongs to the output cell in row {i}, column {j}, and what does it "
         "hold?",
         f"(c) In AlexNet's `conv1`, whose output is {width} x {width}: which row belongs to the cell "
         f"in row {u}, column {v}?"),
        (f"(a) `{times(cols.value.array.shape)}`",
         f"(b) row `{row}` holds `{_listed(cols.value.array[row])}`", f"(c) row `{u * width + v}`"),
        (f"(a) rows = {out}*{out} = {out * out}", f"(b) row = {i}*{out} + {j} = {row}",
         f"    it copies {', '.join(sources)}", f"(c) row = {u}*{width} + {v} = {u * width + v}"),
    )  # fmt: skip


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


def max_pool(rng: Random) -> Question:
    """A max-pool, and which cells win."""
    size, kernel, stride = pick(rng, ((4, 2, 2), (5, 3, 2), (3, 2, 1)))
    while True:
        x = named("x", small(rng, 0, 9, 1, size, size, 1))
        y, _ = worked("max_pool2d", [x], ["y", "winner"], kernel=kernel, stride=stride)
        notes = [won.note.split(" wins")[0] for won in y.cells]
        if len(set(notes)) > 1:
            break
    return Question(
        "Max-pool, and who wins",
        (f"Windows of {kernel} x {kernel}, stride {stride}. Give `y`, and for each of its cells the "
         "cell of `x` that wins; of equal numbers the first wins, row by row.", (x,)),
        ((y.value,), "Winners, in the order of y: " + ", ".join(f"`{note}`" for note in notes)),
        equations(y),
        4,
    )  # fmt: skip


def lrn(rng: Random) -> Question:
    """Local response normalisation in its two dialects."""
    fourth = pick(rng, (2, 3))
    x = named("x", np.zeros((1, 1, 1, 4)))
    while True:
        x.array[...] = small(rng, 1, 4, 1, 1, 1, 4)
        alpha, c = int(rng.integers(1, 4)), int(rng.integers(4))
        squares = int((x.array.ravel()[max(c - 1, 0) : c + 2] ** 2).sum())
        k = fourth**4 - alpha * squares
        if 1 <= k <= 20:
            break
    given = {"k": k, "alpha": alpha, "beta": 0.75, "size": 3}
    (paper,) = worked("local_response_norm", [x], ["y"], **given)
    (code,) = worked("local_response_norm", [x], ["y"], **given, alpha_over_size=True)
    own = x.flat[c]
    shared = fraction(k + alpha * squares / 3)
    power = f"{text(own)}/{f'({shared})' if '/' in shared else shared}^0.75"
    return Question(
        "Local response normalisation, two dialects",
        (f"Four channels of one place; {constants(given)}, so that a channel sees itself and one "
         f"neighbour on each side, if there is one.", (x,),
         f"(a) Give `{at('y', c)}` with alpha as the paper's formula has it.",
         "(b) Give it with alpha divided by the size, as the paper's code has it; leave the power "
         "standing."),
        (f"(a) `{at('y', c)} = {fraction(paper.value.flat[c])}`",
         f"(b) `{at('y', c)} = {power}`, about `{code.value.flat[c]:.4f}`"),
        ("(a) " + paper.cells[c].equation(at("y", c), f"{factor(own)}/{fourth**4}^0.75"),
         "(b) " + code.cells[c].equation(at("y", c), power)),
        4,
    )  # fmt: skip


def dropout(rng: Random) -> Question:
    """Inverted dropout, forward and backward, with a mask that the engine draws."""
    rate, unit = pick(rng, ((0.5, 1), (0.25, 3), (0.2, 4), (0.75, 1)))
    x, dy = (named(name, unit * small(rng, 1, 5, 1, 6)) for name in ("x", "dy"))
    while True:
        y, mask = worked("dropout", [x], ["y", "mask"], rate=rate, rng=int(rng.integers(2**32)))
        if 0 < sum(mask.value.flat) < 6:
            break
    (dx,) = worked("dropout_backward", [dy, mask.value], ["dx"], rate=rate)
    return Question(
        "Dropout",
        (f"Inverted dropout at rate {text(rate)}, while training; `mask` is 1 where a number is kept.",
         (x, mask.value, dy), "(a) Give `y`.", "(b) Give `dx` for the upstream gradient `dy`.",
         "(c) What is `x` multiplied with at prediction?"),
        ("(a), (b)", (y.value, dx.value), "(c) `1`: dropout is off, and nothing is left to do"),
        (f"scale = 1/(1 - {text(rate)}) = {_scale(rate)}", *equations(y)),
    )  # fmt: skip


def dense(rng: Random) -> Question:
    """One unit of a dense layer."""
    x, W = named("x", small(rng, -2, 3, 1, 4)), named("W", _weights(rng, 4, 3))
    b = named("b", small(rng, -3, 3, 3))
    (z,) = worked("dense", [x, W, b], ["z"])
    (y,) = worked("relu", [z.value], ["y"])
    unit = int(rng.integers(3))
    return Question(
        "A dense cell",
        ("A dense layer of three units takes four numbers; column k of `W` belongs to unit k.",
         (x, W, b), f"(a) Work out `{at('z', unit)}`, before the activation.",
         f"(b) Give `{at('y', unit)}`, after ReLU."),
        (f"(a) `{at('z', unit)} = {text(z.value.flat[unit])}`",
         f"(b) `{at('y', unit)} = {text(y.value.flat[unit])}`"),
        ("(a) " + equation(z, unit), "(b) " + equation(y, unit)),
    )  # fmt: skip


def logarithms(rng: Random, name: str, count: int) -> Value:
    """Logits that are logarithms of whole numbers which add up to one with few prime factors."""
    while True:
        numbers = [int(number) for number in rng.integers(1, 8, count)]
        if sum(numbers) in (6, 8, 9, 10, 12, 15, 16, 18, 20) and len(set(numbers)) > 1:
            logits = np.array([[math.log(number) for number in numbers]])
            return Value(name, logits, (count,), tuple(f"ln({number})" for number in numbers))


def softmax(rng: Random) -> Question:
    """The softmax of logarithms, and of the same logits shifted."""
    z = logarithms(rng, "z", 3)
    shift = int(rng.integers(2, 100))
    (p,) = worked("softmax", [z], ["p"])
    moved = ops.softmax(z.array + shift)
    shares = [fraction(number) for number in p.value.flat]
    same = [fraction(float(number)) for number in moved.ravel()]
    return Question(
        "Softmax",
        ("The logits of three classes:", (z,), "(a) Give their softmax `p`, as fractions.",
         f"(b) Give the softmax of the same logits with {shift} added to each."),
        (f"(a) `p = {', '.join(shares)}`", f"(b) `{', '.join(same)}`: the same"),
        (*(cell.equation(at("p", k), share)
           for k, (cell, share) in enumerate(zip(p.cells, shares, strict=True))),
         f"(b) exp({shift}) multiplies each exponential and their sum alike"),
    )  # fmt: skip


def chance_loss(rng: Random) -> Question:
    """The loss of a network that knows nothing."""
    classes = pick(rng, tuple(_CLASSES))
    label = int(rng.integers(classes))
    loss, dz = ops.cross_entropy(np.zeros((1, classes)), [label])
    gradient = fraction(float(dz[0, label]))
    return Question(
        "The loss of chance",
        (f"A network of {classes:,} classes gives all of them the same probability.",
         "(a) Give its cross-entropy loss, with `ln 2 = 0.6931` and `ln 10 = 2.3026`.",
         "(b) Give the gradient of the loss with respect to the label's logit."),
        (f"(a) `ln({classes}) = {loss:.4f}`", f"(b) `{gradient}`"),
        (f"(a) loss = ln({classes}) = {_CLASSES[classes]} = {loss:.6g}, rounded",
         f"(b) gradient = 1/{classes} - 1 = {gradient}"),
    )  # fmt: skip


def _weights(rng: Random, *shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Small weights, not all of them zero."""
    while True:
        weights = small(rng, -2, 2, *shape)
        if np.count_nonzero(weights) > weights.size // 2:
            return weights


def _listed(numbers: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return " ".join(text(float(number)) for number in numbers)


def _scale(rate: float) -> str:
    return fraction(1 / (1 - rate))


FORWARD = (
    conv_cell,
    im2col_row,
    relu,
    max_pool,
    lrn,
    dropout,
    dense,
    softmax,
    chance_loss,
)
