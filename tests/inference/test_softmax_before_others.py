"""Softmax anywhere in a network: predict against the plain formulas in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import error

import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, Dropout, Flatten, MaxPool2D, Softmax
from tinycnn.testing.strategies import generators


def check(make, image, N, rng):
    """`predict`, whose second run may read other weights, is what float64 gives layer by layer."""
    model, plain = (tc.Sequential(make(), image, dtype=d) for d in ("float32", "float64"))
    plain.load_weights({name: array.astype(np.float64) for name, array in model.arrays().items()})
    x = rng.standard_normal((N, *image)).astype(np.float32)
    expected = plain.trace(x).y
    for _ in range(2):
        assert error(model.predict(x), expected) < 1e-5


AFTER = {
    "a border": lambda: [Conv2D(2, (5, 2), padding=2)],
    "a border in vectors": lambda: [Conv2D(20, 3, padding="same"), Conv2D(3, 1)],
    "a stride": lambda: [Conv2D(4, 3, stride=2, padding=1)],
    "a pool": lambda: [MaxPool2D((1, 2)), Conv2D(2, 3)],
    "rows": lambda: [Dropout(0.5), Flatten(), Dense(3)],
    "rows of probabilities": lambda: [Flatten(), Softmax(), Dense(3)],
}


@pytest.mark.parametrize("N", [1, 3, 40])
@pytest.mark.parametrize("after", AFTER)
def test_maps_of_probabilities_are_read_by_whatever_follows(after, N):
    def make():
        return [Conv2D(16, 3, activation="relu"), Softmax(), *AFTER[after]()]

    check(make, (7, 8, 3), N, np.random.default_rng(N))


@settings(max_examples=20)
@given(st.data(), generators)
def test_so_it_is_for_drawn_networks(data, rng):
    def some(*choices):
        return data.draw(st.sampled_from(choices))

    image = some(5, 8, 11), some(6, 9), some(1, 3, 16, 17)
    kinds = [some("conv", "pool", "softmax", "dropout") for _ in range(some(2, 3, 4, 5))]
    filters, kernel, padding = some(1, 5, 16, 33), (some(1, 3), some(1, 2)), some(0, 1, "same")
    ends = some(True, False), some(True, False)

    def make():
        layers = {
            "conv": lambda: Conv2D(filters, kernel, padding=padding),
            "pool": lambda: MaxPool2D(2, stride=1),
            "softmax": Softmax,
            "dropout": Dropout,
        }
        middle = [layers[kind]() for kind in kinds]
        flat = [Flatten()] * ends[0] + [Softmax()] * ends[1]
        return [*middle, *flat, Dense(7, activation="softmax"), Dense(3)]

    check(make, image, some(1, 2, 5, 20), rng)
