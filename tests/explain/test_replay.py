"""Differences of the loss by a replay in float64, and the kinks on their way."""

import tracemalloc

import numpy as np
import pytest
from small_nets import Scale, Square, images, plain_net

import tinycnn as tc
from tinycnn.explain.replay import Change, difference
from tinycnn.layers import Conv2D, Dense, Dropout, LocalResponseNorm, MaxPool2D, ReLU


def traced(layers, x, *, labels=None, dy=None, **options):
    x = np.asarray(x, "float32")
    trace = tc.Sequential(layers, x.shape[1:]).trace(x, **options)
    trace.backward(dy=dy, labels=labels, keep=True)
    return trace


def given_weights(array):
    return lambda out, rng: out.__setitem__(..., np.reshape(array, out.shape))


def test_against_the_derivative_of_a_line_and_a_parabola():
    trace = traced([Square(name="s")], [[3.0, -0.5]], dy=[[2.0, 4.0]])
    found = difference(trace, Change(0, "x", (0, 0)), 0.25)
    assert found.value == pytest.approx(2 * 2 * 3.0, abs=found.rounding)
    assert found.moved == pytest.approx(2 * (3.25**2 - 9), rel=1e-12)
    assert (found.crossed, found.others, found.h) == (0, 0, 1e-6)
    trace = traced(
        [Dense(1, name="d", weight_initializer=given_weights([0.5, 2]))], [[3.0, -1.0]], dy=[[7.0]]
    )
    assert difference(trace, Change(0, "W", (0, 0)), 1.0).value == pytest.approx(21, rel=1e-8)
    assert difference(trace, Change(0, "W", (0, 0)), 1.0).moved == pytest.approx(21, rel=1e-12)
    assert difference(trace, Change(0, "b", (0,)), 0.0).value == pytest.approx(7, rel=1e-8)
    assert difference(trace, Change(0, "x", (0, 1)), 0.0).value == pytest.approx(14, rel=1e-8)
    assert difference(trace, Change(0, "z", (0, 0)), 0.0).value == pytest.approx(7, rel=1e-8)


def test_against_the_derivative_of_the_loss():
    layer = Dense(3, activation="softmax", name="d", weight_initializer=given_weights(np.eye(3)))
    z = np.float32([[0.3, -1.2, 0.7], [2.0, 0.1, 0.0]])
    trace = traced([layer], z, labels=[1, 0])
    wide = z.astype(np.float64)
    p = np.exp(wide) / np.exp(wide).sum(axis=1, keepdims=True)
    for n, label in ((0, 1), (1, 0)):
        for k in range(3):
            slope = (p[n, k] - (k == label)) / 2
            found = difference(trace, Change(0, "z", (n, k)), 0.0)
            assert abs(found.value - slope) <= found.rounding + 1e-11
            assert difference(trace, Change(0, "x", (n, k)), 0.0).value == found.value
    found = difference(trace, Change(0, "b", (2,)), -0.1)
    moved = wide.copy()
    moved[:, 2] -= 0.1
    loss = [np.log(np.exp(rows).sum(axis=1)) - rows[[0, 1], [1, 0]] for rows in (wide, moved)]
    assert found.moved == pytest.approx(loss[1].mean() - loss[0].mean(), rel=1e-10)


def test_against_the_derivative_of_local_response_norm():
    trace = traced([LocalResponseNorm(size=1, alpha=0.5, beta=0.75, k=2, name="n")],
                   np.full((1, 1, 1, 1), 1.5), dy=np.ones((1, 1, 1, 1)))  # fmt: skip
    s = 2 + 0.5 * 1.5**2
    slope = s**-0.75 - 0.75 * 1.5 * (2 * 0.5 * 1.5) * s**-1.75
    assert difference(trace, Change(0, "x", (0, 0, 0, 0)), 0.0).value == pytest.approx(
        slope, abs=1e-8
    )


def test_masks_of_dropout_are_replayed():
    trace = traced([Dropout(0.4, name="d"), Scale(name="s")], np.ones((3, 20)),
                   dy=np.ones((3, 20)), training=True, rng=6)  # fmt: skip
    mask, scale = trace["d"].saved, trace.model.parameters()["s.scale"]
    for n, unit in ((0, 0), (1, 7), (2, 19), (2, 3)):
        slope = float(scale[unit]) / 0.6 if mask[n, unit] else 0.0
        found = difference(trace, Change(0, "x", (n, unit)), 0.0)
        assert found.value == pytest.approx(slope, abs=found.rounding + 1e-8)


def test_weights_are_widened_piece_by_piece_and_none_is_forgotten():
    """40,000 rows in float64: pieces of a few columns."""
    x = images(2, (40_000,))
    trace = traced([Dense(70, name="d")], x, dy=np.ones((2, 70)))
    for row, unit in ((0, 0), (1023, 16), (31_024, 33), (39_999, 69)):
        found = difference(trace, Change(0, "W", (row, unit)), 0.5)
        assert found.moved == pytest.approx(0.5 * float(x[:, row].astype(float).sum()), rel=1e-6)


# -------------------------------------------------------------------------------------------- kinks


