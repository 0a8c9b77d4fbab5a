"""Mistakes that are hard to see: behind coarse rounding, in dead units, at scales such as 1e250.

And those of batch normalisation, which hide among its three terms.
"""

from dataclasses import replace

import numpy as np
from checking.hidden import (
    DEAD,
    EXP,
    GAIN,
    SQUARE,
    TWO_LAYERS,
    Normalization,
    in_float32,
    in_units,
    rounded,
)
from checking.numpy_ops import DENSE, SOFTMAX, TANH, CrossEntropy, softmax
from checking.planting import drawn, plant, scaled


def rounding_errors():
    """All of them far larger than what the rounding hides."""
    x, dense = drawn(19, x=(4, 6)), drawn(20, x=(5, 6), W=(6, 3), b=(3,))
    loss, labels = CrossEntropy(np.array([1, 0, 3, 2])), drawn(21, x=(4, 5))
    net = in_float32(TWO_LAYERS)
    layers = drawn(22, x=(4, 5), W=(5, 7), V=(7, 3))
    single = in_float32(DENSE)
    return [
        plant("float32: dW 5 % too large", single, dense, W=scaled(single, "W", 1.05)),
        plant("float32: dW not transposed back", single, dense, W=lambda dy, x, W, b: 0.5 * W),
        plant("float32: wrong sign", in_float32(TANH), x, x=scaled(TANH, "x", -1)),
        plant(
            "float32: softmax, the diagonal alone",
            in_float32(SOFTMAX),
            labels,
            x=lambda dy, x: dy * softmax(x) * (1 - softmax(x)),
        ),
        plant(
            "float32: cross-entropy not divided by N",
            in_float32(loss),
            labels,
            x=scaled(loss, "x", 4),
        ),
        plant(
            "float32: no mask between two layers",
            net,
            layers,
            W=lambda dy, x, W, V: x.T @ (dy @ V.T),
        ),
        plant("six digits: no derivative", rounded(TANH, 6), x, x=lambda dy, x: dy),
        plant("three digits: wrong sign", rounded(TANH, 3), x, x=scaled(TANH, "x", -1)),
    ]


def dead_errors():
    """Seven times too large, where that is 0: nothing is tested; at other values it shows."""
    dead, gain = drawn(23, x=(4, 5), W=(5, 3)), drawn(24, x=(4, 5), gain=(5,))
    certain = drawn(25, x=(4, 5))

    def none(dy, x):
        return 0 * dy

    def planted(name, op, arrays, awake, **mistakes):
        return replace(plant(f"dead: {name}", op, arrays, **mistakes), awake=awake)

    return [
        planted(
            "units below zero",
            DEAD,
            dead,
            {name: 30 * array for name, array in dead.items()},
            x=scaled(DEAD, "x", 7),
            W=scaled(DEAD, "W", 7),
        ),
        planted(
            "a gain of 0",
            GAIN,
            {**gain, "gain": np.zeros(5)},
            gain,
            x=scaled(GAIN, "x", 7),
        ),
        planted(
            "a certain softmax",
            SOFTMAX,
            {"x": 1e5 * certain["x"]},
            certain,
            x=scaled(SOFTMAX, "x", 7),
        ),
        planted("exp at 1e-14", EXP, {"x": 1e-14 * certain["x"]}, certain, x=none),
        planted("squares that underflow", SQUARE, {"x": 1e-200 * certain["x"]}, certain, x=none),
    ]


def scale_errors():
    tiny, huge = (in_units(scale) for scale in (1e-250, 1e250))
    at = drawn(26, x=(4, 5))["x"]
    dense = drawn(27, x=(3, 4), W=(4, 2), b=(2,))

    def apart(scale):
        return {**dense, "x": scale * dense["x"], "W": dense["W"] / scale}

    return [
        plant("1e-250: wrong sign", tiny, {"x": 1e-250 * at}, kind="sign", x=scaled(tiny, "x", -1)),
        plant("1e250: wrong sign", huge, {"x": 1e250 * at}, kind="sign", x=scaled(huge, "x", -1)),
        plant(
            "1e-250: 0.1 % too large",
            tiny,
            {"x": 1e-250 * at},
            kind="factor",
            says="1.001",
            x=scaled(tiny, "x", 1.001),
        ),
        plant(
            "x of 1e250, W of 1e-250: dx of the wrong sign",
            DENSE,
            apart(1e250),
            kind="sign",
            x=scaled(DENSE, "x", -1),
        ),
        plant(
            "x of 1e-250, W of 1e250: dW divided by N",
            DENSE,
            apart(1e-250),
            kind="factor",
            says="N = 3",
            W=scaled(DENSE, "W", 1 / 3),
        ),
    ]


def normalization_errors():
    arrays = drawn(28, x=(6, 4), gain=(4,), shift=(4,))
    images = drawn(29, x=(2, 2, 3, 2), gain=(2,), shift=(2,))

    def planted(name, says, arrays=arrays, op=None, **options):
        op = op or Normalization()

        def mistake(dy, x, gain, shift):
            return op.image_gradient(dy * gain, x, **options)

        return plant(
            f"batch normalisation: {name}", op, arrays, kind="normalization", says=says, x=mistake
        )

    return [
        planted("constants", "mean and variance taken for constants", mean=False, variance=False),
        planted("mean constant", "the mean taken for a constant", mean=False),
        planted("variance constant", "the variance taken for a constant", variance=False),
        planted("N - 1", "divided by N - 1 = 5, where forward has N = 6", less=1),
        planted(
            "N, where forward has N - 1",
            "divided by N = 12, where forward has N - 1 = 11",
            images,
            Normalization(less=1),
            less=0,
        ),
        planted("eps forgotten", "eps forgotten", images, eps=0),
    ]
