"""Kinks: where a layer is not smooth, and which side of each a pass took.

A ReLU's mask and a max-pool's argmax say which side each cell took; between two points where none of
them changes, the built-in layers are smooth. A layer that is smooth but for its activation says so itself
(`Layer.smooth`); one that has kinks has an entry in `KINKS`, which may be somebody's own:

    KINKS.register(MyLayer)(lambda layer: (Kink("threshold", lambda y, saved: y > 1),))

A layer that does neither, one that extends a built-in layer among them, and an activation that is not in
`ACTIVATIONS` may have kinks of any kind: there the differences themselves have to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tinycnn.arrays import Array, first_cell
from tinycnn.layers import Layer, MaxPool2D, Registry
from tinycnn.layers.activation import IDENTITY, RELU, SOFTMAX, Activation
from tinycnn.trace import Trace


@dataclass(frozen=True)
class Kink:
    """What a layer decides in a pass: ``sides(y, saved)`` is an array that changes with every crossing."""

    name: str  # "ReLU", as in "conv1's ReLU"
    sides: Callable[[Array, Any], Array]


Kinks = tuple[Kink, ...] | None  # all that a layer has, none (): it is smooth; None: not known

MASK = Kink("ReLU", lambda y, saved: y > 0)
ARGMAX = Kink("maximum", lambda y, saved: saved[0])

ACTIVATIONS: dict[Activation, Kinks] = {IDENTITY: (), SOFTMAX: (), RELU: (MASK,)}


def of_activation(layer: Layer) -> Kinks:
    """Those of the activation, of a layer that is smooth itself; else None."""
    smooth = layer.smooth and layer.says("smooth")
    return ACTIVATIONS.get(layer.activation) if smooth else None


KINKS: Registry[Callable[[Layer], Kinks]] = Registry(of_activation, subclasses=False)


@KINKS.register(MaxPool2D)
def _of_maximum(layer: Layer) -> Kinks:
    return (ARGMAX,)


def kinks_of(layer: Layer) -> Kinks:
    """The kinks of a layer, None where not all of them are known."""
    return KINKS.of(layer)(layer)


def sides(layer: Layer, y: Array, saved: Any) -> list[Array]:
    """What the known kinks of a layer decided in a pass."""
    return [kink.sides(y, saved) for kink in kinks_of(layer) or ()]


def sides_of_trace(trace: Trace) -> list[Array]:
    """What the known kinks of all layers decided in a pass."""
    return [one for r in trace.records for one in sides(r.layer, r.y, r.saved)]


def places(layers: Iterable[Layer]) -> tuple[str, ...]:
    """Name the kinks of a chain of layers, in their order: "conv1's ReLU", "pool1's maximum"."""
    return tuple(
        f"{layer.name}'s {kink.name}" for layer in layers for kink in kinks_of(layer) or ()
    )


def flipped(before: Sequence[Array], after: Sequence[Array], places: Sequence[str]) -> str:
    """Say which kink was crossed first, and where: "conv1's ReLU at (0, 3, 2, 1)"; "" for none."""
    for i, (one, other) in enumerate(zip(before, after, strict=True)):
        place = places[i] if i < len(places) else f"kink {i}"
        if one.shape != other.shape:
            return place
        changed = one != other
        if changed.any():
            return f"{place} at ({', '.join(map(str, first_cell(changed)))})"
    return ""
