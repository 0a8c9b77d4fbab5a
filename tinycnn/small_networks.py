"""A small network for images of any size: what is trained where nobody names another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinycnn.chain import check_shape
from tinycnn.errors import ShapeError
from tinycnn.layers import BatchNormalization, Conv2D, Dense, Dropout, Layer, MaxPool2D, ReLU
from tinycnn.model import Sequential
from tinycnn.shapes import times
from tinycnn.validation import MOST_CELLS, check_int

SMALL = "small"
"""The word for it where networks are known by name."""
_FILTERS, _MOST_FILTERS = 32, 128
_HIDDEN = 128
_SMALLEST = 4  # of the longer side of an image that is halved once more


def small_network(
    input_shape: Sequence[int],
    classes: int = 10,
    *,
    rng: int | np.random.Generator | None = 0,
    dtype: str = "float32",
    algorithm: str | None = None,
) -> Sequential:
    """Build a small network for images of ``input_shape`` (H, W, C), ending in a softmax over ``classes``.

    Twice a convolution of 3 x 3 with batch normalisation and ReLU, then a max-pool of 2 x 2: so again, with
    twice the filters (32, 64, then 128), while the longer side has 4 pixels or more. Dropout and the dense
    layer of the classes follow. Numbers without neighbours, (D,) or (1, 1, D), go through a hidden dense
    layer of 128 instead. ``rng``, ``dtype`` and ``algorithm`` are those of `Sequential`.

    Raises ShapeError for another ``input_shape``, ArgumentError for another argument outside its range.
    """
    shape = check_shape(input_shape, "input_shape")
    if len(shape) not in (1, 3):
        raise ShapeError(f"input_shape must be (H, W, C) or (D,), got {times(shape)}")
    last = Dense(check_int(classes, "classes", most=MOST_CELLS), activation="softmax")
    layers = [*_hidden(shape), last]
    return Sequential(
        layers, shape, rng=rng, dtype=dtype, algorithm=algorithm, name="small network"
    )


def _hidden(shape: tuple[int, ...]) -> list[Layer]:
    if len(shape) == 1 or shape[:2] == (1, 1):
        return [Dense(_HIDDEN, activation="relu")]
    H, W, _ = shape
    layers, filters = list[Layer](), _FILTERS
    while not layers or max(H, W) >= _SMALLEST:
        kernel = min(H, 2), min(W, 2)
        layers += [*_convolution(filters), *_convolution(filters), MaxPool2D(kernel)]
        H, W, filters = H // kernel[0], W // kernel[1], min(2 * filters, _MOST_FILTERS)
    return [*layers, Dropout(0.5)]


def _convolution(filters: int) -> list[Layer]:
    # With a momentum of 0.9 the running statistics follow a set of few batches; with 0.99 they lag behind.
    return [
        Conv2D(filters, 3, padding="same", bias=False),
        BatchNormalization(momentum=0.9),
        ReLU(),
    ]
