"""Kernels called on ranges of their rows, by any number of threads, against their twins called once."""

import numpy as np
import pytest
from twins import error

from tinycnn import use_threads
from tinycnn.arrays import read_only
from tinycnn.kernels import reference
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.range_callers import RANGE_CALLERS
from tinycnn.runtime.by_ranges import by_ranges, cut

ROWS, C = 37, 5
PARTS = len(cut(ROWS, 1))
WINDOWS = (3, 2), (2, 2), (1, 0)  # kernel, stride, padding: of 6 x 5 cells, 3 x 2 windows
APART = (2, 2), (2, 2), (0, 0)


def normal(*shape):
    return np.random.default_rng(len(shape) + shape[0]).standard_normal(shape).astype(np.float32)


def doubles(*shape):
    return np.random.default_rng(shape[0]).random(shape)


def room(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


def argmax(*shape):
    """Places in windows of four cells that lie inside the image."""
    return np.random.default_rng(7).integers(2, 4, shape).astype(np.uint8)


# By name: how many rows, what comes before and after the range.
CALLS = {
    "relu": (150, (normal(150),), (room(150),)),
    "relu_backward": (150, (normal(150), normal(150)[::-1].copy()), (room(150),)),
    "softmax_backward": (30, (normal(150), normal(150)[::-1].copy()), (5, room(150))),
    "moments_of_rows": (ROWS, (normal(ROWS, C),), (room(PARTS, 3, C, dtype=np.float64),)),
    "add_gradients": (
        ROWS,
        (normal(ROWS, C), normal(ROWS, C) + 1, doubles(C)),
        (room(PARTS, 2, C, dtype=np.float64),),
    ),
    "scale_deviations": (
        ROWS, (normal(ROWS, C), doubles(C), doubles(C), normal(C)), (room(ROWS, C),),
    ),
    "scale_deviations_backward": (
        ROWS, (normal(ROWS, C), normal(ROWS, C) + 1, *doubles(4, C)), (room(ROWS, C),),
    ),
    "dense_product": (
        ROWS, (normal(ROWS, 7), normal(7, C), normal(C), True), (0, C, room(ROWS, C)),
    ),
    "dense_weight_gradient": (ROWS, (normal(7, ROWS), normal(1, 7, PANEL)), (room(ROWS, C),)),
    "pack_weights": (5, (normal(7, 4 * PANEL + 3),), (room(5, 7, PANEL),)),
    "avg_pool_rows": (27, (normal(9, 6, 5, C),), (*WINDOWS, (7, 5), False, room(9, 3, 2, C))),
    "avg_pool_rows_backward": (
        54, (normal(9, 3, 2, C),), (*WINDOWS, (7, 5), True, room(9, 6, 5, C)),
    ),
    "max_pool_argmax": (
        27,
        (normal(9, 6, 5, C),),
        (*WINDOWS, (1, 1), room(9, 3, 2, C), room(9, 3, 2, C, dtype=np.uint8)),
    ),
    "max_pool_argmax_backward": (
        54, (normal(9, 3, 2, 16), argmax(9, 3, 2, 16)), (*WINDOWS, False, room(9, 6, 5, 16)),
    ),
    "max_pool_disjoint_backward": (
        54, (normal(9, 3, 2, C), argmax(9, 3, 2, C)), (*APART, False, room(9, 6, 5, C)),
    ),
    "max_pool2d_backward": (
        9, (normal(9, 3, 2, C), argmax(9, 3, 2, C)), (*WINDOWS, (1, 1), room(9, 6, 5, C)),
    ),
}  # fmt: skip


def test_each_caller_is_tried():
    assert set(CALLS) == {kernel.__name__ for kernel in RANGE_CALLERS}


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("kernel", RANGE_CALLERS, ids=lambda kernel: kernel.__name__)
def test_all_ranges_together_are_the_twin(kernel, threads):
    total, before, after = CALLS[kernel.__name__]
    found = [np.copy(a) if isinstance(a, np.ndarray) else a for a in after]
    expected = [np.copy(a) if isinstance(a, np.ndarray) else a for a in after]
    for part in cut(total, 1):
        getattr(reference, kernel.__name__)(*before, *part, *expected)
    given = tuple(read_only(a) if isinstance(a, np.ndarray) else a for a in before)
    with use_threads(threads):
        for _ in range(3):
            by_ranges(kernel, total, 1, given, tuple(found))
            if kernel.__name__ == "add_gradients":
                break  # it adds to what is there
    for mine, theirs in zip(found, expected, strict=True):
        assert error(mine, theirs) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_rows_and_none(dtype):
    (kernel,) = (kernel for kernel in RANGE_CALLERS if kernel.__name__ == "relu")
    x, y = read_only(np.array([-1, 2, -3, 4, 5], dtype)), np.full(5, 77, dtype)
    by_ranges(kernel, 0, 9, (x,), (y,))
    assert (y == 77).all()
    for size in (9, 1, 0):
        y[:] = 77
        by_ranges(kernel, 5, size, (x,), (y,))
        assert y.tolist() == [0, 2, 0, 4, 5]


def test_other_sizes_are_recorded_anew():
    (kernel,) = (kernel for kernel in RANGE_CALLERS if kernel.__name__ == "scale_deviations")
    for rows, channels in ((9, 4), (12, 3), (4, 9), (9, 4)):
        x, y, ones = normal(rows, channels), room(rows, channels), np.ones(channels)
        by_ranges(kernel, rows, 1, (read_only(x), ones, 2 * ones, 3 * np.float32(ones)), (y,))
        np.testing.assert_allclose(y, (x - 1) * 2 + 3, rtol=1e-5, atol=1e-5)
