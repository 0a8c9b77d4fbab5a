"""Right gradients that tempt a checker to a false alarm: each is drawn anew from every seed.

Near kinks and on them, at scales from 1e-6 to 1e6, with sums that cancel, saturated, smooth where
they look kinked, or so small beside their output that float64 hardly shows them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from checking.numpy_ops import (
    DENSE,
    LRN,
    RELU,
    SIGMOID,
    SOFTMAX,
    TANH,
    AvgPool,
    Conv,
    CrossEntropy,
    Dropout,
    MaxPool,
    Pair,
    Windows,
    softmax,
)
from checking.right_hidden import HIDDEN


@dataclass(frozen=True)
class Right:
    """A right pair, and arrays to check it at, drawn by ``draw(rng)``: (pair, arrays)."""

    name: str
    draw: Callable
    # Where differences of float64 cannot decide: the check may end undecided, and has to say why.
    may_fall_short: bool = False


def cells(function, derivative, draw, name, **options):
    """A function of each cell by itself, y = f(x), dx = dy f'(x)."""
    pair = Pair(lambda x: function(x), lambda dy, x: dy * derivative(x))
    return Right(name, lambda rng: (pair, [draw(rng)]), **options)


def normal(*shape, scale=1.0):
    return lambda rng: scale * rng.standard_normal(shape)


def near_zero(*shape, distance=1e-9):
    """Normal values, a third of them a hair's breadth from 0, on either side."""

    def draw(rng):
        x = rng.standard_normal(shape)
        return np.where(rng.random(shape) < 1 / 3, distance * np.sign(x), x)

    return draw


def some_zeros(*shape):
    """Normal values, a third of them exactly 0."""
    return lambda rng: rng.standard_normal(shape) * (rng.random(shape) > 1 / 3)


def whole(*shape, top=3):
    return lambda rng: rng.integers(-top, top + 1, shape).astype(float)


def positive(*shape, least=0.5, most=2.0):
    """Spread evenly over the orders of magnitude from ``least`` to ``most``."""
    return lambda rng: np.exp(rng.uniform(np.log(least), np.log(most), shape))


def step(x):
    return (x > 0).astype(float)


def kinks():
    maximum = MaxPool(Windows((2, 2), stride=(2, 2)))
    overlapping = MaxPool(Windows((3, 2), stride=(2, 1), padding=(1, 0)))

    def shared(dy, x):
        """Every tied maximum gets an equal part: another right rule."""

        def share(window):
            tied = window == window.max()
            return tied / tied.sum()

        return maximum.windows.inside(maximum.padded_gradient(dy, x, share))

    def near_ties(rng):
        x = np.round(rng.standard_normal((1, 4, 4, 2)))
        return x + 1e-9 * rng.standard_normal(x.shape)

    def pool(op, draw, name):
        return Right(name, lambda rng: (op, [draw(rng)]))

    largest = Pair(
        lambda x: x.max(-1), lambda dy, x: dy[:, None] * (np.arange(5) == x.argmax(-1)[:, None])
    )
    conv = Conv(Windows((2, 2)))
    relu_conv = Pair(
        lambda x, W, b: np.maximum(conv.forward(x, W, b), 0),
        lambda dy, x, W, b: conv.backward(dy * (conv.forward(x, W, b) > 0), x, W, b),
    )

    def integer_conv(rng):
        return relu_conv, [whole(1, 3, 4, 2)(rng), whole(2, 2, 2, 2, top=1)(rng), np.zeros(2)]

    return [
        cells(RELU.forward, step, near_zero(4, 5), "relu, cells 1e-9 from 0"),
        cells(RELU.forward, step, near_zero(4, 5, distance=1e-5), "relu, cells 1e-5 from 0"),
        cells(RELU.forward, step, some_zeros(4, 5), "relu, cells at 0"),
        cells(RELU.forward, step, whole(4, 5), "relu of whole numbers"),
        cells(RELU.forward, step, positive(4, 5, least=1e-6, most=1e6), "relu, 1e-6 to 1e6"),
        cells(
            RELU.forward,
            step,
            lambda rng: -positive(4, 5)(rng),
            "relu, all cells off",
            may_fall_short=True,
        ),
        cells(np.abs, np.sign, near_zero(4, 5), "|x|, cells 1e-9 from 0"),
        cells(
            lambda x: np.where(x > 0, x, 0.1 * x),
            lambda x: np.where(x > 0, 1, 0.1),
            some_zeros(4, 5),
            "leaky relu, cells at 0",
        ),
        cells(
            lambda x: np.clip(x, -1, 1),
            lambda x: (np.abs(x) < 1).astype(float),
            whole(4, 5),
            "clip, cells at its ends",
            may_fall_short=True,  # where no cell lies between the ends
        ),
        pool(maximum, whole(1, 4, 6, 2, top=1), "max-pool with ties"),
        pool(Pair(maximum.forward, shared), whole(1, 4, 6, 2, top=1), "max-pool, ties share"),
        pool(overlapping, whole(1, 6, 4, 2), "max-pool, overlapping, with ties"),
        pool(maximum, near_ties, "max-pool, ties but for 1e-9"),
        pool(maximum, some_zeros(1, 4, 6, 2), "max-pool of zeros"),
        pool(largest, whole(5, 5, top=2), "maximum of a row, with ties"),
        Right("conv and relu of whole numbers", integer_conv, may_fall_short=True),
    ]


