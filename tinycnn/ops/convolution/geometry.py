"""The sizes of one checked convolution, as every algorithm gets them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from tinycnn.arrays import Array
from tinycnn.shapes import Window


@dataclass(frozen=True)
class Geometry:
    """A convolution of N images of C channels with F filters in groups, through ``window``."""

    N: int
    C: int
    F: int
    groups: int
    window: Window

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        """Shape (N, H, W, C) of the input."""
        return (self.N, self.window.height.input, self.window.width.input, self.C)

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        """Shape (N, OH, OW, F) of the output."""
        return (self.N, *self.window.output, self.F)

    @property
    def cells_per_image(self) -> int:
        """Output cells of one image, OH*OW."""
        return self.window.output[0] * self.window.output[1]

    @property
    def weights(self) -> int:
        """Numbers of W."""
        return self.window.cells * (self.C // self.groups) * self.F

    @property
    def seen_per_image(self) -> int:
        """Numbers of an image with as much of its border as windows see."""
        axes = self.window.height, self.window.width
        return prod(axis.input + sum(axis.seen_outside) for axis in axes) * self.C

    def group_slices(self) -> list[tuple[slice, slice]]:
        """For each group, its slice of the channels and its slice of the filters."""
        Cg, Fg = self.C // self.groups, self.F // self.groups
        return [
            (slice(g * Cg, (g + 1) * Cg), slice(g * Fg, (g + 1) * Fg)) for g in range(self.groups)
        ]


def rows(y: Array) -> Array:
    """View (N, OH, OW, F) as a matrix, a row for each output cell: (N*OH*OW, F)."""
    return y.reshape(-1, y.shape[3])
