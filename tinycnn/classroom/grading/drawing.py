"""Arrays drawn as small matrices, side by side and no wider than a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.examples.arithmetic import Value, text
from tinycnn.explain.examples.example_text import matrices
from tinycnn.explain.readers.style import WIDTH

Cut = tuple[int | slice, ...]
_DRAWN = 200  # an array of more numbers is told by its shape


def drawn(arrays: Iterable[tuple[str, str, Array]]) -> Iterator[str]:
    """Arrays as matrices side by side, each under a word and its name; where one is large, shapes."""
    everything = list(arrays)
    by_hand = all(array.size <= _DRAWN for _, _, array in everything)
    shown = [one for one in everything if by_hand and one[2].size]
    yield ""
    yield from matrices([value for one in shown for value in _matrices(*one)])
    for before, name, array in everything:
        if not by_hand or not array.size:
            yield f"  {before}{name}: shape {array.shape}"


def _matrices(before: str, name: str, array: Array) -> Iterator[Value]:
    """An array; those of images and kernels map by map, wide ones a few columns at a time."""
    whole: Cut = (slice(None),) * array.ndim
    for index in _cuts(name, array.shape) if array.ndim == 4 else [whole]:
        for cut in _narrow(index, array):
            if cut == whole:
                place = f" {array.shape}" if array.ndim else ""
            else:
                place = f"[{', '.join(map(_place, cut))}]"
            part = array[cut]
            yield Value(f"{before}{name}{place}", part, part.shape or (1,), _texts(part))


def _narrow(index: Cut, array: Array) -> Iterator[Cut]:
    """A cut, in parts that fit side by side into the width."""
    part = array[index]
    if not part.ndim:
        yield index
        return
    widest = max(map(len, _texts(part) or map(text, map(float, part.flat))))
    most = max(1, WIDTH // (widest + 2) - 1)
    if part.shape[-1] <= most:
        yield index
        return
    last = max(axis for axis, place in enumerate(index) if isinstance(place, slice))
    for start in range(0, part.shape[-1], most):
        columns = slice(start, min(start + most, part.shape[-1]))
        yield (*index[:last], columns, *index[last + 1 :])


def _place(index: int | slice) -> str:
    if not isinstance(index, slice):
        return str(index)
    return ":" if index.stop is None else f"{index.start}:{index.stop}"


def _cuts(name: str, shape: tuple[int, ...]) -> Iterator[Cut]:
    """The cuts through four axes that are drawn as a matrix each."""
    whole = slice(None)
    if name.lstrip("d").startswith("W"):  # (KH, KW, C, F): the map comes first
        yield from ((whole, whole, c, f) for c, f in np.ndindex(shape[2:]))
    elif shape[1:3] == (1, 1):  # one pixel: its channels in a row
        yield from ((n, 0, 0, whole) for n in range(shape[0]))
    else:
        yield from ((n, whole, whole, c) for n, c in np.ndindex(shape[0], shape[3]))


def _texts(array: Array) -> tuple[str, ...]:
    return tuple(map(str, array.ravel())) if array.dtype == np.bool_ else ()
