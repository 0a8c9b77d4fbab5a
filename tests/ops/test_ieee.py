"""NaN, infinity and overflow come out as IEEE 754 has them, without a warning of NumPy's."""

import numba
import numpy as np
import pytest

import tinycnn as tc
from tinycnn import ops


def spoiled(shape, value):
    array = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    array.flat[[1, 4, 6, 7]] = value, -value, 3e38, 3e38
    return array


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_products_do_not_warn(value):
    x, W, dy = (
        spoiled((2, 6, 6, 2), value),
        spoiled((3, 3, 2, 4), value),
        spoiled((2, 4, 4, 4), value),
    )
    expected = ops.conv2d(x, W, algorithm="reference")
    found = ops.conv2d(x, W, algorithm="im2col")
    # In another order of terms an overflow may come or not, but what is finite stays so.
    assert np.array_equal(np.isnan(found), np.isnan(expected)) or not np.isnan(value)
    for gradient in ops.conv2d_backward(dy, x, W, algorithm="im2col")[:2]:
        assert not np.isfinite(gradient).all()
    rows, weights, upstream = spoiled((3, 5), value), spoiled((5, 4), value), spoiled((3, 4), value)
    assert not np.isfinite(ops.dense(rows, weights)).all()
    for gradient in ops.dense_backward(upstream, rows, weights)[:2]:
        assert not np.isfinite(gradient).all()
    assert ops.softmax_backward(upstream, ops.softmax(upstream)).shape == (3, 4)
    assert not np.isfinite(ops.cross_entropy(upstream, [0, 1, 2])[0]) or np.isfinite(value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_spoiled_network_predicts_and_trains_without_a_warning(value):
    model = tc.alexnet(10, variant="mini", rng=0)
    with model.edit() as parameters:
        parameters["conv2.W"].flat[3] = value
    x = np.ones((2, *model.input_shape), np.float32)
    compiled = not numba.config.DISABLE_JIT  # as plain Python, kernels warn as NumPy does
    with np.errstate(all="warn" if compiled else "ignore"):
        assert np.isnan(model.predict(x)).all()
        trace = model.trace(x)
        gradients = trace.backward(labels=[1, 2])
    assert np.isnan(trace.loss) and np.isnan(gradients["conv1.W"]).any()
