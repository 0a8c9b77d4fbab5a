"""The filters of a network's first convolution as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tinycnn import figures
from tinycnn.arrays import Array
from tinycnn.model import Sequential
from tinycnn.shapes import times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCHES = 6  # the picture's width


def first_filters(model: Sequential) -> str | None:
    """The name of the first convolution, whose filters see the picture; None where there is none."""
    for layer, shape in zip(model.layers, model.shapes, strict=False):
        if layer.im2col_cells(shape) and f"{layer.name}.W" in model.parameter_shapes():
            return str(layer.name)
    return None


def draw(W: Array, title: str) -> Figure:
    """Draw filters (KH, KW, C, F), each a tile: middle grey is 0, black and white the largest weight's size.

    Those of 3 channels are drawn in their colours, others as the mean of their channels.
    """
    most = float(np.abs(W).max()) or 1.0
    shades = mosaic(shades_of(W, most))
    rows, columns = shades.shape[:2]
    figure = figures.blank(_INCHES, _INCHES * rows / columns + 0.4)
    axes = figure.add_subplot()
    axes.imshow(shades, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.axis("off")
    shown = f"-{most:.3g} is black, 0 grey, {most:.3g} white"
    axes.set_title(f"{title}: {W.shape[3]} filters of {times(W.shape[:3])}; {shown}", fontsize=8)
    figure.tight_layout()
    return figure


def shades_of(W: Array, most: float) -> Array:
    """Filters (KH, KW, C, F) as shades from 0 to 1: (F, KH, KW, 3), or (F, KH, KW) in grey.

    shade = 1/2 + w / (2 most)
    """
    filters = np.moveaxis(W, 3, 0)
    seen = filters if W.shape[2] == 3 else filters.mean(axis=3)
    shades: Array = 0.5 + seen / (2 * most)
    return shades


def mosaic(tiles: Array) -> Array:
    """Lay tiles (F, KH, KW, ...) in rows, a white line between them."""
    F, KH, KW, *rest = tiles.shape
    columns = math.ceil(math.sqrt(F * 1.5))
    rows = math.ceil(F / columns)
    laid = np.ones((rows * (KH + 1) - 1, columns * (KW + 1) - 1, *rest), tiles.dtype)
    for number, tile in enumerate(tiles):
        top, left = (number // columns) * (KH + 1), (number % columns) * (KW + 1)
        laid[top : top + KH, left : left + KW] = tile
    return laid