def test_crossings_are_counted_and_held_on_the_side_of_the_pass():
    x = np.zeros((1, 4))
    x[0, 3] = -1.0
    trace = traced([Dense(4, name="d", weight_initializer=given_weights(np.eye(4))), ReLU(name="r")],
                   x, dy=np.ones((1, 4)))  # fmt: skip
    # One bias moves one cell that stands at 0; the pass's slope there is 0.
    found = difference(trace, Change(0, "b", (1,)), 0.5)
    assert (found.crossed, found.value, found.h) == (1, 0.0, 1e-8)
    assert found.moved == 0.5  # nothing is held in the step
    assert difference(trace, Change(0, "b", (3,)), 0.5).crossed == 0
    assert difference(trace, Change(0, "b", (3,)), 1.5).moved == pytest.approx(0.5)


def test_several_crossings_in_several_layers():
    layers = [Conv2D(2, 1, name="c", activation="relu", weight_initializer=given_weights([1, 1])),
              MaxPool2D((1, 3), name="p")]  # fmt: skip
    trace = traced(layers, np.zeros((2, 1, 3, 1)), dy=np.ones((2, 1, 1, 2)))
    # All six cells of filter 0 leave 0 together: no pool window changes its winner.
    assert difference(trace, Change(0, "b", (0,)), 0.0).crossed == 6
    # One cell alone: it crosses its ReLUs, and in each filter's window it beats the others.
    found = difference(trace, Change(0, "x", (1, 0, 2, 0)), 0.0)
    assert found.crossed == 2 + 2 and found.value == 0


def test_a_tie_of_a_pool_is_crossed_by_the_cell_and_not_by_the_window():
    layers = [MaxPool2D(2, name="p")]
    trace = traced(layers, np.ones((1, 2, 2, 1)), dy=np.ones((1, 1, 1, 1)))
    for cell, slope in (((0, 0), 1), ((0, 1), 0), ((1, 1), 0)):
        found = difference(trace, Change(0, "x", (0, *cell, 0)), 0.0)
        assert found.crossed == 1 and found.value == pytest.approx(slope, abs=found.rounding)
    # Where the maximum itself is moved there is nothing to win.
    found = difference(trace, Change(0, "z", (0, 0, 0, 0)), 0.0)
    assert found.crossed == 0 and found.value == pytest.approx(1, abs=found.rounding)


def test_a_pass_that_float32_rounds_to_another_side():
    """Many cells within float32's rounding of 0: float64 puts some on the other side."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((1, 300)).astype(np.float32)
    W = rng.standard_normal((300, 60)).astype(np.float32)
    z = (x.astype(np.float64) @ W.astype(np.float64))[0]
    layers = [
        Dense(60, activation="relu", name="a", weight_initializer=given_weights(W),
              bias_initializer=given_weights(np.float32(-z))),
        Dense(1, name="b"),
    ]  # fmt: skip
    trace = traced(layers, x, dy=[[1.0]])
    float64 = z + np.float32(-z) > 0
    others = int((float64 != (trace["a"].y[0] > 0)).sum())
    assert others > 5
    gradient = trace["a"].dx[0]
    for d in range(0, 300, 60):
        found = difference(trace, Change(0, "x", (0, d)), 0.0)
        assert found.others + found.crossed >= others
        assert found.value == pytest.approx(
            float(gradient[d]), abs=1e-5 * float(np.abs(gradient).max())
        )


def test_rounding_alone_is_no_crossing():
    """Cells that are equal, and worked out alike, stay equal to the last bit or nearly."""
    rng = np.random.default_rng(3)
    x = np.tile(rng.standard_normal((1, 1, 1, 40)), (1, 4, 4, 1))
    trace = traced([Conv2D(8, 1, name="c", activation="relu"), MaxPool2D(4, name="p")], x,
                   dy=np.ones((1, 1, 1, 8)))  # fmt: skip
    for channel in range(40):
        found = difference(trace, Change(0, "W", (0, 0, channel, 3)), 0.0)
        assert (found.crossed, found.others) == (0, 0)


def test_a_difference_begins_at_the_layer_and_leaves_the_trace_alone():
    trace = plain_net().trace(images(2))
    trace.backward(labels=[0, 1])
    before = [record.y.copy() for record in trace.records], dict(trace.model.parameters())
    difference(trace, Change(1, "x", (0, 1, 1, 1)), 0.3)
    difference(trace, Change(0, "W", (1, 1, 1, 1)), 0.3)
    for record, y in zip(trace.records, before[0], strict=True):
        np.testing.assert_array_equal(record.y, y)
    for name, array in trace.model.parameters().items():
        np.testing.assert_array_equal(array, before[1][name])


@pytest.mark.parametrize("unit", [0, 1499, 2999])
def test_a_large_dense_layer_is_widened_part_by_part(unit):
    """Its derivatives are x * dy; in float64 its weights would take 48 MB."""
    rng = np.random.default_rng(4)
    x, dy = rng.standard_normal((1, 2000)), rng.standard_normal((1, 3000))
    trace = traced([Dense(3000, name="d")], x, dy=dy)
    difference(trace, Change(0, "b", (0,)), 0.0)  # what is loaded once is no part of it
    tracemalloc.start()
    found = [
        difference(trace, Change(0, part, index), 0.0)
        for part, index in (("W", (7, unit)), ("b", (unit,)), ("z", (0, unit)), ("x", (0, 7)))
    ]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    x, dy = (np.float32(array).astype(float) for array in (x, dy))
    W = trace.records[0].params["W"].astype(float)
    expected = [x[0, 7] * dy[0, unit], dy[0, unit], dy[0, unit], W[7] @ dy[0]]
    for one, value in zip(found, expected, strict=True):
        assert abs(one.value - value) <= one.rounding
    assert peak < 20e6
