"""Groups of layers that a block of images goes through at once, because their weights stay in the cache."""

import numpy as np
import pytest
from inference_nets import BOUND, in_float64, with_biases
from small_nets import images
from twins import error

import tinycnn as tc
from tinycnn.inference import chain
from tinycnn.inference.plan import plan
from tinycnn.layers import Conv2D, Dense, MaxPool2D

SHAPE = (20, 20, 1)


def small_net():
    layers = [Conv2D(6, 5, padding=2), MaxPool2D(2), Conv2D(20, 3, activation="relu")]
    return with_biases(tc.Sequential([*layers, Dense(30), Dense(9, activation="softmax")], SHAPE))


def phases_of(model, batch, threads):
    chosen = plan(model.layers, model.input_shape, model.dtype, batch)
    _, _, _, phases = chain.program_of(chosen.groups, batch, threads).tables
    return np.diff(phases).tolist()


def test_blocks_of_images_go_through_all_layers_whose_weights_stay_cached(monkeypatch):
    monkeypatch.setattr(chain, "LEAST_WORK", 1)
    model = small_net()
    groups = plan(model.layers, SHAPE, model.dtype, 256).groups
    assert len(groups) > 1
    assert phases_of(model, 256, 2) == [4]  # of 64 images each, as the second convolution has them
    assert phases_of(model, 32, 2) == [2]
    monkeypatch.setattr(chain, "_CACHED", 0)
    assert len(phases_of(model, 256, 2)) >= len(groups)


@pytest.mark.parametrize("count", [1, 2, 33, 70])
def test_the_blocks_give_what_each_layer_gives_of_all_images(monkeypatch, count):
    """Whatever the threads, and where images are not a whole number of blocks."""
    monkeypatch.setattr(chain, "LEAST_WORK", 1)
    model, x = small_net(), images(count, SHAPE)
    results = []
    for threads in (1, 2, 3):
        with tc.use_threads(threads):
            results.append(model.predict(x, count))
    assert error(results[0], in_float64(model, x)) < BOUND
    monkeypatch.setattr(chain, "_CACHED", 0)
    results.append(small_net().predict(x, count))
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
