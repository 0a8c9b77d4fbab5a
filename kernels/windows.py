"""Which cells a window sees on one axis, and which windows see a cell."""

from __future__ import annotations

from tinycnn.kernels.jit import kernel


@kernel
def windows_at(place: int, length: int, stride: int, count: int) -> tuple[int, int]:
    """The first window that holds cell ``place`` of a padded axis, and how many do."""
    first = max(-((length - 1 - place) // stride), 0)
    return first, max(min(place // stride + 1, count) - first, 0)


@kernel
def extent(
    cell: int, length: int, stride: int, padding: int, size: int, limit: int, include_pad: bool
) -> tuple[int, int, int]:
    """On one axis: the first cell of the image that a window sees, the one after the last, and its count."""
    start = cell * stride - padding
    stop = min(start + length, limit)
    first, last = max(start, 0), min(stop, size)
    return first, last, stop - start if include_pad else last - first
