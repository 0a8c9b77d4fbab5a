"""Whole numbers beyond reason give the right result at once, or an error in words: no wait, no traceback."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

import tinycnn as tc
from tinycnn import ops
from tinycnn.errors import ShapeError, TinyCNNError, TooLargeError
from tinycnn.layers import AveragePool2D, Conv2D, Dense, LocalResponseNorm, MaxPool2D
from tinycnn.shapes import pool_window

HUGE = [2**31 - 1, 2**31, 2**63 - 1, 2**63, 2**80, 10**400]
X = np.arange(90, dtype=np.float32).reshape(1, 5, 6, 3) / 90
W, ONE = np.ones((3, 3, 3, 2), np.float32), np.ones((1, 1, 3, 2), np.float32)
DY = np.ones((1, 1, 1, 3), np.float32)
WON = np.zeros((1, 1, 1, 3), np.uint8)


def predict(layer, shape=(5, 6, 3)):
    return tc.Sequential([layer], shape).predict(X)


def ahead(number):
    """Padding ahead of an image's columns."""
    return (0, 0), (number // 2, number // 2)


CALLS = {
    "kernel": lambda n: (ops.max_pool2d(X, n), ops.avg_pool2d(X, n), ops.im2col(X, n)),
    "stride": lambda n: ops.conv2d(X, W, stride=n),
    "stride of one axis": lambda n: ops.conv2d(X, W, stride=(n, 1), algorithm="winograd"),
    "far windows": lambda n: ops.conv2d(X, ONE, stride=(1, n // 8), padding=ahead(n)),
    "far windows, direct": lambda n: ops.conv2d(X, ONE, stride=n, padding=n, algorithm="direct"),
    "far windows, winograd": lambda n: ops.conv2d(
        X, ONE, stride=n, padding=n, algorithm="winograd"
    ),
    "far windows of a layer": lambda n: predict(Conv2D(4, 1, stride=(1, n), padding=ahead(n))),
    "dilation, direct": lambda n: ops.conv2d(
        X, W, dilation=n // 2, padding=n // 2, algorithm="direct"
    ),
    "gradients of far windows": lambda n: ops.conv2d_backward(
        np.ones((1, 3, 3, 2), np.float32), X, ONE, stride=n, padding=n, algorithm="direct"
    ),
    "gradients of far cells": lambda n: ops.conv2d_backward(
        np.ones((1, 5, 6, 2), np.float32), X, W, dilation=n, padding=n, algorithm="direct"
    ),
    "padding": lambda n: ops.conv2d(X, W, padding=n),
    "padding of a layer": lambda n: predict(Conv2D(4, 3, padding=n)),
    "padding of a pool": lambda n: ops.max_pool2d(X, 2, padding=n),
    "padding of columns": lambda n: ops.im2col(X, 2, padding=n),
    "dilation": lambda n: ops.conv2d(X, W, dilation=n // 2, padding=n // 2),
    "dilation of a pool": lambda n: ops.max_pool2d(X, 3, dilation=n, padding=n, stride=1),
    "groups": lambda n: ops.conv2d(X, W, groups=n),
    "kernel and padding": lambda n: ops.max_pool2d(X, n, padding=n // 2),
    "kernel, padding, stride 1": lambda n: predict(MaxPool2D(n // 2 + 1, stride=1, padding=n // 2)),
    "average of a kernel and padding": lambda n: predict(AveragePool2D(n, padding=n // 2)),
    "x_shape": lambda n: ops.max_pool2d_backward(DY, WON, (1, n, n, 3), n),
    "x_shape of an average": lambda n: ops.avg_pool2d_backward(DY, (1, n, n, 3), n),
    "x_shape of columns": lambda n: ops.col2im(np.ones((1, 3)), (1, n, n, 3), 1, stride=n),
    "LRN": lambda n: predict(LocalResponseNorm(size=n | 1)),
    "rate": lambda n: ops.dropout(X, n, 0),
    "alpha": lambda n: ops.local_response_norm(X, k=n),
    "first_sample": lambda n: ops.dropout(X, 0.5, 0, first_sample=n),
    "axis": lambda n: ops.softmax(X, n),
    "batch_size": lambda n: tc.Sequential([Dense(2)], (5, 6, 3)).predict(X, n),
    "units": lambda n: tc.Sequential([Dense(n)], (4,)).parameters(),
    "units in a table": lambda n: str(tc.Sequential([Dense(n)], (4,)).summary()),
    "filters": lambda n: predict(Conv2D(n, 3)),
    "input_shape": lambda n: tc.Sequential([Dense(2)], (n, n, 3)).parameters(),
    "classes": lambda n: tc.alexnet(n, variant="mini").parameters(),
    "rng": lambda n: ops.dropout(X, 0.5, n),
    "learning rate": lambda n: tc.optimizers.SGD(tc.Sequential([Dense(2)], (4,)), rate=n),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_each_argument(call):
    for number in HUGE:
        with suppress(TinyCNNError):
            call(number)


@pytest.mark.parametrize("option", ["stride", "dilation"])
def test_gradients_of_windows_far_apart_make_no_map_of_what_lies_between(option):
    weights = ONE if option == "stride" else W
    given = {"padding": 100_000, option: 100_000}
    dy = np.ones_like(ops.conv2d(X, weights, **given, algorithm="reference"))
    found, exact = (
        ops.conv2d_backward(dy, X, weights, **given, algorithm=algorithm)
        for algorithm in ("direct", "reference")
    )
    for mine, expected in zip(found, exact, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-5)


def test_an_array_that_no_machine_holds_is_named():
    message = r"an array of shape \(1, 4294967297, 4294967298, 2\) takes [\d,]+ GB, more than there"
    for algorithm in ("auto", "im2col", "direct", "winograd", "reference"):
        with pytest.raises(TooLargeError, match=message) as caught:
            ops.conv2d(X, W, padding=2**31 - 1, algorithm=algorithm)
        assert isinstance(caught.value, MemoryError)


def test_far_windows_are_right_without_the_map_between():
    """Nine outputs in a row, 2**28 cells apart; the fifth window's pad_top_left is the image's."""
    far = 2**28
    y = ops.conv2d(X, ONE, stride=(1, far), padding=((0, 0), (4 * far, 4 * far)))
    expected = np.zeros((1, 5, 9, 2), np.float32)
    expected[0, :, 4] = X[0, :, 0].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.parametrize("over", [False, True])
def test_normalisation_reaches_no_further_than_the_channels_go(over):
    """With every channel in every neighbourhood, s = k + a * sum(x**2) is the same for all channels."""
    options = {"alpha": 3.0, "alpha_over_size": over}
    x = np.float64(X)
    for size in (5, 7, 10**7 + 1, 2**31 - 1):
        a = 3.0 / size if over else 3.0
        s = 2 + a * (x**2).sum(axis=3, keepdims=True)
        y = ops.local_response_norm(x, size=size, **options)
        np.testing.assert_allclose(y, x * s**-0.75, rtol=1e-12)
        dx = ops.local_response_norm_backward(np.ones_like(x), x, size=size, **options)
        shared = (x * s**-1.75).sum(axis=3, keepdims=True)
        np.testing.assert_allclose(dx, s**-0.75 - 1.5 * a * x * shared, rtol=1e-12)


@examples(300)
@given(*[st.integers(1, n) for n in (9, 6, 5, 9)], st.integers(0, 30), st.integers(0, 9))
def test_windows_in_the_padding_are_found_without_looking_at_each(
    length, kernel, stride, dilation, before, after
):
    options = {
        "stride": (stride, 1),
        "dilation": (dilation, 1),
        "padding": ((before, after), (0, 0)),
    }
    room = length + before + after - dilation * (kernel - 1) - 1
    sees = [
        any(0 <= o * stride - before + i * dilation < length for i in range(kernel))
        for o in range(room // stride + 1)
    ]
    if room >= 0 and all(sees):
        assert pool_window((length, 1), (kernel, 1), **options).output == (len(sees), 1)
        return
    with pytest.raises(ShapeError):
        pool_window((length, 1), (kernel, 1), **options)
