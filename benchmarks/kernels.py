"""Micro-benchmarks of the kernels, each on AlexNet's sizes: `pytest benchmarks/kernels.py`.

They say which kernel became slower or faster, `--benchmark-compare` against what; how fast a whole
operation is, `tinycnn bench` says. A kernel is serial: these times are of one thread. That its
results are right is what tests/kernels checks.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tinycnn.arrays import read_only
from tinycnn.kernels import microkernels, winograd_transforms
from tinycnn.kernels.adam import adam
from tinycnn.kernels.avg_pool import avg_pool2d, avg_pool2d_backward
from tinycnn.kernels.avg_pool_vectors import avg_pool_rows, avg_pool_rows_backward
from tinycnn.kernels.batch_norm import (
    add_gradients,
    channel_scales,
    gradient_factors,
    join_moments,
    moments_of_rows,
    scale_deviations,
    scale_deviations_backward,
)
from tinycnn.kernels.bias import add_bias, add_sums, bias_gradient, relu_bias_gradient
from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.dense import (
    dense_input_gradient,
    dense_product,
    dense_weight_gradient,
    pack_images,
    pack_weights,
)
from tinycnn.kernels.dense_gradients import dense_gradients
from tinycnn.kernels.dense_rows import rows_product
from tinycnn.kernels.direct import direct_convolution
from tinycnn.kernels.direct_gradient import direct_input_gradient
from tinycnn.kernels.dot_products import dot_products
from tinycnn.kernels.dropout import dropout_mask, scale_kept
from tinycnn.kernels.helpers import begin_helping, wait_for_helpers
from tinycnn.kernels.im2col import col2im, im2col
from tinycnn.kernels.lrn import local_response_norm, local_response_norm_backward
from tinycnn.kernels.max_pool import cells_inside, max_pool2d, max_pool2d_backward
from tinycnn.kernels.max_pool_disjoint import max_pool_disjoint_backward
from tinycnn.kernels.max_pool_maps import max_pool
from tinycnn.kernels.max_pool_vectors import max_pool_argmax, max_pool_argmax_backward
from tinycnn.kernels.offers import FIRST_TICKET, LINE, OWN, look_for_work, offer, withdraw
from tinycnn.kernels.packed_dense import dense
from tinycnn.kernels.panels import NARROW, PANEL
from tinycnn.kernels.peak import CHAINS, add_products
from tinycnn.kernels.recorded_calls import (
    COUNTERS,
    begin,
    carry_on,
    carry_out,
    help_carry_out,
    hold,
    hold_parts,
    run_alone,
    run_shared,
)
from tinycnn.kernels.relu import relu, relu_backward
from tinycnn.kernels.sgd import sgd_momentum
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.softmax import cross_entropy, softmax, softmax_backward
from tinycnn.kernels.space_to_depth import space_to_depth
from tinycnn.kernels.squares import squared_errors, sum_of_squares
from tinycnn.kernels.taps import phase_taps, taps_inside
from tinycnn.kernels.weights import add_parts, exchange_channels, pack_channels
from tinycnn.kernels.window_convolution import window_convolution, window_input_gradient
from tinycnn.kernels.window_products import window_products
from tinycnn.kernels.window_tiles import WRITE
from tinycnn.kernels.window_weight_gradient import window_weight_gradient
from tinycnn.kernels.windows import extent, windows_at
from tinycnn.kernels.winograd import input_transform, output_transform, weight_transform
from tinycnn.kernels.winograd_gradient import output_gradient_transform, weight_gradient_transform
from tinycnn.kernels.winograd_tiles import first_output, stream_frequencies, tile_number
from tinycnn.runtime.calls import Calls
from tinycnn.runtime.feature_maps import FeatureMaps, aligned_zeros
from tinycnn.runtime.recording import Recorder

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

Benchmark = Any  # pytest-benchmark's fixture


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


def test_relu(benchmark: Benchmark) -> None:
    x, y = normal(ROWS * 64), np.empty(ROWS * 64, np.float32)
    benchmark(relu, x, 0, x.size, y)


@pytest.mark.parametrize("F", [96, 256])
def test_relu_backward(benchmark: Benchmark, F: int) -> None:
    dy, y, dz = normal(3, ROWS * F)
    benchmark(relu_backward, dy, y, 0, ROWS * F, dz)


@pytest.mark.parametrize("F", [6, 96, 256])
def test_bias_gradient(benchmark: Benchmark, F: int) -> None:
    benchmark(bias_gradient, normal(ROWS, F), 0, ROWS, np.zeros((1, F)), 0)


@pytest.mark.parametrize("F", [6, 96, 256])
def test_relu_bias_gradient(benchmark: Benchmark, F: int) -> None:
    dy, y, dz = normal(3, ROWS, F)
    benchmark(relu_bias_gradient, dy, y, 0, ROWS, dz, np.zeros((1, F)), 0)


def test_add_sums(benchmark: Benchmark) -> None:
    benchmark(add_sums, np.zeros((16, 96)), np.zeros(96, np.float32))


def test_exchange_channels(benchmark: Benchmark) -> None:
    W, turned = normal(2, 25 * 6 * 16)
    benchmark(exchange_channels, read_only(W), 25, (6, 16), 1, turned)


def test_pack_channels(benchmark: Benchmark) -> None:
    W, panels = normal(9, 64, 64), np.empty((9 * 32 // PANEL + 1, 64, PANEL), np.float32)
    benchmark(pack_channels, read_only(W), 0, 32, panels)


def test_add_parts(benchmark: Benchmark) -> None:
    size = 25 * 6 * 16
    benchmark(add_parts, normal(16 * size), size, 16, 0, size, np.zeros(size, np.float32))


def test_cells_inside(benchmark: Benchmark) -> None:
    benchmark(cells_inside, -1, 3, 1, 55)


def test_max_pool2d(benchmark: Benchmark) -> None:
    y, argmax = np.empty((4, 27, 27, 96), np.float32), np.empty((4, 27, 27, 96), np.uint8)
    benchmark(max_pool2d, normal(4, 55, 55, 96), 0, 4 * 27, *POOL, (1, 1), y, argmax)


def test_max_pool2d_backward(benchmark: Benchmark) -> None:
    dx, argmax = (
        np.empty((4, 55, 55, 96), np.float32),
        RNG.integers(0, 9, (4, 27, 27, 96), np.uint8),
    )
    benchmark(max_pool2d_backward, normal(4, 27, 27, 96), argmax, 0, 4, *POOL, (1, 1), dx)


def test_avg_pool2d(benchmark: Benchmark) -> None:
    y = np.empty((4, 27, 27, 96), np.float32)
    benchmark(avg_pool2d, normal(4, 55, 55, 96), 0, 4 * 27, *POOL, (55, 55), True, y)


def test_avg_pool_rows(benchmark: Benchmark) -> None:
    y = np.empty((4, 27, 27, 96), np.float32)
    benchmark(avg_pool_rows, normal(4, 55, 55, 96), 0, 4 * 27, *POOL, (55, 55), True, y)


def test_avg_pool_rows_backward(benchmark: Benchmark) -> None:
    dx = np.empty((4, 55, 55, 96), np.float32)
    dy = normal(4, 27, 27, 96)
    benchmark(avg_pool_rows_backward, dy, 0, 4 * 55, *POOL, (55, 55), True, dx)


def test_windows_at(benchmark: Benchmark) -> None:
    benchmark(windows_at, 20, 3, 2, 27)


def test_extent(benchmark: Benchmark) -> None:
    benchmark(extent, 20, 3, 2, 1, 55, 56, True)


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


def test_moments_of_rows(benchmark: Benchmark) -> None:
    benchmark(moments_of_rows, normal(1024, 64), 0, 1024, np.empty((1, 3, 64)))


def test_join_moments(benchmark: Benchmark) -> None:
    benchmark(join_moments, np.ones((36, 3, 256)), *np.empty((2, 256)))


def test_channel_scales(benchmark: Benchmark) -> None:
    benchmark(channel_scales, *np.ones((2, 256)), 1e-3, *np.empty((2, 256)))


def test_gradient_factors(benchmark: Benchmark) -> None:
    sums, given = np.ones((36, 2, 256)), np.ones((2, 256))
    benchmark(gradient_factors, sums, *given, 9216, *np.empty((4, 256)))


def test_add_gradients(benchmark: Benchmark) -> None:
    dy, x, parts = normal(3136, 64), normal(3136, 64), np.zeros((1, 2, 64))
    benchmark(add_gradients, dy, x, parts[0, 0].copy(), 0, len(x), parts)


def test_scale_deviations(benchmark: Benchmark) -> None:
    x, y, of_channels = normal(3136, 64), np.empty((3136, 64), np.float32), np.ones((3, 64))
    benchmark(scale_deviations, x, *of_channels, 0, len(x), y)


def test_scale_deviations_backward(benchmark: Benchmark) -> None:
    dy, x, dx = normal(3136, 64), normal(3136, 64), np.empty((3136, 64), np.float32)
    benchmark(scale_deviations_backward, dy, x, *np.ones((4, 64)), 0, len(x), dx)


def test_dropout_mask(benchmark: Benchmark) -> None:
    mask = np.empty((32, 4096), np.bool_)
    benchmark(dropout_mask, np.uint64(7), 3, 0, 0, len(mask), 1 << 31, mask)


# One parameter of 2**18 elements: its end, rate, decay, and what stays of it.
PARAMETER = tuple(np.array([value]) for value in (1 << 18, 0.01, 0.0005, 1.0))


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_momentum(benchmark: Benchmark, nesterov: bool) -> None:
    weights, gradients, velocities = normal(3, 1 << 18)
    given = weights, gradients, velocities, 0, 1 << 18, 0.9, nesterov, *PARAMETER
    benchmark(sgd_momentum, *given)


def test_adam(benchmark: Benchmark) -> None:
    weights, gradients, means, squares = normal(4, 1 << 18) ** 2
    given = 0, 1 << 18, 0.9, 0.999, 1.0, 1e-8, *PARAMETER
    benchmark(adam, weights, gradients, means, squares, *given)


def test_sum_of_squares(benchmark: Benchmark) -> None:
    benchmark(sum_of_squares, normal(1 << 18), 0, 1 << 18)


def test_squared_errors(benchmark: Benchmark) -> None:
    y, targets, dy = normal(3, 1 << 17)
    benchmark(squared_errors, read_only(y), read_only(targets), 0, 1 << 17, 1 << 17, dy)


def test_scale_kept(benchmark: Benchmark) -> None:
    x, mask = normal(32 * 4096), RNG.random(32 * 4096) < 0.5
    benchmark(scale_kept, x, mask, np.float32(2), 0, x.size, np.empty_like(x))


def test_max_pool(benchmark: Benchmark) -> None:
    x, y = FeatureMaps.of(normal(4, 55, 55, 96)), FeatureMaps.zeros((4, 27, 27, 96))
    benchmark(
        max_pool, read_only(x.flat), x.place, (55, 55), 0, 4 * 27, *POOL, (1, 1), 96,
        y.flat, y.place, (27, 27),
    )  # fmt: skip


def test_max_pool_argmax(benchmark: Benchmark) -> None:
    y, argmax = np.empty((4, 27, 27, 96), np.float32), np.empty((4, 27, 27, 96), np.uint8)
    x = read_only(normal(4, 55, 55, 96))
    benchmark(max_pool_argmax, x, 0, 4 * 27, *POOL, (1, 1), y, argmax)


def test_max_pool_disjoint_backward(benchmark: Benchmark) -> None:
    dy, argmax = read_only(normal(32, 14, 14, 16)), RNG.integers(0, 4, (32, 14, 14, 16), np.uint8)
    dx, geometry = np.empty((32, 28, 28, 16), np.float32), ((2, 2), (2, 2), (0, 0))
    benchmark(max_pool_disjoint_backward, dy, read_only(argmax), 0, 32 * 28, *geometry, False, dx)


def test_max_pool_argmax_backward(benchmark: Benchmark) -> None:
    dy, argmax = read_only(normal(4, 27, 27, 96)), RNG.integers(0, 9, (4, 27, 27, 96), np.uint8)
    dx = np.empty((4, 55, 55, 96), np.float32)
    benchmark(max_pool_argmax_backward, dy, read_only(argmax), 0, 4 * 55, *POOL, False, dx)


# ----------------------------------------------------------------------------------------- direct


def test_direct_convolution(benchmark: Benchmark) -> None:
    """A strided layer: 3 x 3 with stride 2, 64 to 128 channels."""
    x, y = FeatureMaps.of(normal(1, 58, 58, 64)), FeatureMaps.of(normal(1, 28, 28, 128))
    panels, bias = read_only(normal(128 // PANEL, 9 * 64, PANEL)), read_only(normal(128))
    benchmark(
        direct_convolution, read_only(x.flat), x.place, 64, 0, 28, (3, 3), (2, 2), (1, 1),
        panels, bias, True, 0, 128, y.flat, y.place, (28, 28), 128,
    )  # fmt: skip


# LeNet-5's first layer: 5 x 5, padded by 2, one channel to six.
FEW = (1, 1), (2, 2), (1, 1)


def test_window_convolution(benchmark: Benchmark) -> None:
    x, W, b = (read_only(normal(*shape)) for shape in ((32, 28, 28, 1), (5, 5, 1, 6), (6,)))
    y = FeatureMaps.of(np.empty((32, 28, 28, 6), np.float32))
    x, W = read_only(x.reshape(-1)), read_only(W.reshape(-1))
    benchmark(
        window_convolution, x, (28, 28, 1), W, b, 1, True, False, 0, 32 * 28, (5, 5), *FEW, y.flat, y.place,
        (28, 28), 1,
    )  # fmt: skip


def test_window_convolution_pooled(benchmark: Benchmark) -> None:
    """The same with the maxima of 2 x 2 outputs."""
    x, W, b = (read_only(normal(*shape)) for shape in ((32, 28, 28, 1), (5, 5, 1, 6), (6,)))
    y = FeatureMaps.of(np.empty((32, 14, 14, 6), np.float32))
    x, W = read_only(x.reshape(-1)), read_only(W.reshape(-1))
    benchmark(
        window_convolution, x, (28, 28, 1), W, b, 1, True, False, 0, 32 * 14, (5, 5), *FEW, y.flat, y.place,
        (14, 14), 2,
    )  # fmt: skip


def generated(module: Any, kind: str) -> Any:
    """The kernels of a generated module whose names begin with ``kind``, as a test's parameter."""
    names = [name for name in vars(module) if name.startswith(kind)]
    return pytest.mark.parametrize("kernel", [getattr(module, n) for n in names], ids=names)


