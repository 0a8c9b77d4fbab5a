"""Which side every kink of a pass took: ReLU's masks and the winners of max-pools.

Between two points where nothing of this changes, the built-in layers are smooth. Other kinks exist
only in layers written by users, which `known` tells apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.layers.activation import RELU
from tinycnn.trace import Trace

_KNOWN = (
    AveragePool2D, Conv2D, Dense, Dropout, Flatten, LocalResponseNorm, MaxPool2D, ReLU, Softmax,
)  # fmt: skip


def known(layer: Layer) -> bool:
    """Whether every kink of ``layer`` is seen: of the built-in ones, not of what extends them."""
    return type(layer) in _KNOWN and layer.computes_as(type(layer))


def place_of(layer: Layer) -> str:
    """Name the kinks of a known layer: "pool1's maximum", "" if it has none."""
    if isinstance(layer, MaxPool2D):
        return f"{layer.name}'s maximum"
    return f"{layer.name}'s ReLU" if layer.activation is RELU else ""


def decided(layer: Layer, y: Array, saved: Any) -> Array | None:
    """What the kinks of a known layer decided: winners or a mask; None if it has none."""
    if isinstance(layer, MaxPool2D):
        winner: Array = saved[0]
        return winner
    return y > 0 if layer.activation is RELU else None


def places(layers: Iterable[Layer]) -> tuple[str, ...]:
    """Name the kinks of a chain of layers, in their order."""
    return tuple(place_of(layer) for layer in layers if known(layer) and place_of(layer))


def of_trace(trace: Trace) -> list[Array]:
    """What these kinks decided in a pass."""
    found = (
        decided(record.layer, record.y, record.saved)
        for record in trace.records
        if known(record.layer)
    )
    return [one for one in found if one is not None]


def flipped(before: Sequence[Array], after: Sequence[Array], places: Sequence[str]) -> str:
    """Say which kink was crossed first, and where: "conv1's ReLU at (0, 3, 2, 1)"; "" for none."""
    for i, (one, other) in enumerate(zip(before, after, strict=True)):
        place = places[i] if i < len(places) else f"kink {i}"
        if one.shape != other.shape:
            return place
        changed = one != other
        if changed.any():
            cell = np.unravel_index(int(changed.argmax()), changed.shape)
            return f"{place} at ({', '.join(str(int(c)) for c in cell)})"
    return ""