def smooth():
    """Smooth, though they may not look it."""

    def log_sum(x, sharp):
        top = x.max(-1, keepdims=True)
        return (top + np.log(np.exp(sharp * (x - top)).sum(-1, keepdims=True)) / sharp)[..., 0]

    def log_sums(sharp):
        return Pair(lambda x: log_sum(x, sharp), lambda dy, x: dy[:, None] * softmax(sharp * x))

    def norm_backward(dy, x):
        return dy[:, None] * x / np.linalg.norm(x, axis=-1, keepdims=True)

    norms = Pair(lambda x: np.linalg.norm(x, axis=-1), norm_backward)
    zeros, near = some_zeros(4, 5), near_zero(4, 5)
    return [
        cells(lambda x: np.abs(x) ** 3, lambda x: 3 * x * np.abs(x), zeros, "|x|^3 at 0"),
        cells(lambda x: np.abs(x) ** 3, lambda x: 3 * x * np.abs(x), near, "|x|^3 near 0"),
        cells(lambda x: x * np.abs(x), lambda x: 2 * np.abs(x), zeros, "x|x| at 0"),
        cells(lambda x: x * np.abs(x), lambda x: 2 * np.abs(x), near, "x|x| near 0"),
        cells(lambda x: x**2 * (x > 0), lambda x: 2 * x * (x > 0), zeros, "relu^2 at 0"),
        cells(
            lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
            lambda x: np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
            zeros,
            "ELU at 0",
        ),
        cells(
            lambda x: np.where(np.abs(x) < 1, x * x / 2, np.abs(x) - 0.5),
            lambda x: np.clip(x, -1, 1),
            whole(4, 5),
            "Huber at its ends",
        ),
        Right("smooth maximum", lambda rng: (log_sums(30), [rng.standard_normal((4, 5))])),
        Right("log-sum-exp of 1e3", lambda rng: (log_sums(1), [normal(4, 5, scale=1e3)(rng)])),
        Right("norm", lambda rng: (norms, [rng.standard_normal((4, 5))])),
        cells(np.sqrt, lambda x: 0.5 / np.sqrt(x), positive(4, 5), "sqrt away from 0"),
        cells(
            np.sqrt,
            lambda x: 0.5 / np.sqrt(x),
            positive(4, 5, least=1e-3, most=1),
            "sqrt, 1e-3 to 1",
        ),
        cells(np.log, lambda x: 1 / x, positive(4, 5, least=1e-3, most=1e3), "log, 1e-3 to 1e3"),
        cells(lambda x: 1 / x, lambda x: -1 / x**2, positive(4, 5, least=0.05, most=5), "1/x"),
        cells(lambda x: np.sin(50 * x), lambda x: 50 * np.cos(50 * x), normal(4, 5), "sin 50x"),
        cells(lambda x: x**7, lambda x: 7 * x**6, normal(4, 5, scale=2), "x^7"),
    ]