# A depthwise 3 x 3 convolution of 64 channels at 28 x 28: places of a map (start, image, row, column).
MAP, DEPTHWISE = (28, 28), 64
PLACE = 0, 28 * 28 * DEPTHWISE, 28 * DEPTHWISE, DEPTHWISE
PADDED = (1, 1), (1, 1), (1, 1)


def test_taps_inside(benchmark: Benchmark) -> None:
    benchmark(taps_inside, 1, 28, 28, -1, 1, 3, 1)


def test_phase_taps(benchmark: Benchmark) -> None:
    benchmark(phase_taps, 2, 5, 2, 1)


def test_window_convolution_depthwise(benchmark: Benchmark) -> None:
    x, W, b = (read_only(normal(n)) for n in (PLACE[1], 9 * DEPTHWISE, DEPTHWISE))
    y = np.empty(PLACE[1], np.float32)
    benchmark(
        window_convolution, x, (*MAP, DEPTHWISE), W, b, DEPTHWISE, True, False, 0, 28, (3, 3), *PADDED,
        y, PLACE, MAP, 1,
    )  # fmt: skip


def test_window_input_gradient(benchmark: Benchmark) -> None:
    """Groups of 8 channels and filters, strided."""
    dz, W = read_only(normal(14 * 14 * DEPTHWISE)), read_only(normal(9 * 8 * DEPTHWISE))
    dx = np.empty(PLACE[1], np.float32)
    benchmark(
        window_input_gradient, dz, (14, 14, DEPTHWISE), W, DEPTHWISE // 8, False, 0, 14, (3, 3), (2, 2),
        (1, 1), (1, 1), dx, (*MAP, DEPTHWISE),
    )  # fmt: skip


