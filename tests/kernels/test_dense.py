import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.dense import (
    dense_input_gradient,
    dense_product,
    dense_weight_gradient,
    pack_images,
    pack_weights,
)
from tinycnn.kernels.packed_dense import WORTH_PACKING, dense
from tinycnn.kernels.panels import NARROW, PANEL
from tinycnn.runtime.feature_maps import aligned_zeros
from tinycnn.testing.strategies import generators

columns = st.one_of(st.integers(1, 5), st.integers(PANEL - 2, PANEL + 2), st.just(2 * PANEL))


@settings(max_examples=50)
@given(st.integers(1, 9), columns, generators, st.data())
def test_pack_weights_is_its_twin(K, F, rng, data):
    count = -(-F // PANEL)
    first, last = data.draw(ranges(count))
    W, panels = whole(rng, (K, F), np.float32), np.full((count, K, PANEL), 77, np.float32)
    against_twin(pack_weights, read_only(W), first, last, panels)


@settings(max_examples=50)
@given(
    st.integers(0, 2 * WORTH_PACKING + 9), st.sampled_from([1, 2, 7, 128, 129, 300, 513]), columns,
    generators, st.booleans(), st.booleans(), st.data(),
)  # fmt: skip
def test_dense_is_its_twin(N, K, F, rng, relu, as_it_lies, data):
    count = -(-F // PANEL)
    rows = data.draw(st.one_of(st.just((0, N)), ranges(N)))
    panels = data.draw(st.one_of(st.just((0, count)), ranges(count)))
    chosen = [min(panel * PANEL, F) for panel in panels]
    x, bias = whole(rng, N * K, np.float32), whole(rng, F, np.float32)
    panels = whole(rng, (K, F) if as_it_lies else (count, K, PANEL), np.float32)
    y, row = np.full(N * F, 77, np.float32), F if as_it_lies else PANEL
    against_twin(
        dense, read_only(x), K, *rows, read_only(panels), row, read_only(bias), relu, *chosen, y, F
    )


@pytest.mark.parametrize("rows", [4, WORTH_PACKING + 9])
@pytest.mark.parametrize("F", [3, 3 * PANEL, 3 * PANEL - 9])
def test_packed_weights_and_weights_as_they_lie_give_the_same_bits(rows, F):
    rng, K, count = np.random.default_rng(0), 540, -(-F // PANEL)
    x, W, bias = (
        read_only(rng.standard_normal(shape, np.float32)) for shape in (rows * K, (K, F), F)
    )
    panels = np.empty((count, K, PANEL), np.float32)
    pack_weights(W, 0, count, panels)
    ours, packed = np.empty((2, rows * F), np.float32)
    dense(x, K, 0, rows, read_only(panels), PANEL, bias, True, 0, F, packed, F)
    dense(x, K, 0, rows, W, F, bias, True, 0, F, ours, F)
    np.testing.assert_array_equal(ours, packed)


# ------------------------------------------------------------------------------- weights as they lie

batches = st.integers(0, 14) | st.sampled_from([NARROW, NARROW + 1, PANEL + 3])
inputs = st.integers(1, 9) | st.sampled_from([47, 48, 49, 63, 64, 65, 97])
widths = st.integers(1, 5) | st.sampled_from([PANEL - 1, PANEL, PANEL + 3, 2 * PANEL])


def part(data, total, step=1):
    """A range within range(total) whose ends are multiples of ``step``, or the total."""
    ends = st.integers(0, -(-total // step)).map(lambda end: min(end * step, total))
    first, last = data.draw(ends), data.draw(ends | st.just(total))
    return min(first, last), max(first, last)


def given_as(rng, *shape):
    """What an op hands over: float32, not to be written to."""
    return read_only(whole(rng, shape, np.float32))


@settings(max_examples=30)
@given(batches, inputs, widths, generators, st.data())
def test_dense_product_is_its_twin(N, D, F, rng, data):
    y = np.full((N, F), 77, np.float32)
    bounds, bias = (*part(data, N), *part(data, F, PANEL)), data.draw(st.sampled_from([0, F]))
    given = given_as(rng, N, D), given_as(rng, D, F), given_as(rng, bias), data.draw(st.booleans())
    against_twin(dense_product, *given, *bounds, y)


@settings(max_examples=30)
@given(batches, inputs, widths, generators, st.data())
def test_dense_weight_gradient_is_its_twin(N, D, F, rng, data):
    panels = given_as(rng, -(-F // PANEL), N, PANEL)
    dW = np.full((D, F), 77, np.float32)
    against_twin(dense_weight_gradient, given_as(rng, N, D), panels, *part(data, D), dW)


@settings(max_examples=20)
@given(batches, inputs, widths, st.integers(0, 4), generators)
def test_dense_weight_gradient_begins_anywhere(N, D, F, offset, rng):
    """At a cache line it is streamed, elsewhere it is not: the same numbers, and none beside them."""
    x, dz = given_as(rng, N, D), given_as(rng, N, F)
    panels = np.empty((-(-F // PANEL), N, PANEL), np.float32)
    pack_weights(dz, 0, len(panels), panels)
    memory = aligned_zeros(D * F + 5)
    dense_weight_gradient(x, read_only(panels), 0, D, memory[offset : offset + D * F].reshape(D, F))
    expected = np.zeros(D * F + 5)
    expected[offset : offset + D * F] = (x.T.astype(float) @ dz).ravel()
    np.testing.assert_array_equal(memory, expected)


@settings(max_examples=30)
@given(batches, widths, st.sampled_from([NARROW, PANEL]), generators)
def test_pack_images_is_its_twin(N, F, width, rng):
    panels = np.full((-(-N // width), F, width), 77, np.float32)
    against_twin(pack_images, given_as(rng, N, F), panels)


@settings(max_examples=30)
@given(
    batches, inputs, st.integers(1, 9) | st.sampled_from([255, 257]),
    st.sampled_from([NARROW, PANEL]), generators, st.data(),
)  # fmt: skip
def test_dense_input_gradient_is_its_twin(N, D, F, width, rng, data):
    panels, dx = given_as(rng, -(-N // width), F, width), np.full((N, D), 77, np.float32)
    against_twin(dense_input_gradient, panels, given_as(rng, D, F), *part(data, D), dx)


@settings(max_examples=25)
@given(st.integers(1, 40), inputs, widths, generators)
def test_the_gradients_are_adjoints_of_the_product(N, D, F, rng):
    x, W, dz = given_as(rng, N, D), given_as(rng, D, F), given_as(rng, N, F)
    y, dW, dx = np.empty_like(dz), np.empty_like(W), np.empty_like(x)
    panels = np.empty((-(-F // PANEL), N, PANEL), np.float32)
    turned = np.empty((-(-N // NARROW), F, NARROW), np.float32)
    dense_product(x, W, read_only(np.empty(0, np.float32)), False, 0, len(x), 0, F, y)
    pack_weights(dz, 0, len(panels), panels)
    dense_weight_gradient(x, read_only(panels), 0, D, dW)
    pack_images(dz, turned)
    dense_input_gradient(read_only(turned), W, 0, D, dx)
    expected = np.vdot(y.astype(float), dz)
    assert np.vdot(dW.astype(float), W) == np.vdot(dx.astype(float), x) == expected
