"""Pictures of filters: each weight at its place, zero in the middle grey."""

import numpy as np

import tinycnn as tc
from tinycnn.runs.filters import draw, first_filters, mosaic, shades_of


def test_shades_of_weights():
    W = np.zeros((2, 3, 3, 4))
    W[1, 2, 0, 3], W[0, 0, :, 1] = -2.0, 1.0
    shades = shades_of(W, 2.0)
    assert shades.shape == (4, 2, 3, 3)
    assert shades[3, 1, 2].tolist() == [0.0, 0.5, 0.5]  # no red at all: blue and green
    assert (shades[1, 0, 0] == 0.75).all() and (shades[0] == 0.5).all()


def test_filters_of_other_channels_are_drawn_in_grey():
    W = np.zeros((1, 1, 2, 1))
    W[0, 0, :, 0] = 1.0, 0.0
    assert shades_of(W, 1.0).tolist() == [[[0.75]]]  # the mean of both channels


def test_tiles_stand_in_rows_with_a_white_line_between():
    tiles = np.arange(5 * 2 * 2).reshape(5, 2, 2) / 100
    laid = mosaic(tiles)
    assert laid.shape == (5, 8)  # 2 rows of 3: 2 + 1 + 2 and 3 * 2 + 2
    for number, (top, left) in enumerate([(0, 0), (0, 3), (0, 6), (3, 0), (3, 3)]):
        np.testing.assert_array_equal(laid[top : top + 2, left : left + 2], tiles[number])
    assert (laid[2] == 1).all() and (laid[:, 2] == 1).all() and (laid[3:, 6:] == 1).all()


def test_the_first_convolution_is_drawn():
    layers = [tc.layers.ReLU(), tc.layers.Conv2D(5, 3, name="c"), tc.layers.Dense(2)]
    model = tc.Sequential(layers, (4, 4, 3))
    assert first_filters(model) == "c"
    figure = draw(model.parameters()["c.W"], "c before")
    assert "5 filters of 3 x 3 x 3" in figure.axes[0].get_title()
    assert first_filters(tc.Sequential([tc.layers.Dense(2)], (4, 4, 3))) is None
