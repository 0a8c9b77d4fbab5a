"""Softmax in recorded programs: as an activation and as a layer, over rows and over channels."""

import numpy as np
import pytest
from inference_nets import BOUND, in_float64
from small_nets import images
from twins import error

import tinycnn as tc
from tinycnn.inference.plan import plan
from tinycnn.layers import Conv2D, Dense, MaxPool2D, Softmax


@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize(
    "layers",
    [
        lambda: [Conv2D(6, 3), MaxPool2D(2), Dense(10, activation="softmax")],
        lambda: [Conv2D(6, 3), Dense(17), Softmax()],
        lambda: [Conv2D(5, 3), Softmax()],
        lambda: [Softmax(), Dense(3)],
    ],
)
def test_it_gives_what_float64_gives(layers, count):
    model = tc.Sequential(layers(), (9, 8, 2))
    x = images(count, (9, 8, 2))
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def test_it_is_part_of_the_program():
    layers = [Dense(20, activation="relu"), Dense(10, activation="softmax"), Softmax()]
    steps = plan(tc.Sequential(layers, (30,)).layers, (30,), np.dtype(np.float32), 4).steps
    assert [step.stage is not None and step.then is None for step in steps] == [True] * 3
