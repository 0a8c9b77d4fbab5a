"""GlobalAveragePool2D: the mean of each channel, as its formula says, in passes and in predictions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import whole

import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, GlobalAveragePool2D
from tinycnn.testing.strategies import dtypes, generators

SHAPES = st.tuples(st.integers(0, 3), st.integers(1, 6), st.integers(1, 6), st.integers(1, 20))


def model_of(shape, dtype):
    return tc.Sequential([GlobalAveragePool2D()], shape[1:], dtype=np.dtype(dtype).name)


@given(SHAPES, dtypes, generators)
def test_it_is_the_mean_and_its_gradient_is_shared(shape, dtype, rng):
    N, H, W, C = shape
    model, x = model_of(shape, dtype), H * W * whole(rng, shape, dtype)
    trace = model.trace(x)
    # Sums of whole numbers, and so exact; H*W divides each.
    np.testing.assert_array_equal(trace.y, x.sum(axis=(1, 2)) // (H * W))
    np.testing.assert_array_equal(model.predict(x), trace.y)
    dy = H * W * whole(rng, (N, C), dtype)
    trace.backward(dy)
    shared = np.broadcast_to(dy[:, None, None, :] / (H * W), shape)
    np.testing.assert_array_equal(trace.records[0].dx, shared)


def test_before_a_dense_layer():
    layers = [
        Conv2D(6, 3, activation="relu"),
        GlobalAveragePool2D(),
        Dense(4, activation="softmax"),
    ]
    model = tc.Sequential(layers, (7, 8, 2), dtype="float64")
    assert model.shapes == [(7, 8, 2), (5, 6, 6), (6,), (4,)]
    x = np.random.default_rng(0).standard_normal((3, 7, 8, 2))
    np.testing.assert_allclose(model.predict(x), model.trace(x).y, rtol=1e-12)
    assert tc.gradcheck(model, x, labels=[0, 1, 3]).verdict == "right"
    assert [row.parameters for row in model.summary().rows][1] == 0


def test_it_takes_images():
    with pytest.raises(tc.errors.ShapeError, match=r"pool1 \(GlobalAveragePool2D\): takes images"):
        tc.Sequential([GlobalAveragePool2D()], (5,))


def test_every_number_opens():
    layers = [Conv2D(3, 2), GlobalAveragePool2D(), Dense(4, activation="softmax")]
    model = tc.Sequential(layers, (4, 5, 2), dtype="float64", rng=1)
    trace = model.trace(np.random.default_rng(2).standard_normal((2, 4, 5, 2)))
    trace.backward(labels=[1, 3])
    cell = trace.explain("pool1", at=(1,), sample=1)
    mean = trace["pool1"].x[1, :, :, 1].sum() / 12
    assert cell.value == pytest.approx(mean, rel=1e-15)
    assert "12 cells of the channel:" in str(cell)
    assert "SEES    conv1, channel 1, all 12 cells" in str(cell)
    gradient = trace.explain("pool1.x", at=(2, 3, 1), sample=1)
    assert gradient.value == pytest.approx(trace["pool1"].dy[1, 1] / 12, rel=1e-15)
    assert gradient.value == trace["conv1"].dy[1, 2, 3, 1]
    assert "channel 1, 1/12" in str(gradient)
