"""Right gradients behind coarse rounding, at scales such as 1e250, and of units that are dead."""

import numpy as np
from checking.hidden import (
    DEAD,
    EXP,
    GAIN,
    LARGE_SQUARE,
    SQUARE,
    TWO_LAYERS,
    Normalization,
    in_float16,
    in_float32,
    in_units,
    rounded,
    shifted,
)
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
    MaxPool,
    Pair,
    Windows,
    softmax,
    softmax_backward,
)


def normal(op, *shapes):
    """A pair, and normal arrays of these shapes."""
    return lambda rng: (op, [rng.standard_normal(shape) for shape in shapes])


def roundings():
    """(name, draw, whether it may end undecided)."""

    def loss(rng):
        return in_float32(CrossEntropy(rng.integers(0, 4, 5))), [rng.standard_normal((5, 4))]

    conv = Conv(Windows((3, 2), stride=(2, 1), padding=(1, 1)))
    layers = (4, 5), (5, 7), (7, 3)
    return [
        ("float32: tanh", normal(in_float32(TANH), (4, 5)), True),
        ("float32: sigmoid", normal(in_float32(SIGMOID), (4, 5)), True),
        ("float32: relu", normal(in_float32(RELU), (4, 5)), True),
        ("float32: dense", normal(in_float32(DENSE), (5, 6), (6, 3), (3,)), True),
        ("float32: a wide dense", normal(in_float32(DENSE), (4, 60), (60, 20), (20,)), True),
        ("float32: two layers", normal(in_float32(TWO_LAYERS), *layers), True),
        ("float32: conv", normal(in_float32(conv), (2, 5, 3, 2), (3, 2, 2, 2), (2,)), True),
        ("float32: softmax", normal(in_float32(SOFTMAX), (4, 5)), True),
        ("float32: cross-entropy", loss, True),
        ("float32: LRN", normal(in_float32(LRN()), (1, 2, 2, 5)), True),
        (
            "float32: max-pool",
            normal(in_float32(MaxPool(Windows((2, 2), stride=(2, 2)))), (1, 4, 6, 2)),
            True,
        ),
        (
            "float32: average pool",
            normal(in_float32(AvgPool(Windows((2, 2)))), (1, 4, 3, 2)),
            True,
        ),
        (
            "float32: batch normalisation",
            normal(in_float32(Normalization()), (6, 3), (3,), (3,)),
            True,
        ),
        ("tanh to six digits", normal(rounded(TANH, 6), (4, 5)), True),
        ("dense to six digits", normal(rounded(DENSE, 6), (5, 6), (6, 3), (3,)), True),
        ("tanh to three digits", normal(rounded(TANH, 3), (4, 5)), True),
        ("softmax to two digits", normal(rounded(SOFTMAX, 2), (4, 5)), True),
        ("float16: tanh", normal(in_float16(TANH), (4, 5)), True),
    ]


def scales():
    linear = Pair(lambda x: 3 * x, lambda dy, x: 3 * dy)
    logarithm = Pair(lambda x: np.log(np.abs(x)), lambda dy, x: dy / x)

    def at(scale, op):
        return lambda rng: (op, [scale * rng.standard_normal((4, 5))])

    def apart(scale):
        shapes = (3, 4), (4, 2), (2,)

        def draw(rng):
            x, W, b = (rng.standard_normal(shape) for shape in shapes)
            return DENSE, [scale * x, W / scale, b]

        return draw

    def spread(rng):
        return logarithm, [10.0 ** rng.uniform(-200, 200, (4, 5))]

    return [
        *((f"linear at {s:g}", at(s, linear), False) for s in (1e-300, 1e-160, 1e160, 1e300)),
        *((f"relu at {s:g}", at(s, RELU), False) for s in (1e-250, 1e250)),
        *((f"tanh in units of {s:g}", at(s, in_units(s)), False) for s in (1e-250, 1e250)),
        *((f"dense, x of {s:g} and W of {1 / s:g}", apart(s), False) for s in (1e-250, 1e250)),
        ("log, 1e-200 to 1e200", spread, False),
    ]


def zeros():
    """The gradient is 0: at these values alone, or, before a normalisation, at all of them."""
    batch = Normalization()

    def shifted_backward(dy, x, b):
        dx, _, _ = batch.backward(dy, x + b, np.ones(3), np.zeros(3))
        return dx, dx.sum(0)

    shifted = Pair(lambda x, b: batch.forward(x + b, 1.0, 0.0), shifted_backward)

    def row_shifted_backward(dy, x, b):
        dx = softmax_backward(dy, x + b[:, None])
        return dx, dx.sum(1)

    row_shifted = Pair(lambda x, b: softmax(x + b[:, None]), row_shifted_backward)
    return [
        ("dead units", normal(DEAD, (4, 5), (5, 3)), True),
        ("a gain of 0", lambda rng: (GAIN, [rng.standard_normal((4, 5)), np.zeros(5)]), True),
        ("a shift ahead of batch normalisation", normal(shifted, (6, 3), (3,)), False),
        ("a shift ahead of softmax", normal(row_shifted, (4, 5), (4,)), False),
    ]


def swallowed():
    """Steps and outputs that float32, or the smallest numbers, hold in part only."""

    def at(scale, op):
        return lambda rng: (op, [scale * rng.standard_normal((3, 5))])

    ops = ("softmax", SOFTMAX), ("tanh", TANH), ("sigmoid", SIGMOID)
    return [
        *(
            (f"swallowed in float32: {name} at {s:g}", at(s, in_float32(op)), True)
            for name, op in ops
            for s in (10, 20, 40, 80)
        ),
        *(
            (f"swallowed in float32: x + {o:g}", at(1, in_float32(shifted(o))), True)
            for o in (1e6, 1e9, 1e12)
        ),
        *((f"x + {o:g}", at(1, shifted(o)), True) for o in (1e13, 1e16, 1e20)),
        *((f"exp at {s:g}", at(s, EXP), False) for s in (1e-13, 1e-100)),
        *((f"squares at {s:g}", at(s, SQUARE), True) for s in (1e-158, 1e-162, 1e-200)),
        *((f"1e100 * x * x at {s:g}", at(s, LARGE_SQUARE), True) for s in (1e-160, 1e-163, 1e-200)),
    ]


HIDDEN = [*roundings(), *scales(), *zeros(), *swallowed()]
