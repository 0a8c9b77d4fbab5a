"""Questions on the backward pass and the step of SGD."""

from __future__ import annotations

import numpy as np

from tinycnn.classroom.quiz.forward import logarithms
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
from tinycnn.explain.examples.arithmetic import Value, factor, fraction, plain, text
from tinycnn.explain.examples.calculation import Result
from tinycnn.explain.examples.sgd import sgd_step


def softmax_gradient(rng: Random) -> Question:
    """Cross-entropy and its gradient at the logits."""
    z = logarithms(rng, "z", 4)
    label = int(rng.integers(4))
    labels = Value("labels", np.array([label]), (1,))
    loss, dz = worked("cross_entropy", [z, labels], ["loss", "dz"])
    gradients = [fraction(number) for number in dz.value.flat]
    likely = f"ln({fraction(float(np.exp(z.array).sum() / np.exp(z.flat[label])))})"
    return Question(
        "Softmax and cross-entropy, backward",
        (f"The logits of four classes; the label is class {label}.", (z,),
         "(a) Give the cross-entropy loss, as a logarithm.",
         "(b) Give its gradient `dz` at the logits, as fractions."),
        (f"(a) `loss = {likely}`, about `{loss.value.flat[0]:.4f}`",
         f"(b) `dz = {', '.join(gradients)}`"),
        (loss.cells[0].equation("loss", likely),
         *(by_hand.equation(at("dz", k), gradient)
           for k, (by_hand, gradient) in enumerate(zip(dz.cells, gradients, strict=True)))),
    )  # fmt: skip


def pool_gradient(rng: Random) -> Question:
    """A max-pool's gradient where one cell wins several windows."""
    size, kernel, stride = pick(rng, ((3, 2, 1), (4, 2, 1), (5, 3, 2)))
    while True:
        x = named("x", small(rng, 0, 9, 1, size, size, 1))
        y, winner = worked("max_pool2d", [x], ["y", "winner"], kernel=kernel, stride=stride)
        dy = named("dy", small(rng, 1, 6, *y.value.array.shape))
        (dx,) = worked(
            "max_pool2d_backward", [dy, winner.value], ["dx"],
            x_shape=x.array.shape, kernel=kernel, stride=stride,
        )  # fmt: skip
        if any(" + " in won.arithmetic for won in dx.cells):
            break
    return Question(
        "A max-pool's gradient",
        (f"Windows of {kernel} x {kernel}, stride {stride}: they overlap. `dy` is the gradient at the "
         "pool's output. Give `dx`, the gradient at its input; of equal numbers the first wins, row "
         "by row.", (x, dy)),
        ((dx.value,),),
        equations(dx),
        4,
    )  # fmt: skip


def weight_gradient(rng: Random) -> Question:
    """The gradient of a kernel."""
    x, _, dz, (_, dW, _) = _convolution(rng)
    return Question(
        "A convolution's gradient: the weights",
        ("A 2 x 2 kernel slides over `x` with stride 1 and no padding. `dz` is the gradient at its "
         "output. Give `dW`, the gradient of the kernel.", (x, dz)),
        ((dW.value,),),
        equations(dW),
        4,
    )  # fmt: skip


def bias_gradient(rng: Random) -> Question:
    """The gradient of two biases."""
    x, W = named("x", np.ones((1, 3, 3, 1))), named("W", np.ones((2, 2, 1, 2)))
    dz = named("dz", small(rng, -4, 5, 1, 2, 2, 2))
    _, _, db = worked("conv2d_backward", [dz, x, W], ["dx", "dW", "db"])
    maps = tuple(named(f"dz of filter {f}", dz.array[0, :, :, f]) for f in range(2))
    filters = range(2)
    return Question(
        "A convolution's gradient: the biases",
        ("A convolution has two filters with a bias each, and its output is 2 x 2. The gradients at "
         "its output are given. Give `db[0]` and `db[1]`.", maps),
        tuple(f"`{at('db', f)} = {text(db.value.flat[f])}`" for f in filters),
        tuple(plain(maps[f].flat).equation(at("db", f)) for f in filters),
        2,
    )  # fmt: skip


def input_gradient(rng: Random) -> Question:
    """The gradient of one cell of a convolution's input."""
    while True:
        _, W, dz, (dx, _, _) = _convolution(rng)
        place = cell(rng, 3, 3)
        if dx.cells[place[0] * 3 + place[1]].arithmetic:
            break
    return Question(
        "A convolution's gradient: a cell of the input",
        ("The 2 x 2 kernel `W` slides over a 3 x 3 image `x` with stride 1 and no padding. `dz` is "
         f"the gradient at its output. Give `{at('dx', *place)}`: look for the windows that read "
         f"`{at('x', *place)}`, and with which weight.", (W, dz)),
        (f"`{at('dx', *place)} = {text(float(dx.value.drawn[place]))}`",),
        (equation(dx, *place),),
    )  # fmt: skip


def sgd(rng: Random) -> Question:
    """One step of SGD with momentum and weight decay."""
    rate, momentum, decay = (pick(rng, of) for of in ((0.1, 0.2, 0.5), (0.5, 0.9), (0.1, 0.5)))
    w, g, v = (int(number) for number in rng.permutation(np.r_[-4:0, 1:5])[:3])
    arrays = [{"w": np.full((1, 1), float(number))} for number in (w, g, v)]
    stepped, velocities = sgd_step(
        arrays[0], arrays[1], rate, momentum=momentum, weight_decay=decay, velocities=arrays[2]
    )
    new, speed = float(stepped["w"][0, 0]), float(velocities["w"][0, 0])
    given = {"w": w, "g": g, "v": v}
    settings = {"rate": rate, "momentum": momentum, "decay": decay}
    return Question(
        "A step of SGD",
        (f"A weight, its gradient and its velocity: {constants(given)}. With {constants(settings)}, "
         "AlexNet's rule is `v <- momentum*v - rate*(g + decay*w)`, then `w <- w + v`.",
         "(a) Give the new `v`.", "(b) Give the new `w`."),
        (f"(a) `v = {text(speed)}`", f"(b) `w = {text(new)}`"),
        (f"(a) v = {momentum}*{factor(v)} - {rate}*({g} + {decay}*{factor(w)}) = {text(speed)}",
         f"(b) w = {w} + {factor(speed)} = {text(new)}"),
    )  # fmt: skip


def _convolution(rng: Random) -> tuple[Value, Value, Value, tuple[Result, ...]]:
    """x, W and dz of a 2 x 2 kernel over a 3 x 3 image, and all gradients."""
    x, W = named("x", small(rng, 0, 4, 1, 3, 3, 1)), named("W", small(rng, -2, 3, 2, 2, 1, 1))
    dz = named("dz", small(rng, -2, 4, 1, 2, 2, 1))
    if np.count_nonzero(dz.array) < 3:
        return _convolution(rng)
    return x, W, dz, worked("conv2d_backward", [dz, x, W], ["dx", "dW", "db"])


BACKWARD = (
    softmax_gradient,
    pool_gradient,
    weight_gradient,
    bias_gradient,
    input_gradient,
    sgd,
)
