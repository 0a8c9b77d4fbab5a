"""One Winograd convolution: any cut into blocks, parts and panels gives the same bits."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from twins import convolved

from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.tiling import tiling
from tinycnn.runtime.calls import AT_ONCE
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.testing.layouts import laid_out
from tinycnn.testing.strategies import generators


@st.composite
def cases(draw):
    """(conv, images): maps of a few tiles, channels and filters of any number, a border of any width."""
    kernel = draw(st.sampled_from([3, 5]))
    lengths = st.sampled_from([2, 3, 4, 5, 7, 9, 13] if kernel == 3 else [3, 4, 6, 7, 10])
    largest = st.sampled_from([None, 3] if kernel == 3 else [None])
    rows, columns = (tiling(draw(lengths), kernel, largest=draw(largest)) for _ in range(2))
    C, F = draw(st.integers(1, 2 * LANES + 1)), draw(st.integers(1, 5 * LANES + 1))
    pad_top_left = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    return WinogradConvolution(C, F, rows, columns, pad_top_left), draw(st.integers(0, 3))


def operands(conv, images, rng):
    """Maps with a border of ``pad_top_left`` on all sides, weights, bias."""
    k, (top, left) = conv.rows.kernel, conv.pad_top_left
    H, W = conv.rows.length + k - 1, conv.columns.length + k - 1
    source = FeatureMaps.zeros((images, H, W, conv.C), ((top, 0), (left, 0)))
    source.view()[...] = rng.standard_normal(source.shape)
    weights = rng.standard_normal((k, k, conv.C, conv.F)).astype(np.float32)
    return source, weights, rng.standard_normal(conv.F).astype(np.float32)


def empty(conv, images):
    """Outputs, with a cell between any two images that nobody may write to."""
    shape = (images, conv.rows.length, conv.columns.length, conv.F)
    maps = FeatureMaps.zeros(shape, ((1, 1), (1, 1)))
    maps.flat[...] = 77
    return maps


def only_outputs_written(maps):
    maps.view()[...] = 77
    return (maps.flat == 77).all()


@examples(80)
@given(cases(), st.booleans(), generators)
def test_a_block_is_the_formula(case, relu, rng):
    conv, images = case
    source, W, bias = operands(conv, images, rng)
    target = empty(conv, images)
    conv.block(AT_ONCE, source, conv.pack(W, bias), target, relu=relu)
    (top, left), (H, W_in) = conv.pad_top_left, source.shape[1:3]
    x = source.view()[:, : H - top, : W_in - left]
    expected = convolved(x, W, bias, relu=relu, pads=((top, 0), (left, 0)))
    scale = max(np.abs(expected).max(initial=0), 1)
    np.testing.assert_allclose(target.view(), expected, atol=1e-4 * scale, rtol=0)
    assert only_outputs_written(target)


@examples(60)
@given(cases(), st.data(), generators)
def test_every_cut_gives_the_same_bits(case, data, rng):
    """Into images, rows of tiles, parts of the transform, and panels."""
    conv, images = case
    source, W, bias = operands(conv, images, rng)
    packed, whole, cut = conv.pack(W, bias), empty(conv, images), empty(conv, images)
    conv.block(AT_ONCE, source, packed, whole, relu=True)
    row = data.draw(st.integers(0, conv.rows.count))
    parts, panel = data.draw(st.integers(1, 4)), data.draw(st.integers(0, conv.panels))
    for n in range(images):
        one, target = source.select(n, n + 1), cut.select(n, n + 1)
        for tile_rows in ((0, row), (row, conv.rows.count)):
            V = np.full(conv.v_size(1, tile_rows), np.nan, np.float32)
            for part in range(parts):
                conv.transform(AT_ONCE, one, tile_rows, V, part, parts)
            for panels in ((panel, conv.panels), (0, panel)):
                conv.multiply(AT_ONCE, V, packed, target, tile_rows, panels, relu=True)
    np.testing.assert_array_equal(cut.flat, whole.flat)


@examples(30)
@given(cases(), generators)
def test_turned_weights_are_those_of_the_turned_kernel(case, rng):
    conv, _ = case
    k = conv.rows.kernel
    W = rng.standard_normal((k, k, conv.F, conv.C)).astype(np.float32)
    turned = np.ascontiguousarray(W[::-1, ::-1].transpose(0, 1, 3, 2))
    np.testing.assert_array_equal(conv.pack(W, None, rotated180=True).U, conv.pack(turned, None).U)


@examples(40)
@given(cases(), st.sampled_from(["Fortran", "transposed", "reversed", "spread"]), generators)
def test_weights_may_lie_in_memory_as_they_like(case, layout, rng):
    conv, _ = case
    k = conv.rows.kernel
    W = rng.standard_normal((k, k, conv.C, conv.F)).astype(np.float32)
    np.testing.assert_array_equal(conv.pack(laid_out(W, layout), None).U, conv.pack(W, None).U)


CHECK = """
import numpy as np
from tinycnn.runtime.calls import AT_ONCE
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.tiling import tiling
assert LANES == {lanes}
rng = np.random.default_rng(0)
conv = WinogradConvolution(21, 75, tiling(13, 3), tiling(7, 3), (1, 1))
source = FeatureMaps.zeros((3, 13, 7, 21), ((1, 1), (1, 1)))
source.view()[...] = rng.standard_normal(source.shape)
W = rng.standard_normal((3, 3, 21, 75)).astype(np.float32)
y = np.empty((3, 13, 7, 75), np.float32)
conv.block(AT_ONCE, source, conv.pack(W, None), FeatureMaps.of(y), relu=True)
print(hash(y.tobytes()))
"""


@pytest.mark.slow
def test_every_number_of_lanes_gives_the_same_bits():
    printed = set()
    for lanes in (4, 8, 16):
        done = subprocess.run(
            [sys.executable, "-c", CHECK.format(lanes=lanes)],
            env={**os.environ, "TINYCNN_LANES": str(lanes), "PYTHONHASHSEED": "0"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        printed.add(done.stdout)
    assert len(printed) == 1


@pytest.mark.slow
@pytest.mark.parametrize("lanes", sorted({4, 8, 16} - {LANES}))
def test_the_kernels_tests_pass_with_any_other_number_of_lanes(lanes):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "tests/kernels", "tests/ops/winograd/test_generated_kernels.py", __file__],
        env={**os.environ, "TINYCNN_LANES": str(lanes)},
        cwd=__file__.rpartition("/tests/")[0], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
