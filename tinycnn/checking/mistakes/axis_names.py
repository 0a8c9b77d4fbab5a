"""What the axes of an array are usually called, channels last, told by its name and their number."""

from __future__ import annotations

from tinycnn.arrays import Array

_IMAGES, _MAPS = ("N", "H", "W", "C"), ("N", "OH", "OW", "F")


def is_kernel(name: str, array: Array) -> bool:
    """Whether an array is a layer's weights, by its name: W, w2, weights, kernel, filters."""
    return array.ndim > 1 and name.rpartition(".")[2][:1].lower() in ("w", "k", "f")


def axis_names(name: str, array: Array) -> tuple[str, ...]:
    """The axes of an array that forward takes: ("KH", "KW", "C", "F") of a convolution's weights."""
    if is_kernel(name, array):
        usual: dict[int, tuple[str, ...]] = {2: ("D", "F"), 4: ("KH", "KW", "C", "F")}
    else:
        usual = {1: ("F",), 2: ("N", "D"), 4: _IMAGES}
    return usual.get(array.ndim, tuple(f"axis {axis}" for axis in range(array.ndim)))


def output_axes(y: Array) -> tuple[str, ...]:
    """The axes of an output: ("N", "OH", "OW", "F") of feature maps."""
    usual = {1: ("N",), 2: ("N", "F"), 4: _MAPS}
    return usual.get(y.ndim, tuple(f"axis {axis}" for axis in range(y.ndim)))
