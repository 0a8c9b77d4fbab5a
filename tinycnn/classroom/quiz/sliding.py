"""Windows that slide over small images: sizes, strides and paddings, each drawn axis by axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinycnn.classroom.quiz.question import Random, pick
from tinycnn.shapes import times, window
from tinycnn.validation import Pair

_KERNELS = ((2, 2), (2, 3), (3, 2))


@dataclass(frozen=True)
class Sliding:
    """A window of ``kernel`` over an image (rows, columns); ``output`` has as many rows and columns."""

    image: Pair
    kernel: Pair
    stride: Pair
    padding: Pair
    output: Pair

    @property
    def words(self) -> str:
        """Such as "stride 2 x 1, padding 0"."""
        return f"stride {pair(self.stride)}, padding {pair(self.padding)}"

    @property
    def arguments(self) -> dict[str, Any]:
        """What a convolution is told."""
        return {"stride": self.stride, "padding": self.padding}

    @property
    def plain(self) -> bool:
        """Whether it goes by steps of one, and nowhere beyond the image."""
        return self.stride == (1, 1) and self.padding == (0, 0)

    @property
    def overlaps(self) -> bool:
        """Whether windows share cells."""
        return any(step < width for step, width in zip(self.stride, self.kernel, strict=True))

    @property
    def products(self) -> int:
        """Weights times windows: how many products a channel takes."""
        return self.kernel[0] * self.kernel[1] * self.output[0] * self.output[1]


def pair(sizes: Pair) -> str:
    """One number for both axes, or one for each: "2", "2 x 1"."""
    return str(sizes[0]) if sizes[0] == sizes[1] else times(sizes)


def two(rng: Random, low: int, high: int) -> Pair:
    """A number for the rows and one for the columns, from ``low`` to ``high``."""
    rows, columns = rng.integers(low, high, 2, endpoint=True)
    return int(rows), int(columns)


def draw_sliding(
    rng: Random,
    sizes: Pair,
    accept: Callable[[Sliding], bool],
    *,
    kernels: tuple[Pair, ...] = _KERNELS,
    padding: int = 1,
) -> Sliding:
    """A window over an image of ``sizes[0]`` to ``sizes[1]`` rows and columns, that ``accept`` takes.

    Steps are one or two, paddings up to ``padding``, the output has two or three rows and columns.
    """
    while True:
        image, kernel = two(rng, *sizes), pick(rng, kernels)
        stride, pad = two(rng, 1, 2), two(rng, 0, padding)
        output = window(image, kernel, stride=stride, padding=pad).output
        drawn = Sliding(image, kernel, stride, pad, output)
        if set(output) <= {2, 3} and accept(drawn):
            return drawn
