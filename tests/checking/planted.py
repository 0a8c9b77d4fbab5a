"""Errors planted on purpose: wrong gradients that a checker has to catch, and should name.

Each is a right operation of `numpy_ops` with one mistake that people make. The arrays are small,
unsquare and drawn from a fixed seed.
"""

import numpy as np
from checking.numpy_ops import RELU, TANH
from checking.planted_cells import dense_errors, elementwise_errors, softmax_errors
from checking.planted_convolutions import convolution_errors, relu_errors, strided_errors
from checking.planted_hidden import (
    dead_errors,
    normalization_errors,
    rounding_errors,
    scale_errors,
)
from checking.planted_pools import pool_errors
from checking.planting import Planted, drawn


class Remembering:
    """A dense layer that keeps what forward saw: two forwards, and backward has the wrong one."""

    def forward(self, x, W):
        self.x = x.copy()
        return x @ W

    def backward(self, dy, x, W):
        return dy @ W.T, self.x.T @ dy


class Drifting:
    """Noise that nobody can repeat."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        return x * self.rng.random(x.shape)

    def backward(self, dy, x):
        return dy


def behaviour_errors():
    x, matrices = drawn(17, x=(3, 4)), drawn(18, x=(3, 4), W=(4, 2))

    def planted(name, forward, backward, problem, arrays=x):
        return Planted(name, forward, backward, arrays, frozenset(), problem=problem)

    def rectified_in_place(x):
        return np.maximum(x, 0, out=x)

    def in_place(dy, x):
        dy *= x > 0
        return dy

    remembering, drifting = Remembering(), Drifting()
    return [
        planted(
            "state left by another forward",
            remembering.forward,
            remembering.backward,
            "another forward",
            matrices,
        ),
        planted("not deterministic", drifting.forward, drifting.backward, "deterministic"),
        planted("mutates x", rectified_in_place, RELU.backward, "forward writes to x"),
        planted("mutates dy", RELU.forward, in_place, "mutates dy"),
        planted(
            "gradient in float32",
            TANH.forward,
            lambda dy, x: TANH.backward(dy, x).astype(np.float32),
            "float32",
        ),
        planted(
            "gradient in whole numbers", RELU.forward, lambda dy, x: (x > 0).astype(int), "int"
        ),
        planted("gradient of another shape", RELU.forward, lambda dy, x: (dy * (x > 0)).T, "shape"),
        planted("gradient flattened", RELU.forward, lambda dy, x: (dy * (x > 0)).ravel(), "shape"),
        planted("gradients in a list of lists", RELU.forward, lambda dy, x: "dx", "str"),
    ]


PLANTED = [
    *convolution_errors(),
    *strided_errors(),
    *relu_errors(),
    *pool_errors(),
    *dense_errors(),
    *elementwise_errors(),
    *softmax_errors(),
    *behaviour_errors(),
    *rounding_errors(),
    *dead_errors(),
    *scale_errors(),
    *normalization_errors(),
]