def test_window_weight_gradient_depthwise(benchmark: Benchmark) -> None:
    x, dz = (read_only(normal(PLACE[1])) for _ in range(2))
    size, dW = (*MAP, DEPTHWISE), np.empty(9 * DEPTHWISE, np.float32)
    benchmark(
        window_weight_gradient,
        x,
        size,
        dz,
        size,
        DEPTHWISE,
        False,
        0,
        1,
        (3, 3),
        *PADDED,
        0,
        9,
        dW,
        0,
    )


def test_window_products(benchmark: Benchmark) -> None:
    """Windows of 5 x 5 in rows of 28 cells."""
    places, targets = (read_only(np.arange(24) * step) for step in (1, 6))
    runs = read_only(np.stack([28 * np.arange(5), 30 * np.arange(5)], axis=1).reshape(-1))
    b, bias = read_only(normal(25 * 6)), read_only(normal(6))
    c = np.zeros(24 * 6, np.float32)
    benchmark(
        window_products, read_only(normal(28 * 28)), 0, places, b, runs, 5, (5, 1, 6), 6, (1, 6), bias,
        True, WRITE, c, 0, targets,
    )  # fmt: skip


def test_dot_products(benchmark: Benchmark) -> None:
    """Windows of 3 x 3 cells of 64 channels with four filters, in a row of 24 outputs."""
    places, targets = (read_only(np.arange(24) * step) for step in (64, 4))
    runs = read_only(np.stack([26 * 64 * np.arange(3), 4 * 192 * np.arange(3)], axis=1).reshape(-1))
    b, bias, c = (
        read_only(normal(9 * 64 * 4)),
        read_only(normal(4)),
        np.zeros(24 * 4, np.float32),
    )
    benchmark(
        dot_products, read_only(normal(3 * 26 * 64)), 0, places, b, runs, 3, 192, 4, (64, 4), (192, 0),
        bias, True, c, 0, targets,
    )  # fmt: skip


