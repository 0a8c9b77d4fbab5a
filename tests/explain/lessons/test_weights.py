"""The lesson's own weights."""

import math

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.explain.lessons import weights
from tinycnn.layers import Conv2D, Dense


def small(rng=0):
    return tc.Sequential(
        [Conv2D(2, 3, activation="relu", name="conv1"), Dense(4, activation="softmax", name="fc")],
        (5, 5, 3),
        rng=rng,
    )


def test_first_layer_is_exact_in_any_order():
    model = tc.alexnet(variant="mini")
    weights.draw_lesson(model, seed=3)
    W = model.parameters()["conv1.W"]
    units = W.astype(np.float64) * 1024
    np.testing.assert_array_equal(units, np.rint(units))
    # The largest partial sum in units of 2**-17 = 1/128 * 1/1024 stays below float32's 2**24.
    assert 363 * 128 * np.abs(units).max() < 2**24
    assert not model.parameters()["conv1.b"].any()
    # Spread as He's rule asks.
    assert W.std() == pytest.approx(math.sqrt(2 / 363), rel=0.05)


def test_same_seed_same_weights_and_another_seed_others():
    drawn = []
    for seed in (1, 1, 2):
        model = small()
        weights.draw_lesson(model, seed)
        drawn.append(model.parameters()["conv1.W"].copy())
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()
