"""The algorithm "winograd" of conv2d: where it applies, what it gives, and what cannot disturb it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from op_checks import assert_same_bits, call_is_polite, results
from strategies import examples
from twins import geometry_of

from tinycnn.errors import ArgumentError
from tinycnn.kernels.jit import numba
from tinycnn.ops import conv2d, conv2d_backward
from tinycnn.ops.convolution.choice import choose, refusal
from tinycnn.runtime.threads import use_threads
from tinycnn.testing.strategies import generators

# Outputs of an axis, by kernel: of 1, and of 5 and a 5-kernel, there is no tiling.
LENGTHS = {3: [2, 3, 4, 5, 7, 9, 13], 5: [3, 4, 6, 7, 9, 13]}


@st.composite
def convolutions(draw):
    """(x's shape, W's shape, y's shape, options) of a convolution that Winograd's algorithm can do.

    All that is drawn must be done: nobody asks the algorithm whether it applies.
    """
    groups = 1
    if draw(st.booleans()):
        stride, channels, groups = (1, 1), st.integers(1, 37), draw(st.sampled_from([1, 1, 2, 3]))
        kernel = (draw(st.sampled_from([3, 5])),) * 2
    else:
        stride, channels = draw(st.tuples(st.integers(1, 4), st.integers(2, 4))), st.integers(1, 4)
        kernel = tuple(draw(st.integers(1, 5 * s)) for s in stride)
    squares = max(-(-k // s) for k, s in zip(kernel, stride, strict=True))
    output = [draw(st.sampled_from(LENGTHS[5 if squares > 3 else 3])) for _ in range(2)]
    size, pads = [], []
    for o, s, k in zip(output, stride, kernel, strict=True):
        seen = (o - 1) * s + k
        before = draw(st.integers(0, min(3, seen - 1)))
        pads.append((before, draw(st.integers(0, min(3, seen - 1 - before)))))
        size.append(seen - sum(pads[-1]) + draw(st.integers(0, s - 1)))
    C, F = draw(channels), groups * draw(st.integers(1, 70) | st.sampled_from([64]))
    options = {"stride": stride, "padding": tuple(pads), "groups": groups}
    shape = (draw(st.integers(0, 3)), *size, C * groups)
    return shape, (*kernel, C, F), (shape[0], *output, F), options


def near(ours, exact, relative=2e-4):
    scale = max(np.abs(exact).max(initial=0), 1)
    np.testing.assert_allclose(ours, exact, atol=relative * scale, rtol=0)


def applies(shape, W_shape, options):
    geometry = geometry_of(shape, W_shape, stride=options["stride"], pads=options["padding"])
    return refusal("winograd", geometry, np.dtype(np.float32)) is None


@examples(150)
@given(convolutions(), st.booleans(), st.sampled_from([None, "relu"]), generators)
def test_it_is_im2col_in_float64(case, bias, activation, rng):
    shape, W_shape, y_shape, options = case
    options = {**options, "activation": activation}
    x = rng.standard_normal(shape).astype(np.float32)
    W = rng.standard_normal(W_shape) / np.sqrt(np.prod(W_shape[:3]))
    W, b = (
        W.astype(np.float32),
        rng.standard_normal(W_shape[3]).astype(np.float32) if bias else None,
    )
    y = conv2d(x, W, b, **options, algorithm="winograd")
    exact = conv2d(np.float64(x), W, b, **options, algorithm="im2col")
    assert (y.dtype, y.shape) == (np.float32, y_shape)
    near(y, exact)
    dy = rng.standard_normal(y_shape).astype(np.float32)
    mask = y if activation else None
    ours = conv2d_backward(dy, x, W, y=mask, **options, algorithm="winograd")
    exact = conv2d_backward(np.float64(dy), x, W, y=mask, **options, algorithm="im2col")
    for mine, theirs in zip(ours, exact, strict=True):
        assert mine.dtype == np.float32
        near(mine, theirs)


def operands(shape=(3, 13, 11, 20), kernel=3, filters=40, seed=0):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((kernel, kernel, shape[3], filters)) / kernel / np.sqrt(shape[3])
    return rng.standard_normal(shape).astype(np.float32), W.astype(np.float32)


def convolve(x, W, **options):
    return conv2d(x, W, np.ones(W.shape[3], np.float32), padding=1, **options, algorithm="winograd")


@pytest.mark.parametrize("images", [1, 2, 5] if numba.config.DISABLE_JIT else [1, 2, 9, 30])
@pytest.mark.parametrize("shape", [(13, 11, 20), (60, 5, 16)])
def test_the_same_bits_for_every_number_of_threads(images, shape):
    """Of few images threads share a block's work, of many each takes blocks."""
    x, W = operands((images, *shape))
    dy = np.random.default_rng(1).standard_normal((images, *shape[:2], 40)).astype(np.float32)

    def call():
        y = convolve(x, W, activation="relu")
        gradients = conv2d_backward(
            dy, x, W, y=y, padding=1, activation="relu", algorithm="winograd"
        )
        return (y, *gradients)

    with use_threads(1):
        expected = call()
    for threads in (1, 2, 3, 8):
        with use_threads(threads):
            assert_same_bits(call(), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_in_one_image_reaches_no_other(value):
    x, W = operands((4, 13, 11, 20))
    y, odd = convolve(x, W), x.copy()
    odd[1, 5, 5, 3] = value
    odd[1, 0, 0] = value
    others = [0, 2, 3]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(convolve(odd, W)[others], y[others])
        dy = np.ones(y.shape, np.float32)
        dx = conv2d_backward(dy, x, W, padding=1, algorithm="winograd")[0]
        dy[1, 7, 7, 2] = value
        changed = conv2d_backward(dy, x, W, padding=1, algorithm="winograd")[0]
    np.testing.assert_array_equal(changed[others], dx[others])


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("kernel", [3, 5])
def test_nan_is_never_hidden(kernel, activation):
    """Each output whose window holds a NaN is NaN; outputs of other tiles keep their bits."""
    x, W = operands((1, 13 + kernel - 1, 27 + kernel - 1, 5), kernel)
    options = {"activation": activation, "algorithm": "winograd"}
    clean = conv2d(x, W, **options)
    for h, w in np.ndindex(4, 4):
        odd = x.copy()
        odd[0, 3 * h, 5 * w, 2] = np.nan
        y = conv2d(odd, W, **options)
        top, left = max(3 * h - kernel + 1, 0), max(5 * w - kernel + 1, 0)
        assert np.isnan(y[0, top : 3 * h + 1, left : 5 * w + 1]).all()
        whole = ~np.isnan(y)
        np.testing.assert_array_equal(y[whole], clean[whole])
        assert whole.sum() >= y.size // 2


def test_large_padding_is_outputs_of_zeros():
    """And the gradient of x then reads a part of dy only: its padding is negative."""
    x, W = operands((2, 3, 4, 16))
    y = conv2d(x, W, padding=12, algorithm="winograd")
    near(y, conv2d(np.float64(x), W, padding=12, algorithm="im2col"))
    np.testing.assert_array_equal(y[:, :6], 0)  # no tile of these sees x
    dy = np.random.default_rng(2).standard_normal(y.shape).astype(np.float32)
    ours = conv2d_backward(dy, x, W, padding=12, algorithm="winograd")
    exact = conv2d_backward(np.float64(dy), x, W, padding=12, algorithm="im2col")
    for mine, theirs in zip(ours, exact, strict=True):
        near(mine, theirs)


def test_it_is_polite():
    x, W = operands((2, 7, 6, 5), filters=7)
    dy = np.ones((2, 7, 6, 7), np.float32)
    call_is_polite(lambda x, W: conv2d(x, W, padding=1, algorithm="winograd"), x, W)
    call_is_polite(
        lambda dy, x, W: conv2d_backward(dy, x, W, padding=1, algorithm="winograd"), dy, x, W
    )


def test_no_images():
    x, W = operands((0, 7, 6, 5), filters=7)
    y = convolve(x, W)
    assert y.shape == (0, 7, 6, 7)
    gradients = conv2d_backward(y, x, W, padding=1, algorithm="winograd")
    assert [array.shape for array in results(gradients)] == [x.shape, W.shape, (7,)]
    assert not any(array.any() for array in gradients)


REFUSED = [
    ((2, 9, 9, 4), (3, 3, 4, 2), {"dtype": np.float64}, "works in float32.* in float64"),
    (
        (2, 9, 9, 4),
        (3, 3, 2, 2),
        {"groups": 2, "stride": 2},
        "no groups where it is strided, got 2",
    ),
    ((2, 9, 9, 4), (3, 3, 4, 2), {"dilation": 2}, r"takes no dilation, got \(2, 2\)"),
    ((2, 9, 9, 4), (7, 7, 4, 2), {}, "takes kernels 2 x 2, 3 x 3 and 5 x 5, got 7 x 7"),
    ((2, 9, 9, 4), (3, 5, 4, 2), {}, "takes kernels 2 x 2, 3 x 3 and 5 x 5, got 3 x 5"),
    ((2, 30, 30, 4), (11, 11, 4, 2), {"stride": 2}, r"kernels of up to 5 strides, got \(11, 11\)"),
    ((2, 3, 9, 4), (3, 3, 4, 2), {}, "tiles do not fit an output of 1 x 7"),
    ((2, 9, 9, 4), (5, 5, 4, 2), {}, "tiles do not fit an output of 5 x 5"),
]


@pytest.mark.parametrize(("shape", "W_shape", "options", "words"), REFUSED)
def test_where_it_does_not_apply_it_says_why(shape, W_shape, options, words):
    options = dict(options)
    dtype = options.pop("dtype", np.float32)
    x, W = np.ones(shape, dtype), np.ones(W_shape, dtype)
    with pytest.raises(ArgumentError, match=f'"winograd" does not apply: .*{words}') as caught:
        conv2d(x, W, **options, algorithm="winograd")
    assert 'algorithm="auto" takes another there' in str(caught.value)
    conv2d(x, W, **options, algorithm="auto")


AUTO = [
    # AlexNet's five, then VGG-16's first two
    ((8, 227, 227, 3), (11, 11, 3, 96), {"stride": 4}, "winograd"),
    ((8, 27, 27, 96), (5, 5, 96, 256), {"padding": 2}, "winograd"),
    ((8, 13, 13, 256), (3, 3, 256, 384), {"padding": 1}, "winograd"),
    ((2, 13, 13, 384), (3, 3, 384, 384), {"padding": 1}, "winograd"),
    ((8, 13, 13, 384), (3, 3, 384, 256), {"padding": 1}, "winograd"),
    ((8, 224, 224, 3), (3, 3, 3, 64), {"padding": 1}, "direct"),
    ((8, 224, 224, 64), (3, 3, 64, 64), {"padding": 1}, "winograd"),
    # what has little to gain, or nothing
    ((8, 13, 13, 2), (3, 3, 2, 4), {}, "direct"),
    ((8, 56, 56, 64), (1, 1, 64, 64), {}, "direct"),
    ((8, 7, 7, 64), (1, 1, 64, 64), {}, "direct"),
    ((8, 13, 13, 64), (3, 3, 1, 64), {"groups": 64}, "grouped"),
]


@pytest.mark.parametrize(("shape", "W_shape", "options", "algorithm"), AUTO)
def test_auto_takes_what_pays(shape, W_shape, options, algorithm):
    stride, padding = (options.get(name, least) for name, least in (("stride", 1), ("padding", 0)))
    geometry = geometry_of(
        shape, W_shape, stride=(stride,) * 2, pads=((padding,) * 2,) * 2,
        groups=options.get("groups", 1),
    )  # fmt: skip
    assert choose("auto", geometry, np.dtype(np.float32)).name == algorithm
    in_float64 = "grouped" if algorithm == "grouped" else "im2col"
    assert choose("auto", geometry, np.dtype(np.float64)).name == in_float64


@pytest.mark.parametrize(("images", "H", "C"), [(1, 13, 384), (1, 8, 128)])
def test_of_few_images_transformed_weights_must_serve_many_calls(images, H, C):
    geometry = geometry_of((images, H, H, C), (3, 3, C, C), pads=((1, 1),) * 2)
    assert choose("auto", geometry, np.dtype(np.float32)).name == "direct"
    assert choose("auto", geometry, np.dtype(np.float32), packed=True).name == "winograd"
