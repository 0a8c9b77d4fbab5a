"""Kinks: where a layer is not smooth, and which side of each a pass took.

A ReLU's mask and a max-pool's argmax say which side each cell took; between two points where none of
them changes, the built-in layers are smooth. A kind of layer is known by its entry in `KINKS`, a line
a kind, which may be somebody's own:

    KINKS.register(MyLayer)(lambda layer: Kink("threshold", lambda y, saved: y > 1))
    KINKS.register(MySmoothLayer)(lambda layer: None)

A layer without an entry, one that extends a built-in layer among them, may have kinks of any kind:
there the differences themselves have to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
    Registry,
    ReLU,
    Softmax,
)
from tinycnn.trace import Trace


@dataclass(frozen=True)
class Kink:
    """What a layer decides in a pass: ``sides(y, saved)`` is an array that changes with every crossing."""

    name: str  # "ReLU", as in "conv1's ReLU"
    sides: Callable[[Array, Any], Array]


MASK = Kink("ReLU", lambda y, saved: y > 0)
ARGMAX = Kink("maximum", lambda y, saved: saved[0])

# A layer's kink, None for a smooth layer; no entry: not known.
KINKS: Registry[Callable[[Layer], Kink | None] | None] = Registry(None, subclasses=False)


@KINKS.register(AveragePool2D)
@KINKS.register(Dropout)
@KINKS.register(Flatten)
@KINKS.register(LocalResponseNorm)
@KINKS.register(Softmax)
def _smooth(layer: Layer) -> None:
    return None


@KINKS.register(Conv2D)
@KINKS.register(Dense)
@KINKS.register(ReLU)
def _of_activation(layer: Layer) -> Kink | None:
    return MASK if layer.activation == "relu" else None


@KINKS.register(MaxPool2D)
def _of_maximum(layer: Layer) -> Kink:
    return ARGMAX


def known(layer: Layer) -> bool:
    """Whether every kink of ``layer`` is seen."""
    return KINKS.of(layer) is not None


def kink_of(layer: Layer) -> Kink | None:
    """The kink of a layer; None where it has none, or where it is not known."""
    entry = KINKS.of(layer)
    return None if entry is None else entry(layer)


def sides(layer: Layer, y: Array, saved: Any) -> list[Array]:
    """What the kink of a layer decided in a pass, if it has one."""
    kink = kink_of(layer)
    return [] if kink is None else [kink.sides(y, saved)]


def sides_of_trace(trace: Trace) -> list[Array]:
    """What the kinks of all layers decided in a pass."""
    return [one for r in trace.records for one in sides(r.layer, r.y, r.saved)]


def places(layers: Iterable[Layer]) -> tuple[str, ...]:
    """Name the kinks of a chain of layers, in their order: "conv1's ReLU", "pool1's maximum"."""
    kinks = ((layer, kink_of(layer)) for layer in layers)
    return tuple(f"{layer.name}'s {kink.name}" for layer, kink in kinks if kink is not None)


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
