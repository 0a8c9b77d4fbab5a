"""The cases of both exercises on convolutions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.classroom.exercises.exercise import Chooser
from tinycnn.classroom.exercises.windows import CELL, Range, WindowAxis


@dataclass(frozen=True)
class Kind:
    """What the convolutions of a case are drawn from; without ``columns`` all is square."""

    name: str
    rows: WindowAxis = CELL
    columns: WindowAxis | None = None
    channels: int = 1
    filters: int = 1
    bias: bool = False
    stride: Range = (1, 1)  # the same along both axes, as is the padding
    padding: Range = (0, 0)
    images: Range = (1, 1)

    def draw(self, choose: Chooser) -> Arguments:
        """Draw the arguments of conv2d."""
        padding, stride = choose.integer(*self.padding), choose.integer(*self.stride)
        (KH, H), (KW, W) = self._sizes(choose, stride, padding)
        N, C = choose.integer(*self.images), choose.integer(1, self.channels)
        F = choose.integer(1, self.filters)
        x, kernel = choose.numbers(N, H, W, C), choose.numbers(KH, KW, C, F)
        b = choose.numbers(F) if self.bias else np.zeros(F)
        return {"x": x, "W": kernel, "b": b, "stride": stride, "padding": padding}

    def _sizes(self, choose: Chooser, stride: int, padding: int) -> list[tuple[int, int]]:
        sizes = []
        for axis in (self.rows, self.columns):
            if axis is not None:
                kernel = choose.integer(*axis.kernel)
                sizes.append((kernel, axis.size(choose, kernel, stride, padding)))
        return [sizes[0], sizes[-1]]


_SMALL = WindowAxis(kernel=(1, 2), windows=(1, 2))
_ROWS, _COLUMNS = (
    WindowAxis(kernel=(1, 2), windows=(1, 3)),
    WindowAxis(kernel=(1, 3), windows=(1, 4)),
)

KINDS = (
    Kind("one number: a 1 x 1 kernel on one cell"),
    Kind("one window: a square kernel on an image of its size", WindowAxis(kernel=(2, 3))),
    Kind("a square kernel that slides", WindowAxis(kernel=(1, 3), windows=(1, 3))),
    Kind("several channels", _SMALL, channels=3),
    Kind("several filters", _SMALL, filters=3),
    Kind("a bias", _SMALL, filters=2, bias=True),
    Kind("a batch of images", _SMALL, images=(2, 3)),
    Kind("height and width differ", _ROWS, _COLUMNS),
    Kind("a stride, with cells left over", _ROWS, _COLUMNS, stride=(2, 3)),
    Kind(
        "padding",
        WindowAxis(kernel=(1, 3), windows=(1, 5)),
        WindowAxis(kernel=(1, 4), windows=(1, 6)),
        padding=(1, 2),
    ),
    Kind(
        "all of it at once",
        _ROWS,
        _COLUMNS,
        channels=3,
        filters=4,
        bias=True,
        stride=(1, 2),
        padding=(0, 1),
        images=(1, 2),
    ),
)  # fmt: skip
