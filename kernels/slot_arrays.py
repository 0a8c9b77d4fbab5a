"""The arrays that stand in the slots of recorded calls, see `recorded_calls`."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.shared_memory import bytes_at, doubles_at, floats_at


@kernel
def floats(slots: Any, slot: int, image: int) -> Any:
    """The floats of a slot from those of ``image`` on."""
    address, size, step = slots[slot, 0], slots[slot, 1], slots[slot, 2]
    return floats_at(address + 4 * image * step, size - image * step)


@kernel
def doubles(slots: Any, slot: int) -> Any:
    """The numbers of a slot that holds float64."""
    return doubles_at(slots[slot, 0], slots[slot, 1])


@kernel
def small_numbers(slots: Any, slot: int) -> Any:
    """The numbers of a slot that holds uint8."""
    return bytes_at(slots[slot, 0], slots[slot, 1])
