"""Feature maps in one flat float32 buffer, with a border of zeros, as the SIMD kernels read them.

A window that hangs over an image's edge reads the border, so the loops know no edges. Kernels are
handed the flat buffer, the place of image 0's cell (0, 0) and the strides, all counted in floats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.arrays import Array, row_major
from tinycnn.kernels.simd import LANES
from tinycnn.runtime import memory
from tinycnn.validation import Pair

Border = tuple[tuple[int, int], tuple[int, int]]
NO_BORDER: Border = ((0, 0), (0, 0))


@dataclass(frozen=True)
class FeatureMaps:
    """N images of (H, W, C): cell (n, h, w, c) is ``flat[start + n*image + h*row + w*column + c]``."""

    flat: Any  # float32, or what stands for it where calls are recorded
    shape: tuple[int, int, int, int]
    start: int
    image: int
    row: int
    column: int

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Start and strides (start, image, row, column), as kernels take them."""
        return self.start, self.image, self.row, self.column

    @classmethod
    def of(cls, array: Array) -> FeatureMaps:
        """The cells of a C-contiguous array (N, H, W, C), without a border and without a copy."""
        N, H, W, C = array.shape
        flat, (image, row, column, _) = row_major(array)
        return cls(flat, (N, H, W, C), 0, image, row, column)

    @classmethod
    def plain(cls, flat: Any, shape: tuple[int, int, int, int]) -> FeatureMaps:
        """The numbers of ``flat`` as images without a border."""
        _, H, W, C = shape
        return cls(flat, shape, 0, H * W * C, W * C, C)

    @classmethod
    def zeros(cls, shape: tuple[int, int, int, int], border: Border = NO_BORDER) -> FeatureMaps:
        """Zeros, with ``border`` ((top, bottom), (left, right)) around each image.

        Channels are rounded up to whole vectors; whoever writes only cells of the images keeps the
        rest zero, from use to use.
        """
        return cls.bordered(aligned_zeros, shape, border)

    @classmethod
    def bordered(
        cls,
        make: Callable[[int], Any],
        shape: tuple[int, int, int, int],
        border: Border,
        *,
        whole_vectors: bool = True,
    ) -> FeatureMaps:
        """The same on the zeros that ``make`` gives when it is told how many.

        Without ``whole_vectors`` channels are not rounded up.
        """
        N, H, W, C = shape
        (top, bottom), (left, right) = border
        column = round_up(C, LANES) if whole_vectors else C
        row = (left + W + right) * column
        image = (top + H + bottom) * row
        return cls(make(N * image), shape, top * row + left * column, image, row, column)

    def view(self) -> Array:
        """The images as an array (N, H, W, C) on the same memory."""
        strides = (4 * self.image, 4 * self.row, 4 * self.column, 4)
        return np.lib.stride_tricks.as_strided(self.flat[self.start :], self.shape, strides)

    def select(self, first: int, last: int) -> FeatureMaps:
        """Images ``first`` to ``last`` (not included), on the same memory."""
        shape = (last - first, *self.shape[1:])
        start = self.start + first * self.image
        return FeatureMaps(self.flat, shape, start, self.image, self.row, self.column)

    def every(self, stride: Pair, first: Pair, size: Pair) -> FeatureMaps:
        """Maps of ``size`` (height, width), on the same memory: cells ``stride`` apart from ``first`` on."""
        N, _, _, C = self.shape
        start = self.start + first[0] * self.row + first[1] * self.column
        row, column = stride[0] * self.row, stride[1] * self.column
        return FeatureMaps(self.flat, (N, *size, C), start, self.image, row, column)


def round_up(number: int, multiple: int) -> int:
    """The least multiple of ``multiple`` that is not below ``number``."""
    return -(-number // multiple) * multiple


def aligned_zeros(size: int) -> Array:
    """``size`` float32 zeros that begin at a cache line."""
    zeros = memory.aligned((size,), np.dtype(np.float32))
    zeros[:] = 0
    return zeros
