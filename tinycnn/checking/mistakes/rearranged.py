"""The right numbers in the wrong places: transposed, flipped, shifted, channels in another order.

All of these are permutations of cells, so a few known numbers of a large tensor are enough: each is
looked up where the mistake would have put it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.axis_names import axis_names, is_kernel
from tinycnn.checking.mistakes.mistake import MistakenArray

_FARTHEST = 3  # cells of a shift
_MOST_PLACES = 64  # of an axis that is reordered: channels, not pixels


def rearrangements(name: str, array: Array) -> Iterator[MistakenArray]:
    """An array in all the ways that its cells are usually mixed up; NaN for cells from outside."""
    yield from flipped(name, array)
    yield from transposed(name, array)
    yield from reordered(name, array)
    yield from shifted(name, array)


def rotated180(array: Array, axes: tuple[int, int] = (0, 1)) -> Array:
    """A kernel, or with other ``axes`` images, turned by 180 degrees."""
    return np.flip(array, axes)


def height_and_width_swapped(array: Array, axes: tuple[int, int] = (0, 1)) -> Array:
    """A kernel, or with other ``axes`` images, with rows and columns exchanged."""
    return array.swapaxes(*axes)


def spatial(name: str, array: Array) -> tuple[tuple[int, int], ...]:
    """Which two axes are height and width: channels last, then channels first."""
    if array.ndim == 4:
        return ((0, 1) if is_kernel(name, array) else (1, 2)), (2, 3)
    return ((0, 1),) if array.ndim in (2, 3) else ()


def flipped(name: str, array: Array) -> Iterator[MistakenArray]:
    """Both axes of the window reversed, or one axis of any array."""
    what = "kernel" if is_kernel(name, array) else "image"
    for axes in spatial(name, array):
        if any(array.shape[axis] > 1 for axis in axes):
            words = f"the {what} turned by 180 degrees (axes {axes[0]} and {axes[1]} reversed)"
            yield MistakenArray(f"flipped {what}", words, rotated180(array, axes))
    for axis, size in enumerate(array.shape):
        if size > 1:
            words = f"{axis_names(name, array)[axis]} (axis {axis}) reversed"
            yield MistakenArray(f"flipped {what}", words, np.flip(array, axis))


def transposed(name: str, array: Array) -> Iterator[MistakenArray]:
    """The axes in another order, and read as the shape it should have."""
    if not 2 <= array.ndim <= 4:
        return
    plain = tuple(range(array.ndim))
    orders = [order for order in permutations(plain) if order != plain]
    for order in sorted(
        orders, key=lambda order: sum(a != b for a, b in zip(order, plain, strict=True))
    ):
        moved = tuple(axis for axis in plain if order[axis] != axis)
        if array.ndim == 4 and moved == spatial(name, array)[0]:
            kind = "height and width swapped"
        else:
            kind = "transposed"
        names = axis_names(name, array)
        words = (
            f"{', '.join(names[axis] for axis in order)} in place of {', '.join(names)}: "
            f"{kind}, transpose{order}"
        )
        other = array.transpose(order)
        if other.shape != array.shape:
            words += f" read as {array.shape}"
        yield MistakenArray(kind, words, other.reshape(array.shape))


def reordered(name: str, array: Array) -> Iterator[MistakenArray]:
    """One axis with its groups interleaved, or the groups in another order."""
    for axis in range(array.ndim - 1, -1, -1):
        size, label = array.shape[axis], axis_names(name, array)[axis]
        if size > _MOST_PLACES:
            continue
        kind = "channel order" if axis == array.ndim - 1 or label in ("C", "F") else "order"
        for groups in (g for g in range(2, size) if size % g == 0):
            order = np.arange(size).reshape(groups, -1).T.ravel()
            words = f"{label} (axis {axis}) interleaved: {groups} groups of {size // groups} mixed"
            yield MistakenArray(kind, words, np.take(array, order, axis))
        for steps in range(1, size):
            words = f"{label} (axis {axis}) rotated by {steps}: the gradient of another one"
            yield MistakenArray(kind, words, np.roll(array, steps, axis))


def shifted(name: str, array: Array) -> Iterator[MistakenArray]:
    """Height and width moved by a few cells."""
    reach = range(-_FARTHEST, _FARTHEST + 1)
    shifts = sorted(
        ((down, right) for down in reach for right in reach if (down, right) != (0, 0)),
        key=lambda shift: (abs(shift[0]) + abs(shift[1]), shift),
    )
    for axes in spatial(name, array):
        for shift in shifts:
            words = (
                f"the right gradient moved by {shift[0]} and {shift[1]} cells along axes {axes[0]} and "
                f"{axes[1]}, as if the padding were another"
            )
            yield MistakenArray("off by padding", words, moved(array, axes, shift, fill=np.nan))


def moved(array: Array, axes: tuple[int, int], shift: tuple[int, int], *, fill: float) -> Array:
    """An array moved along two axes, ``fill`` where nothing comes from."""
    result = np.full(array.shape, fill)
    to, of = [slice(None)] * array.ndim, [slice(None)] * array.ndim
    for axis, steps in zip(axes, shift, strict=True):
        size = array.shape[axis]
        to[axis] = slice(max(steps, 0), max(size + min(steps, 0), 0))
        of[axis] = slice(max(-steps, 0), max(size - max(steps, 0), 0))
    result[tuple(to)] = array[tuple(of)]
    return result
