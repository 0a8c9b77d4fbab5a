"""Micro-benchmarks of the kernels, each on AlexNet's sizes: `pytest benchmarks/kernels.py`.

They say which kernel became slower or faster, `--benchmark-compare` against what; how fast a whole
operation is, the other benchmarks say. A kernel is serial: these times are of one thread. That its
results are right is what tests/kernels checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinycnn.kernels.bias import add_bias
from tinycnn.kernels.dropout import dropout_mask
from tinycnn.kernels.im2col import col2im, im2col
from tinycnn.kernels.lrn import local_response_norm, local_response_norm_backward
from tinycnn.kernels.pool import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from tinycnn.kernels.relu import relu_backward
from tinycnn.kernels.sgd import sgd_momentum

RNG = np.random.default_rng(0)
# Input, kernel, output size, stride, padding, dilation, as the kernels take them.
CONV1 = (1, 227, 227, 3), (11, 11), (55, 55), (4, 4), (0, 0), (1, 1)
CONV2 = (1, 27, 27, 96), (5, 5), (27, 27), (1, 1), (2, 2), (1, 1)
CONV3 = (2, 13, 13, 256), (3, 3), (13, 13), (1, 1), (1, 1), (1, 1)
CONVOLUTIONS = pytest.mark.parametrize(
    "convolution", [CONV1, CONV2, CONV3], ids=["conv1", "conv2", "conv3"]
)
ROWS = 256  # output cells of a block
POOL = (
    (3, 3),
    (2, 2),
    (0, 0),
)  # kernel, stride, padding of pool1: (4, 55, 55, 96) to (4, 27, 27, 96)

Benchmark = Callable[..., Any]  # pytest-benchmark's fixture


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape, np.float32)


@CONVOLUTIONS
def test_im2col(benchmark: Benchmark, convolution: tuple[Any, ...]) -> None:
    shape, kernel, *geometry = convolution
    cols = np.empty((ROWS, *kernel, shape[3]), np.float32)
    benchmark(im2col, normal(*shape), 0, 0, *geometry, cols)


@CONVOLUTIONS
def test_col2im(benchmark: Benchmark, convolution: tuple[Any, ...]) -> None:
    shape, kernel, *geometry = convolution
    dx = np.zeros(shape, np.float32)
    benchmark(col2im, normal(ROWS, *kernel, shape[3]), 0, 0, *geometry, dx)


@pytest.mark.parametrize("F", [96, 256])
def test_add_bias(benchmark: Benchmark, F: int) -> None:
    benchmark(add_bias, normal(ROWS, F), np.zeros(F, np.float32), True)


@pytest.mark.parametrize("F", [96, 256])
def test_relu_backward(benchmark: Benchmark, F: int) -> None:
    benchmark(relu_backward, normal(ROWS, F), normal(ROWS, F), np.empty((ROWS, F), np.float32))


def test_max_pool2d(benchmark: Benchmark) -> None:
    y, winner = np.empty((4, 27, 27, 96), np.float32), np.empty((4, 27, 27, 96), np.uint8)
    benchmark(max_pool2d, normal(4, 55, 55, 96), 0, 4 * 27, *POOL, (1, 1), y, winner)


def test_max_pool2d_backward(benchmark: Benchmark) -> None:
    dx, winner = (
        np.empty((4, 55, 55, 96), np.float32),
        RNG.integers(0, 9, (4, 27, 27, 96), np.uint8),
    )
    benchmark(max_pool2d_backward, normal(4, 27, 27, 96), winner, 0, 4, *POOL, (1, 1), dx)


def test_avg_pool2d(benchmark: Benchmark) -> None:
    y = np.empty((4, 27, 27, 96), np.float32)
    benchmark(avg_pool2d, normal(4, 55, 55, 96), 0, 4 * 27, *POOL, (55, 55), True, y)


def test_avg_pool2d_backward(benchmark: Benchmark) -> None:
    dx = np.empty((4, 55, 55, 96), np.float32)
    benchmark(avg_pool2d_backward, normal(4, 27, 27, 96), 0, 4, *POOL, (55, 55), True, dx)


LRN = 5, 1e-4, 0.75, 2.0  # size, a, beta, k


def test_local_response_norm(benchmark: Benchmark) -> None:
    x, y = normal(3025, 96), np.empty((3025, 96), np.float32)
    benchmark(local_response_norm, x, 0, len(x), *LRN, y)


def test_local_response_norm_backward(benchmark: Benchmark) -> None:
    dy, x, dx = normal(3025, 96), normal(3025, 96), np.empty((3025, 96), np.float32)
    benchmark(local_response_norm_backward, dy, x, 0, len(x), *LRN, dx)


def test_dropout_mask(benchmark: Benchmark) -> None:
    mask = np.empty((32, 4096), np.bool_)
    benchmark(dropout_mask, np.uint64(7), 3, 0, 0, len(mask), 1 << 31, mask)


def test_sgd_momentum(benchmark: Benchmark) -> None:
    weights, gradients, velocities = normal(3, 1 << 18)
    benchmark(sgd_momentum, weights, gradients, velocities, 0, 1 << 18, 0.01, 0.9, 0.0005)
