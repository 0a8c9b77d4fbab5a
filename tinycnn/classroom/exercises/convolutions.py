"""The cases of both exercises on convolutions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.classroom.exercises.exercise import Chooser


@dataclass(frozen=True)
class Kind:
    """What the convolutions of a case are drawn from: each number up to the one given here."""

    name: str
    kernel: tuple[int, int] = (1, 1)  # least and most
    room: int = 0  # how many cells the padded image is larger than the kernel
    square: bool = True
    channels: int = 1
    filters: int = 1
    bias: bool = False
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    images: tuple[int, int] = (1, 1)

    def draw(self, choose: Chooser) -> Arguments:
        """Draw the arguments of conv2d."""
        least, most = self.kernel
        padding = choose.integer(*self.padding)
        stride = choose.integer(*self.stride)
        KH, H = self._axis(choose, least, most, self.room, padding)
        KW, W = (KH, H) if self.square else self._axis(choose, 1, most + 1, self.room + 2, padding)
        N, C = choose.integer(*self.images), choose.integer(1, self.channels)
        F = choose.integer(1, self.filters)
        x, kernel = choose.numbers(N, H, W, C), choose.numbers(KH, KW, C, F)
        b = choose.numbers(F) if self.bias else np.zeros(F)
        return {"x": x, "W": kernel, "b": b, "stride": stride, "padding": padding}

    @staticmethod
    def _axis(choose: Chooser, least: int, most: int, room: int, padding: int) -> tuple[int, int]:
        kernel = choose.integer(least, most)
        return kernel, max(1, kernel - 2 * padding) + choose.integer(0, room)


KINDS = (
    Kind("one number: a 1 x 1 kernel on one cell"),
    Kind("one window: a square kernel on an image of its size", kernel=(2, 3)),
    Kind("a square kernel that slides", kernel=(1, 3), room=2),
    Kind("several channels", kernel=(1, 2), room=1, channels=3),
    Kind("several filters", kernel=(1, 2), room=1, filters=3),
    Kind("a bias", kernel=(1, 2), room=1, filters=2, bias=True),
    Kind("a batch of images", kernel=(1, 2), room=1, images=(2, 3)),
    Kind("height and width differ", kernel=(1, 2), room=2, square=False),
    Kind("a stride, with cells left over", kernel=(1, 2), room=3, square=False, stride=(2, 3)),
    Kind("padding", kernel=(1, 3), room=2, square=False, padding=(1, 2)),
    Kind(
        "all of it at once",
        kernel=(1, 2),
        room=3,
        square=False,
        channels=2,
        filters=3,
        bias=True,
        stride=(1, 2),
        padding=(0, 1),
        images=(1, 2),
    ),
)