def test_window_weight_gradient_along(benchmark: Benchmark) -> None:
    """3 x 3 cells of 64 channels, four filters."""
    x, dz = read_only(normal(8 * 28 * 28 * 64)), read_only(normal(8 * 28 * 28 * 4))
    dW = np.empty(9 * 64 * 4, np.float32)
    benchmark(
        window_weight_gradient, x, (28, 28, 64), dz, (28, 28, 4), 1, True, 0, 8, (3, 3), *PADDED, 0, 576,
        dW, 0,
    )  # fmt: skip


def test_window_weight_gradient(benchmark: Benchmark) -> None:
    x, dz = read_only(normal(32 * 28 * 28)), read_only(normal(32 * 28 * 28 * 6))
    dW = np.empty(25 * 6, np.float32)
    benchmark(
        window_weight_gradient, x, (28, 28, 1), dz, (28, 28, 6), 1, False, 0, 32, (5, 5), *FEW, 0, 25, dW, 0
    )  # fmt: skip


def test_direct_input_gradient(benchmark: Benchmark) -> None:
    """LeNet-5's second layer: 5 x 5, 6 channels to 16."""
    dz = read_only(normal(32 * 10 * 10 * 16))
    panels = read_only(normal(-(-150 // PANEL), 16, PANEL))
    dx = np.empty(32 * 14 * 14 * 6, np.float32)
    benchmark(
        direct_input_gradient, dz, (10, 10, 16), panels, 0, 32, 0, 6, (5, 5), (1, 1), (0, 0), (1, 1),
        dx, (14, 14, 6),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------ dense

D, F = 4096, 1024
BATCHES = pytest.mark.parametrize("N", [1, 32])


def test_pack_weights(benchmark: Benchmark) -> None:
    panels = np.empty((F // PANEL, D, PANEL), np.float32)
    benchmark(pack_weights, read_only(normal(D, F)), 0, len(panels), panels)


@BATCHES
def test_dense(benchmark: Benchmark, N: int) -> None:
    panels, bias = read_only(normal(F // PANEL, D, PANEL)), read_only(normal(F))
    y = np.empty(N * F, np.float32)
    benchmark(dense, read_only(normal(N * D)), D, 0, N, panels, PANEL, bias, True, 0, F, y, F)


@pytest.mark.parametrize("N", [1, 128])
def test_dense_of_weights_as_they_lie(benchmark: Benchmark, N: int) -> None:
    W, bias, y = read_only(normal(D, F)), read_only(normal(F)), np.empty(N * F, np.float32)
    benchmark(dense, read_only(normal(N * D)), D, 0, N, W, F, bias, True, 0, F, y, F)


@BATCHES
def test_dense_product(benchmark: Benchmark, N: int) -> None:
    y = np.empty((N, F), np.float32)
    given = read_only(normal(N, D)), read_only(normal(D, F)), read_only(normal(F))
    benchmark(dense_product, *given, True, 0, N, 0, F, y)


@BATCHES
def test_dense_weight_gradient(benchmark: Benchmark, N: int) -> None:
    panels, dW = read_only(normal(F // PANEL, N, PANEL)), np.empty((D, F), np.float32)
    benchmark(dense_weight_gradient, read_only(normal(N, D)), panels, 0, D, dW)


def test_rows_product(benchmark: Benchmark) -> None:
    benchmark(rows_product, normal(1, 512), normal(512, 512), np.empty((1, 512), np.float32))


def test_softmax(benchmark: Benchmark) -> None:
    x = read_only(normal(128 * 1000))
    benchmark(softmax, x, 0, 128, 1000, np.empty_like(x))


def test_softmax_backward(benchmark: Benchmark) -> None:
    dy, y = normal(2, 128_000)
    benchmark(softmax_backward, dy, y, 0, 128, 1000, np.empty_like(y))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy(benchmark: Benchmark, smoothing: float) -> None:
    x, labels = read_only(normal(128, 1000)), read_only(np.arange(128))
    losses, dx = np.empty(128), np.empty((128, 1000), np.float32)
    weights = read_only(np.ones(1000))
    benchmark(cross_entropy, x, labels, weights, smoothing, 0, 128, 128.0, losses, dx)


def test_dense_gradients(benchmark: Benchmark) -> None:
    dz, x, W = (read_only(normal(*shape)) for shape in ((1, F), (1, D), (D, F)))
    dW, dx = np.empty((D, F), np.float32), np.empty((1, D), np.float32)
    benchmark(dense_gradients, dz, x, W, 0, D, dW, dx)


@pytest.mark.parametrize("width", [NARROW, PANEL])
def test_pack_images(benchmark: Benchmark, width: int) -> None:
    panels = np.empty((-(-32 // width), F, width), np.float32)
    benchmark(pack_images, read_only(normal(32, F)), panels)


def test_dense_input_gradient(benchmark: Benchmark) -> None:
    panels, dx = read_only(normal(-(-32 // NARROW), F, NARROW)), np.empty((32, D), np.float32)
    benchmark(dense_input_gradient, panels, read_only(normal(D, F)), 0, D, dx)


# --------------------------------------------------------------------------------------- Winograd

# conv3 of AlexNet: 3 x 3, outputs 13 = 5 + 4 + 4 both ways, 256 channels, a panel of filters.
TILES = (3, 5, 1, 2, 5, 1, 2)
IMAGES, CHANNELS, WIDTH = 4, 256, 4 * LANES
FREQUENCIES, ROWS_OF_TILES = 7 * 7, 3 * 3 * IMAGES
SCRATCH = 7 * (13 * (CHANNELS + WIDTH) + 7 * WIDTH)
SIZE = 13


def test_copy_with_border(benchmark: Benchmark) -> None:
    x, target = (
        read_only(normal(IMAGES * SIZE * SIZE * CHANNELS)),
        np.empty(IMAGES * 15 * 15 * CHANNELS, np.float32),
    )
    image = SIZE, SIZE, CHANNELS
    benchmark(copy_with_border, x, image, 0, IMAGES, (1, 1), (15, 15), CHANNELS, target)


def test_space_to_depth(benchmark: Benchmark) -> None:
    x, y = FeatureMaps.of(normal(IMAGES, 227, 227, 3)), FeatureMaps.zeros((IMAGES, 57, 57, 48))
    benchmark(
        space_to_depth, read_only(x.flat), x.place, (227, 227), 3, 0, IMAGES * 57, (4, 4), (0, 0),
        y.flat, y.place, (57, 57),
    )  # fmt: skip


def test_input_transform(benchmark: Benchmark) -> None:
    x = FeatureMaps.zeros((IMAGES, 15, 15, CHANNELS))
    step = ROWS_OF_TILES * CHANNELS
    V = np.empty(FREQUENCIES * step, np.float32)
    benchmark(
        input_transform, read_only(x.flat), x.start, x.image, x.row, x.column, TILES, IMAGES, CHANNELS,
        0, IMAGES * 3, 0, CHANNELS, V, step, np.empty(SCRATCH, np.float32), False,
    )  # fmt: skip


def test_output_transform(benchmark: Benchmark) -> None:
    y = FeatureMaps.zeros((IMAGES, SIZE, SIZE, WIDTH))
    step = ROWS_OF_TILES * WIDTH
    M, bias = read_only(normal(FREQUENCIES * step)), read_only(normal(WIDTH))
    benchmark(
        output_transform, M, step, TILES, IMAGES, WIDTH, bias, True,
        y.flat, y.start, y.image, y.row, y.column, 0, WIDTH, np.empty(SCRATCH, np.float32),
    )  # fmt: skip


def test_weight_transform(benchmark: Benchmark) -> None:
    W, G = read_only(normal(9 * CHANNELS * WIDTH)), read_only(RNG.standard_normal((7, 3)))
    U = aligned_zeros(FREQUENCIES * CHANNELS * WIDTH)
    strides = 3 * CHANNELS * WIDTH, CHANNELS * WIDTH, WIDTH, 1
    benchmark(weight_transform, W, 0, *strides, CHANNELS, WIDTH, G, G, 0, WIDTH, U, CHANNELS, WIDTH)


def test_output_gradient_transform(benchmark: Benchmark) -> None:
    dz, step = read_only(normal(IMAGES * SIZE * SIZE * CHANNELS)), ROWS_OF_TILES * WIDTH
    Z = aligned_zeros(CHANNELS // WIDTH * FREQUENCIES * step)
    benchmark(
        output_gradient_transform, dz, (SIZE, SIZE, CHANNELS), 0, 0, IMAGES * 3, TILES, IMAGES,
        Z, step, FREQUENCIES * step, WIDTH, CHANNELS, np.empty(SCRATCH, np.float32),
    )  # fmt: skip


def test_stream_frequencies(benchmark: Benchmark) -> None:
    x, step = read_only(normal(FREQUENCIES * WIDTH)), 2 * WIDTH
    benchmark(
        stream_frequencies, x, 0, 7, 7, 7, WIDTH, WIDTH, aligned_zeros(FREQUENCIES * step), 0, step
    )


def test_first_output(benchmark: Benchmark) -> None:
    benchmark(first_output, 2, 5, 1)


def test_tile_number(benchmark: Benchmark) -> None:
    benchmark(tile_number, 2, 2, TILES)


def test_weight_gradient_transform(benchmark: Benchmark) -> None:
    dU = read_only(normal(FREQUENCIES * 64 * WIDTH))
    G, size = read_only(normal(7 * 3)), (3, 64, WIDTH)
    dW, scratch = np.empty(9 * 64 * WIDTH, np.float32), np.empty(10 * 3 * LANES, np.float32)
    benchmark(weight_gradient_transform, dU, 64 * WIDTH, WIDTH, G, G, size, 0, 64, dW, scratch)


# The generated ones, whatever they are by now. Transforms to outputs take vectors, so that Python
# cannot call them: they are part of output_transform.
COLUMNS = 64  # vectors that a transform goes through
DEPTH = 256  # of a product


def transformed() -> tuple[Any, ...]:
    """Source and target of a 1-D transform: step and stride as between two passes in the scratch."""
    source, target = normal(8 * COLUMNS * LANES), np.empty(8 * COLUMNS * LANES, np.float32)
    place = 0, COLUMNS * LANES, LANES
    return read_only(source), *place, target, *place, COLUMNS


@generated(winograd_transforms, "input_")
def test_inputs_to_frequencies(benchmark: Benchmark, kernel: Any) -> None:
    benchmark(kernel, *transformed())


@generated(winograd_transforms, "output_gradient_")
def test_gradients_to_frequencies(benchmark: Benchmark, kernel: Any) -> None:
    size, frequencies = map(int, re.findall(r"\d+", kernel.__name__))
    benchmark(kernel, frequencies - size + 1, *transformed())


@generated(microkernels, "product_")
def test_product(benchmark: Benchmark, kernel: Any) -> None:
    width = int(kernel.__name__[-1]) * LANES
    a, b = read_only(normal(ROWS * DEPTH)), read_only(normal(DEPTH * width))
    c = np.empty(ROWS * width, np.float32)
    benchmark(kernel, ROWS, a, 0, DEPTH, 1, DEPTH, 0, b, 0, width, c, 0, width, False)


@generated(microkernels, "products_")
def test_products(benchmark: Benchmark, kernel: Any) -> None:
    width = int(kernel.__name__[-1]) * LANES
    a, b = read_only(normal(4 * ROWS * DEPTH)), read_only(normal(4 * DEPTH * width))
    c = np.empty(4 * ROWS * width, np.float32)
    jobs = [(ROWS, DEPTH, i * ROWS * DEPTH, i * DEPTH * width, i * ROWS * width) for i in range(4)]
    benchmark(kernel, np.array(jobs), a, DEPTH, 1, b, 0, width, c, width, False)


# ---------------------------------------------------------------------------------- the benchmark's


def test_add_products(benchmark: Benchmark) -> None:
    a, sums = np.full(LANES, 2.0**-12, np.float32), np.zeros(CHAINS * LANES, np.float32)
    benchmark(add_products, 100_000, a, a, sums)


class Recorded:
    """A thousand tasks of next to no work: what a recorded call costs beside its kernel."""

    def __init__(self) -> None:
        recorder = Recorder(LANES, LANES)
        source, result = recorder.given
        maps, cell = FeatureMaps.plain(source, (1, 1, 1, LANES)), (1, 1)

        def task(calls: Calls) -> None:
            calls(
                max_pool, maps.flat, maps.place, cell, 0, 1, cell, cell, (0, 0), cell, LANES,
                result, maps.place, cell,
            )  # fmt: skip

        chain = recorder.chain([[task]])
        recorder.phase([(chain, image) for image in range(1000)])
        self.x, self.y = normal(2, 1000 * LANES)
        slots = np.array([[array.ctypes.data, array.size, LANES] for array in (self.x, self.y)])
        slots = np.concatenate([slots, slots[:, -1:]], axis=1)
        self.counters = np.zeros(COUNTERS, np.int64)
        self.arrays = *recorder.program(1).tables, slots, self.counters
        addresses = [(array.ctypes.data, array.size) for array in self.arrays]
        self.rows = np.array([[0] * OWN + [number for pair in addresses for number in pair]])

    def afresh(self, *arguments: Any) -> Any:
        """What sets a call up: nothing is done yet."""

        def given() -> tuple[tuple[Any, ...], dict[str, Any]]:
            self.counters[:] = 0
            return arguments, {}

        return given


def test_begin(benchmark: Benchmark) -> None:
    recorded = Recorded()
    benchmark(begin, read_only(recorded.x), recorded.y, recorded.rows)


def test_hold_parts(benchmark: Benchmark) -> None:
    recorded = Recorded()
    parts = np.array([[1, 0, 16, 16]] * 8, np.int64)
    benchmark(hold_parts, parts, recorded.rows)


def test_hold(benchmark: Benchmark) -> None:
    recorded = Recorded()
    benchmark(hold, read_only(recorded.x), 0, recorded.rows)


def test_carry_out(benchmark: Benchmark) -> None:
    recorded = Recorded()
    benchmark.pedantic(carry_out, setup=recorded.afresh(*recorded.arrays, 1000, 0), rounds=100)


def test_carry_on(benchmark: Benchmark) -> None:
    recorded = Recorded()
    benchmark.pedantic(carry_on, setup=recorded.afresh(recorded.rows[0], 1000, 0), rounds=100)


def test_run_alone(benchmark: Benchmark) -> None:
    recorded = Recorded()
    benchmark(run_alone, read_only(recorded.x), recorded.y, recorded.rows, 1000, 0)


def test_run_shared(benchmark: Benchmark) -> None:
    """Where nobody looks for work: what the offer costs."""
    recorded, board = Recorded(), np.zeros(LINE, np.int64)
    rows, tickets = np.repeat(recorded.rows, 2, axis=0), np.full(1, FIRST_TICKET)
    benchmark(run_shared, read_only(recorded.x), recorded.y, rows, tickets, board, 1000, 0)


def test_help_carry_out(benchmark: Benchmark) -> None:
    recorded = Recorded()
    given = recorded.rows[0], recorded.rows, recorded.rows, 0
    benchmark.pedantic(help_carry_out, setup=recorded.afresh(*given), rounds=100)


def test_begin_helping(benchmark: Benchmark) -> None:
    benchmark(begin_helping, np.array([1, 0]), 0)


def test_offer(benchmark: Benchmark) -> None:
    benchmark(
        offer, np.zeros((1, OWN), np.int64), np.full(1, FIRST_TICKET), np.zeros(LINE, np.int64)
    )


def test_withdraw(benchmark: Benchmark) -> None:
    benchmark(withdraw, np.zeros(LINE, np.int64), np.zeros((1, OWN), np.int64), False, 0)


def test_look_for_work(benchmark: Benchmark) -> None:
    benchmark(look_for_work, np.zeros(LINE, np.int64), 0, np.array([1]), 0, 0)


def test_wait_for_helpers(benchmark: Benchmark) -> None:
    benchmark(wait_for_helpers, np.array([1, 0]), False, 1000)
