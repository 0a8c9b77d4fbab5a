"""The numbers of a slot of recorded calls, see `recorded_calls`; with a shape, where the row says it."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.shared_memory import bools_at, bytes_at, doubles_at, floats_at, integers_at


@kernel
def floats_of(slots: Any, slot: int, image: int) -> Any:
    """The numbers of a slot from those of ``image`` on."""
    address, size, step = slots[slot, 0], slots[slot, 1], slots[slot, 2]
    return floats_at(address + 4 * image * step, size - image * step)


@kernel
def doubles(slots: Any, slot: int) -> Any:
    """The numbers of a slot that holds float64."""
    return doubles_at(slots[slot, 0], slots[slot, 1])


@kernel
def row_of(slots: Any, c: Any, at: int) -> Any:
    """The slot whose number and length stand at ``at`` in a row, as an array (F,)."""
    return floats_at(slots[c[at], 0], c[at + 1])


@kernel
def matrix_of(slots: Any, c: Any, at: int) -> Any:
    """The same with two axes."""
    shape = (c[at + 1], c[at + 2])
    return floats_at(slots[c[at], 0], shape[0] * shape[1]).reshape(shape)


@kernel
def doubles_of(slots: Any, c: Any, at: int) -> Any:
    """The same of float64."""
    shape = (c[at + 1], c[at + 2])
    return doubles_at(slots[c[at], 0], shape[0] * shape[1]).reshape(shape)


@kernel
def panels_of(slots: Any, c: Any, at: int) -> Any:
    """The same with three axes."""
    shape = (c[at + 1], c[at + 2], c[at + 3])
    return floats_at(slots[c[at], 0], shape[0] * shape[1] * shape[2]).reshape(shape)


@kernel
def maps_of(slots: Any, c: Any, at: int) -> Any:
    """The same with four axes."""
    shape = (c[at + 1], c[at + 2], c[at + 3], c[at + 4])
    return floats_at(slots[c[at], 0], shape[0] * shape[1] * shape[2] * shape[3]).reshape(shape)


@kernel
def indices_of(slots: Any, c: Any, at: int) -> Any:
    """The same of uint8."""
    shape = (c[at + 1], c[at + 2], c[at + 3], c[at + 4])
    return bytes_at(slots[c[at], 0], shape[0] * shape[1] * shape[2] * shape[3]).reshape(shape)


@kernel
def mask_of(slots: Any, c: Any, at: int) -> Any:
    """The same of bool, with two axes."""
    shape = (c[at + 1], c[at + 2])
    return bools_at(slots[c[at], 0], shape[0] * shape[1]).reshape(shape)


@kernel
def integers_of(slots: Any, slot: int, size: int) -> Any:
    """``size`` whole numbers of a slot."""
    return integers_at(slots[slot, 0], size)


@kernel
def number_of(c: Any, at: int) -> Any:
    """The float64 whose bits stand at ``at`` in a row."""
    return doubles_at(c.ctypes.data + 8 * at, 1)[0]