def scales():
    small = [
        (f"{name}, inputs of {scale:g}", pair, (4, 5), scale)
        for scale in (1e-6, 1e6)
        for name, pair in (("linear", Pair(lambda x: 3 * x, lambda dy, x: 3 * dy)), ("relu", RELU))
    ]

    def units(scale):
        """tanh of x in other units, and its output in others again."""
        return Pair(
            lambda x: np.tanh(x / scale) / scale,
            lambda dy, x: dy * (1 - np.tanh(x / scale) ** 2) / scale**2,
        )

    def dense(rng):
        x, W = 1e6 * rng.standard_normal((3, 4)), 1e-6 * rng.standard_normal((4, 3))
        return DENSE, [x, W, rng.standard_normal(3)]

    def conv(rng):
        x, W = 1e-6 * rng.standard_normal((1, 4, 4, 2)), 1e6 * rng.standard_normal((2, 2, 2, 2))
        return Conv(Windows((2, 2), stride=(2, 1))), [x, W, 1e3 * rng.standard_normal(2)]

    def mixed(rng):
        """Rows of very different sizes in one array."""
        x = rng.standard_normal((5, 4)) * np.logspace(-3, 3, 5)[:, None]
        return Pair(lambda x: x * x, lambda dy, x: 2 * dy * x), [x]

    def beside(constant, part):
        return Pair(
            lambda x: constant + part * np.tanh(x), lambda dy, x: part * TANH.backward(dy, x)
        )

    return [
        *(
            Right(name, lambda rng, p=pair, s=shape, c=scale: (p, [normal(*s, scale=c)(rng)]))
            for name, pair, shape, scale in small
        ),
        *(
            Right(
                f"tanh in units of {scale:g}",
                lambda rng, s=scale: (units(s), [normal(4, 5, scale=s)(rng)]),
            )
            for scale in (1e-6, 1e-3, 1e3, 1e6)
        ),
        Right("dense, x of 1e6 and W of 1e-6", dense),
        Right("conv, x of 1e-6 and W of 1e6", conv),
        Right("x^2, 1e-3 to 1e3", mixed),
        Right("1e-3 tanh x beside 1e3", lambda rng: (beside(1e3, 1e-3), [normal(4, 5)(rng)])),
        Right("1e-3 tanh x beside 1e6", lambda rng: (beside(1e6, 1e-3), [normal(4, 5)(rng)])),
        Right(
            "1e-6 tanh x beside 1e8",
            lambda rng: (beside(1e8, 1e-6), [normal(4, 5)(rng)]),
            may_fall_short=True,
        ),
    ]


