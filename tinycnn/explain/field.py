"""What a cell sees: windows traced down the layers, and which cells read it above."""

from __future__ import annotations

from dataclasses import dataclass

from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dropout,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.model import Sequential

_BY_PLACE = (ReLU, Dropout, LocalResponseNorm, Softmax)  # cell by cell, or across channels alone

Region = tuple[tuple[int, int], tuple[int, int]]  # first and last row, first and last column


@dataclass(frozen=True)
class Seen:
    """A region of an image: as asked for, and the part that lies inside."""

    asked: Region
    inside: Region

    @property
    def padded(self) -> bool:
        """Whether part of it is padding."""
        return self.asked != self.inside


def window_of(layer: Layer, input_shape: tuple[int, ...], region: Region) -> Seen:
    """What ``region`` of a layer's output sees of its input (H, W, C)."""
    if isinstance(layer, Conv2D | MaxPool2D | AveragePool2D):
        win = layer.window(input_shape)
        asked = (win.height.seen(*region[0]), win.width.seen(*region[1]))
        return Seen(asked, (_clip(asked[0], input_shape[0]), _clip(asked[1], input_shape[1])))
    if isinstance(layer, _BY_PLACE):
        return Seen(region, region)
    whole = ((0, input_shape[0] - 1), (0, input_shape[1] - 1))
    return Seen(whole, whole)


def receptive_field(model: Sequential, position: int, region: Region) -> Region:
    """The pixels that ``region`` of layer ``position``'s output depends on."""
    for layer, shape in zip(
        reversed(model.layers[: position + 1]), reversed(model.shapes[: position + 1]), strict=True
    ):
        if len(shape) == 3:
            region = window_of(layer, shape, region).inside
    return region


def readers(layer: Layer, input_shape: tuple[int, ...], cell: tuple[int, int]) -> Region | None:
    """The region of ``layer``'s output whose windows hold ``cell`` of its input; None: no window does.

    For layers without a window, all of the output or the cell itself.
    """
    rows, columns = holding(layer, input_shape, cell)
    return ((rows[0], rows[-1]), (columns[0], columns[-1])) if rows and columns else None


def holding(
    layer: Layer, input_shape: tuple[int, ...], cell: tuple[int, int]
) -> tuple[list[int], list[int]]:
    """Rows and columns of ``layer``'s output whose windows hold ``cell``: with dilation, not all between."""
    if not isinstance(layer, Conv2D | MaxPool2D | AveragePool2D):
        return [cell[0]], [cell[1]]
    win = layer.window(input_shape)
    rows, columns = (
        [
            out
            for out in range(axis.output)
            if (place - axis.seen(out, out)[0]) % axis.dilation == 0
            and axis.seen(out, out)[0] <= place <= axis.seen(out, out)[1]
        ]
        for axis, place in zip((win.height, win.width), cell, strict=True)
    )
    return rows, columns


def _clip(span: tuple[int, int], size: int) -> tuple[int, int]:
    return max(span[0], 0), min(span[1], size - 1)
