"""Receptive fields and readers, against a search over all cells."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.receptive_field import receptive_field
from tinycnn.layers import AveragePool2D, Conv2D, Dense, MaxPool2D, ReLU

LAYERS = [
    Conv2D(2, (3, 2), stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2)),
    MaxPool2D((2, 3), stride=(1, 2), padding=((1, 0), (0, 1))),
    AveragePool2D(2, stride=1),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_window_and_readers_agree_with_the_gradient(layer):
    """A cell is read by exactly the outputs whose gradient reaches it."""
    H, W = 7, 8
    model = tc.Sequential([layer], (H, W, 1), dtype="float64")
    with model.edit() as parameters:
        for array in parameters.values():
            array[...] = 1
    OH, OW, F = model.shapes[-1]
    # For a max-pool the winner alone is reached, so let each cell win in turn.
    reached = np.zeros((OH, OW, H, W), bool)
    for h in range(H):
        for w in range(W):
            x = np.zeros((1, H, W, 1))
            x[0, h, w, 0] = 1
            trace = model.trace(x)
            for oh in range(OH):
                for ow in range(OW):
                    dy = np.zeros((1, OH, OW, F))
                    dy[0, oh, ow] = 1
                    trace.backward(dy)
                    reached[oh, ow, h, w] = trace.records[0].dx[0, h, w, 0] != 0
    for h in range(H):
        for w in range(W):
            region = explainer_of(layer).region_over((H, W, 1), (h, w, 0))
            rows, columns = np.nonzero(reached[:, :, h, w])
            if region is None:
                assert len(rows) == 0
            else:
                assert region == ((rows.min(), rows.max()), (columns.min(), columns.max()))
    for oh in range(OH):
        for ow in range(OW):
            inside = explainer_of(layer).seen((H, W, 1), ((oh, oh), (ow, ow))).inside
            rows, columns = np.nonzero(reached[oh, ow])
            assert inside[0][0] <= rows.min() and rows.max() <= inside[0][1]
            assert inside[1][0] <= columns.min() and columns.max() <= inside[1][1]


def test_alexnet_cell_sees_51_pixels():
    model = tc.alexnet()
    position = [layer.name for layer in model.layers].index("conv2")
    assert receptive_field(model, position, ((13, 13), (13, 13))) == ((88, 138), (88, 138))


def test_field_is_clipped_to_the_picture_and_whole_behind_dense():
    model = tc.alexnet(variant="mini")
    names = [layer.name for layer in model.layers]
    pad_top_left = receptive_field(model, names.index("conv2"), ((0, 0), (0, 0)))
    assert pad_top_left == ((0, 34), (0, 34))
    dense, relu = explainer_of(Dense(3)), explainer_of(ReLU())
    assert dense.seen((4, 5, 2), ((0, 0), (0, 0))).inside == ((0, 3), (0, 4))
    assert relu.seen((4, 5, 2), ((1, 1), (2, 2))).inside == ((1, 1), (2, 2))