def cancelling():
    """Sums that cancel, and certain answers."""
    centred = Pair(
        lambda x: x - x.mean(-1, keepdims=True), lambda dy, x: dy - dy.mean(-1, keepdims=True)
    )
    difference = Pair(
        lambda x: 1e6 * (x[:, :1] - x[:, 1:]),
        lambda dy, x: 1e6 * np.concatenate([dy.sum(1, keepdims=True), -dy], axis=1),
    )
    far = Pair(lambda x: ((x + 1e4) - 1e4) ** 2, lambda dy, x: 2 * dy * x)
    constant = Pair(lambda x: np.ones(3), lambda dy, x: np.zeros(x.shape))
    unused = Pair(lambda x, W: 2 * x, lambda dy, x, W: (2 * dy, np.zeros(W.shape)))

    def standardized(x):
        d = x - x.mean(0)
        return d / np.sqrt((d * d).mean(0) + 1e-5)

    def standardized_backward(dy, x):
        d = x - x.mean(0)
        s, y = np.sqrt((d * d).mean(0) + 1e-5), standardized(x)
        return (dy - dy.mean(0) - y * (dy * y).mean(0)) / s

    batch_norm = Pair(lambda x: standardized(x), standardized_backward)
    softplus = Pair(lambda x: np.log(1 + np.exp(x)), lambda dy, x: dy / (1 + np.exp(-x)))
    slope_of_tanh = Pair(
        lambda x: 1 - np.tanh(x) ** 2, lambda dy, x: -2 * dy * np.tanh(x) / np.cosh(x) ** 2
    )

    def of(pair, *shape, scale=1.0):
        return lambda rng: (pair, [scale * rng.standard_normal(shape)])

    def loss(scale):
        return lambda rng: (
            CrossEntropy(rng.integers(0, 4, 5)),
            [scale * rng.standard_normal((5, 4))],
        )

    def certain(wrong):
        """Answers without a doubt: the label's all over, or everywhere but in the first image."""

        def draw(rng):
            z = 1e3 * rng.standard_normal((5, 4))
            labels = z.argmax(-1)
            if wrong:
                labels[0] = z[0].argmin()
            return CrossEntropy(labels), [z]

        return draw

    return [
        Right("x less its mean", of(centred, 4, 5)),
        Right("differences times 1e6", of(difference, 4, 5)),
        Right("x + 1e4 - 1e4, squared", of(far, 4, 5)),
        Right("a constant", of(constant, 4, 5)),
        Right("an array that is not used", lambda rng: (unused, [normal(3)(rng), normal(2)(rng)])),
        Right("batch normalisation", of(batch_norm, 6, 3)),
        Right("batch normalisation of nearly equal rows", of(batch_norm, 6, 3, scale=1e-2)),
        Right("softmax", of(SOFTMAX, 4, 5)),
        Right("softmax, saturated", of(SOFTMAX, 4, 5, scale=30), may_fall_short=True),
        Right("softmax, certain", of(SOFTMAX, 4, 5, scale=1e3), may_fall_short=True),
        Right("sigmoid, saturated", of(SIGMOID, 4, 5, scale=30)),
        # Beside the 1 inside, small terms are rounded off: outputs are 0, gradients are not.
        Right("softplus, saturated", of(softplus, 4, 5, scale=150)),
        Right("1 - tanh^2, saturated", of(slope_of_tanh, 4, 5, scale=50), may_fall_short=True),
        Right("cross-entropy", loss(1)),
        Right("cross-entropy, saturated", loss(30)),
        Right("cross-entropy, certain and once wrong", certain(wrong=True)),
        # No output hangs on any logit: to say so is right, and "right" would be luck.
        Right("cross-entropy, certain and right", certain(wrong=False), may_fall_short=True),
    ]


def plain():
    """Nothing special: what every checker should pass."""

    def conv(rng):
        op = Conv(Windows((3, 2), stride=(2, 1), padding=(1, 1), dilation=(1, 2)), groups=2)
        shapes = (2, 5, 3, 2), (3, 2, 1, 2), (2,)
        return op, [rng.standard_normal(shape) for shape in shapes]

    def dropout(rng):
        return Dropout(rng.random((4, 5)) > 0.5, 0.5), [rng.standard_normal((4, 5))]

    average = AvgPool(Windows((3, 2), stride=(2, 1), padding=(1, 1)))
    dot = Pair(lambda a, b: a @ b, lambda dy, a, b: (dy * b, dy * a))
    return [
        Right("conv", conv),
        Right("dropout", dropout),
        Right("LRN", lambda rng: (LRN(), [rng.standard_normal((1, 2, 2, 5))])),
        Right("average pool", lambda rng: (average, [rng.standard_normal((1, 5, 4, 1))])),
        Right("dense", lambda rng: (DENSE, [normal(*s)(rng) for s in ((3, 4), (4, 2), (2,))])),
        Right("a product of two vectors", lambda rng: (dot, [normal(4)(rng), normal(4)(rng)])),
        Right("one number", lambda rng: (TANH, [normal(1)(rng)])),
    ]


RIGHT = [
    *kinks(),
    *smooth(),
    *scales(),
    *cancelling(),
    *plain(),
    *(Right(*hidden) for hidden in HIDDEN),
]
