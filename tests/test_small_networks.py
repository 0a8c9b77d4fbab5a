"""The small network fits images of any size, and shrinks them to a few cells."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError, ShapeError

# Input, and what the last convolutions and their pool leave of it.
SIZES = {
    (8, 8, 1): (2, 2, 64),
    (28, 28, 1): (3, 3, 128),
    (32, 32, 3): (2, 2, 128),
    (2, 3, 1): (1, 1, 32),
    (1, 16, 2): (1, 2, 128),
    (1, 2, 1): (1, 1, 32),
    (9, 1, 4): (2, 1, 64),
}


@pytest.mark.parametrize("shape", SIZES)
def test_images_shrink_to_a_few_cells(shape):
    model = tc.small_network(shape, 3)
    assert model.shapes[-3] == SIZES[shape]
    probabilities = model.predict(np.ones((2, *shape)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("shape", [(5,), (1, 1, 5)])
def test_numbers_without_neighbours_go_through_a_dense_layer(shape):
    model = tc.small_network(shape, 3, dtype="float64")
    assert model.parameter_shapes() == {
        "dense1.W": (5, 128), "dense1.b": (128,), "dense2.W": (128, 3), "dense2.b": (3,)
    }  # fmt: skip
    assert model.dtype == np.float64


def test_its_parameters_are_counted_by_hand():
    # Convolutions without biases, two numbers a normalised channel, the dense layer of 10 classes.
    convolutions = 9 * (1 * 32 + 32 * 32 + 32 * 64 + 64 * 64)
    expected = convolutions + 2 * (32 + 32 + 64 + 64) + 2 * 2 * 64 * 10 + 10
    sizes = tc.small_network((8, 8, 1)).parameter_shapes().values()
    assert sum(int(np.prod(shape)) for shape in sizes) == expected


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"input_shape must be \(H, W, C\) or \(D,\), got 8 x 8"):
        tc.small_network((8, 8))
    with pytest.raises(ArgumentError, match="classes must be at least 1"):
        tc.small_network((8, 8, 1), 0)
