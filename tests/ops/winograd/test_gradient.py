"""The weights' gradient by Winograd's algorithm, against the twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import call_is_repeatable
from twins import convolution_gradients

from tinycnn.ops import bias, conv2d_backward
from tinycnn.ops.convolution.winograd import gradient, operation
from tinycnn.testing.strategies import generators

# Of the largest sum of magnitudes |x| |dz| that any weight's gradient has.
BOUND = 1e-5


def check(N, size, C, F, k, stride, padding, rng, mean=0.0, scales=1.0):
    H, W = size
    OH, OW = ((side + 2 * padding - k) // stride + 1 for side in size)
    x = (rng.standard_normal((N, H, W, C)) * scales + mean).astype(np.float32)
    dy, y = rng.standard_normal((2, N, OH, OW, F), dtype=np.float32)
    out = np.full((k, k, C, F), 77, np.float32), np.full(F, 77, np.float32)
    conv2d_backward(
        dy, x, out[0].copy(), stride=stride, padding=padding, activation="relu", y=y,
        algorithm="winograd", need_dx=False, out=out,
    )  # fmt: skip
    dz, options = np.where(y <= 0, 0, dy), {"stride": (stride,) * 2, "pads": ((padding,) * 2,) * 2}
    _, dW, db = convolution_gradients(dz, x, out[0], **options)
    _, sizes, _ = convolution_gradients(np.abs(dz), np.abs(x), out[0], **options)
    assert np.abs(out[0] - dW).max() <= BOUND * sizes.max()
    np.testing.assert_allclose(out[1], db, rtol=1e-5, atol=1e-5 * np.sqrt(dy.size))


# Outputs of an axis: beyond those too few for a tile, only 5 of a 5-kernel have no tiling.
OUTPUTS = {3: st.integers(3, 19), 5: st.integers(3, 17).filter(lambda length: length != 5)}


@settings(max_examples=25)
@given(
    st.integers(1, 5), st.sampled_from([1, 5, 16, 50, 100]), st.sampled_from([1, 15, 16, 40, 70]),
    st.sampled_from([3, 5]), st.integers(0, 2), st.data(), generators,
)  # fmt: skip
def test_the_gradient_is_that_of_the_formula(N, C, F, k, padding, data, rng):
    """Of every convolution drawn, for all can be done."""
    outputs = data.draw(st.tuples(OUTPUTS[k], OUTPUTS[k]))
    size = tuple(length + k - 1 - 2 * padding for length in outputs)
    check(N, size, C, F, k, 1, padding, rng)


@settings(max_examples=10)
@given(
    st.integers(1, 3), st.integers(30, 40), st.integers(1, 4), st.sampled_from([(11, 4), (7, 2)]),
    st.integers(0, 2), generators,
)  # fmt: skip
def test_strided_kernels_of_few_channels(N, H, C, kernel, padding, rng):
    check(N, (H, H + 3), C, 20, *kernel, padding, rng)


def test_large_means_and_mixed_scales():
    rng = np.random.default_rng(0)
    check(4, (13, 13), 20, 30, 3, 1, 1, rng, mean=1e4)
    check(4, (13, 13), 20, 30, 5, 1, 2, rng, scales=10.0 ** rng.integers(-6, 6, 20))


@pytest.fixture
def planned_anew(monkeypatch):
    """What is kept of sizes is worked out with the constants of this test, and for this test alone."""

    def forget():
        gradient._jobs.cache_clear()
        operation._recorded_weight_gradient.cache_clear()

    forget()
    yield monkeypatch
    forget()


def test_groups_of_images_and_parts_of_their_rows_add_up(planned_anew):
    planned_anew.setattr(gradient, "_GROUP_BYTES", 1 << 19)
    planned_anew.setattr(gradient, "_DEPTH", 10)
    check(7, (13, 13), 20, 30, 3, 1, 1, np.random.default_rng(0))


def test_no_image_gives_zeros():
    shape = (3, 3, 4, 5)
    _, dW, db = conv2d_backward(
        np.empty((0, 6, 6, 5), "f4"), np.empty((0, 8, 8, 4), "f4"), np.ones(shape, "f4"),
        algorithm="winograd",
    )  # fmt: skip
    np.testing.assert_array_equal(dW, np.zeros(shape))
    np.testing.assert_array_equal(db, np.zeros(5))


@pytest.mark.parametrize("k", [3, 5])
def test_the_same_bits_for_every_thread_count_and_run(planned_anew, k):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 13, 14, 40), dtype=np.float32)
    W = rng.standard_normal((k, k, 40, 80), dtype=np.float32)
    dy, y = rng.standard_normal((2, 6, 13, 14, 80), dtype=np.float32)
    planned_anew.setattr(gradient, "_GROUP_BYTES", 3 << 20)
    planned_anew.setattr(gradient, "_CHANNELS", 8)
    planned_anew.setattr(gradient, "_DEPTH", 20)
    planned_anew.setattr(bias, "_CELLS", 1 << 12)

    def call():
        return conv2d_backward(
            dy, x, W, padding=k // 2, activation="relu", y=y, algorithm="winograd", need_dx=False
        )

    call_is_repeatable(planned_anew, call)
