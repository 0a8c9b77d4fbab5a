"""Each row of each network: drawn cells, gradients, weights and biases open, agree and can be redone."""

import numpy as np
import pytest
from redone import redo

from tinycnn.explain import explain, open_lesson

OWN = """
import tinycnn as tc
from tinycnn.layers import (AveragePool2D, BatchNormalization, Conv2D, Dense, Dropout, Flatten,
                            LocalResponseNorm, MaxPool2D, ReLU, Softmax)

def net():
    layers = [
        Conv2D(8, 5, stride=2, padding="same"), ReLU(), LocalResponseNorm(size=3, alpha=0.1),
        MaxPool2D(2), Conv2D(12, 3, groups=2), BatchNormalization(), ReLU(),
        Conv2D(12, 3, dilation=2, padding=1, activation="relu"),
        AveragePool2D(2, stride=1, padding=1), Dropout(0.3), Flatten(),
        Dense(30, activation="relu"), Dense(7), Softmax(),
    ]
    return tc.Sequential(layers, (40, 36, 3), rng=5)
"""


@pytest.fixture(
    scope="module",
    params=[
        "mini",
        "mini, training",
        "own",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("one-tower", "paper", "torchvision")
        ),
    ],
)
def trace(request, tmp_path_factory):
    name, _, training = request.param.partition(", ")
    if name != "own":
        return open_lesson(model=name, training=bool(training), seed=1).backward
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(OWN)
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    np.save(folder / "mine.npy", pixels)
    return open_lesson(folder / "mine.npy", model=f"{folder / 'mine.py'}:net", label=4).backward


def drawn(rng, array, count):
    """Places of an array: any, and one where it is not zero."""
    some = np.argwhere(array) if array.any() else []
    for i in range(count):
        pick = some[rng.integers(len(some))] if i % 2 and len(some) else None
        yield (
            tuple(int(i) for i in pick)
            if pick is not None
            else tuple(int(rng.integers(size)) for size in array.shape)
        )


def test_cells_and_gradients_of_every_row(trace):
    rng = np.random.default_rng(42)
    for record in trace.records:
        wanted = [(record.name, place) for place in drawn(rng, record.y[0], 4)]
        wanted += [(f"{record.name}.x", place) for place in drawn(rng, record.dx[0], 2)]
        wanted += [(f"{record.name}.z", place) for place in drawn(rng, record.dz[0], 2)]
        for name, gradient in record.grads.items():
            wanted += [(f"{record.name}.{name}", place) for place in drawn(rng, gradient, 2)]
        for what, place in wanted:
            opened = explain(trace, what, place)
            assert opened.ok, opened
            assert opened.checks
            redo(str(opened))
    assert explain(trace, "loss").ok
