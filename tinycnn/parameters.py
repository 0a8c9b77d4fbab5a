"""Named arrays in one flat buffer: parameters, gradients, an optimizer's velocities."""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_input_array, expect_shape, read_only
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.runtime import memory

Shapes = Mapping[str, tuple[int, ...]]


class FlatArrays(Mapping[str, Array]):
    """Arrays by name ("conv1.W"), each a view of ``flat``, in order and without gaps.

    ``shapes`` by name and ``dtype`` say which; ``zero`` fills them with 0. ``arrays[name] = values``
    writes values into the view; shapes never change. A name that is not there raises
    UnknownNameError, values of another shape ShapeError, read-only arrays ArgumentError.
    """

    _frozen: FlatArrays | None  # `read_only`, once it has been asked for

    def __init__(self, shapes: Shapes, dtype: np.dtype[Any], *, zero: bool = False) -> None:
        size = sum(math.prod(shape) for shape in shapes.values())
        make = memory.zeros if zero else memory.empty
        self._bind(dict(shapes), make((size,), dtype))

    def __getitem__(self, name: str) -> Array:
        if name not in self._views:
            raise UnknownNameError(
                f"no array is named {name!r}; there are {', '.join(self._views)}"
            )
        return self._views[name]

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        view = self[name]
        if values is not view:
            if not view.flags.writeable:
                raise ArgumentError(
                    f"{name} is read-only here; change parameters inside `with model.edit() as p:`"
                )
            array = as_input_array(values, name, "...", view.dtype)
            expect_shape(array, view.shape, name, "its shape here")
            view[...] = array

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __contains__(self, name: object) -> bool:
        return name in self._views

    def of(self, layer: str) -> dict[str, Array]:
        """Arrays of one ``layer`` by their own names: ``{"W": ..., "b": ...}``."""
        return dict(self._of_layers.get(layer, {}))

    @cached_property
    def _of_layers(self) -> dict[str, dict[str, Array]]:
        result: dict[str, dict[str, Array]] = {}
        for name, view in self._views.items():
            layer, _, own = name.partition(".")
            result.setdefault(layer, {})[own] = view
        return result

    def read_only(self) -> FlatArrays:
        """The same memory, not to be written through."""
        if self._frozen is None:
            self._frozen = self.on(read_only(self.flat))
        return self._frozen

    def on(self, flat: Array) -> FlatArrays:
        """Arrays of the same names and shapes on other memory, the buffer ``flat``."""
        twin = object.__new__(FlatArrays)
        twin._bind(self._shapes, flat)
        return twin

    def _bind(self, shapes: dict[str, tuple[int, ...]], flat: Array) -> None:
        self._shapes = shapes
        self.flat = flat
        self._frozen = None

    @cached_property
    def _views(self) -> dict[str, Array]:
        """Made when somebody asks for one: an optimizer takes ``flat``."""
        views, start = {}, 0
        for name, shape in self._shapes.items():
            end = start + math.prod(shape)
            views[name] = self.flat[start:end].reshape(shape)
            start = end
        return views

    def has(self, shapes: Shapes) -> bool:
        """Whether these are the names and shapes, in this order."""
        return self._shapes == shapes and [*self._shapes] == [*shapes]

    def handed_out(self) -> list[Array]:
        """The buffer, and the views that anybody has asked for so far."""
        return [self.flat, *vars(self).get("_views", {}).values()]

    # Views copied or pickled one by one would come apart from the buffer.
    def __getstate__(self) -> tuple[dict[str, tuple[int, ...]], Array]:
        return self._shapes, self.flat

    def __setstate__(self, state: tuple[dict[str, tuple[int, ...]], Array]) -> None:
        self._bind(*state)


class Block:
    """What a ``with`` block holds: gone with it, however it ends."""


class Edit:
    """Arrays handed out for writing; knows whether anybody can still write to them."""

    def __init__(self, arrays: FlatArrays, block: Block) -> None:
        """Open until `close`, or until ``block`` is gone: an interrupt may come before `close`."""
        self._block = weakref.ref(block)
        # NumPy lets a view of a view refer to the array that owns the memory. Here that is the door,
        # for what a door stands on is no array: so whoever holds a slice refers to the door.
        self._door = np.asarray(arrays.flat.data)
        self.arrays = arrays.on(self._door.view())
        self._own_references = sys.getrefcount(self._door) - len(self.arrays.handed_out())

    def close(self) -> None:
        """Make what was handed out read-only."""
        for array in self.arrays.handed_out():
            array.flags.writeable = False

    def may_write(self) -> bool:
        """Whether it is open, or somebody holds a slice that was made while it was."""
        if self._block() is None:
            self.close()
        own = self._own_references + len(self.arrays.handed_out())
        slices = sys.getrefcount(self._door) - own
        return self.arrays.flat.flags.writeable or slices > 0
