"""Layers put in a row: checked, named, and the shapes of all that they give and hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinycnn.errors import ArgumentError
from tinycnn.layers import Layer, Shape
from tinycnn.layers.base import naming
from tinycnn.ownership import owner
from tinycnn.validation import MOST_CELLS, check_int, check_items


@dataclass(frozen=True)
class Chain:
    """``shapes`` are those of one sample before each layer and after the last.

    ``parameters`` and ``state`` are shapes by name, such as "conv1.W", in layer order.
    """

    shapes: tuple[Shape, ...]
    parameters: Mapping[str, Shape]
    state: Mapping[str, Shape]


def chain(layers: Sequence[Layer], input_shape: Shape) -> Chain:
    """Name those of ``layers`` that have no name, and work out all shapes.

    Raises ShapeError where a layer does not fit its input, and ArgumentError for what is no layer, two
    layers of one name, or a layer that has its place already.
    """
    _refuse_taken(layers)
    _name(layers)
    shapes = [input_shape]
    parameters: dict[str, Shape] = {}
    state: dict[str, Shape] = {}
    for layer in layers:
        with naming(layer):
            output = check_shape(layer.output_shape(shapes[-1]), "what output_shape returns")
            parameters |= _named(layer, layer.parameter_shapes(shapes[-1]))
            state |= _named(layer, layer.state_shapes(shapes[-1]))
        shapes.append(output)
    return Chain(tuple(shapes), parameters, state)


def check_shape(value: Any, name: str) -> Shape:
    """Read a shape of sizes from 1 up."""
    sizes = check_items(value, name, "a shape such as (H, W, C) or (D,)")
    return tuple(check_int(size, f"each size of {name}", most=MOST_CELLS) for size in sizes)


def _named(layer: Layer, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    return {
        f"{layer.name}.{name}": check_shape(shape, f"the shape of {name}")
        for name, shape in shapes.items()
    }


def _refuse_taken(layers: Sequence[Layer]) -> None:
    """Refuse what is no layer, and a layer that has its place already."""
    if not layers:
        raise ArgumentError("a model needs at least one layer")
    for position, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            raise ArgumentError(f"layer {position} must be a tinycnn.layers.Layer, got {layer!r}")
        twice = any(layer is other for other in layers[:position])
        if twice or owner(layer) is not None:
            raise ArgumentError(
                f"{layer!r} is already part of a model; make a layer of its own for each place"
            )


def _name(layers: Sequence[Layer]) -> None:
    """Name the layers that have no name, and refuse names that are taken."""
    names = [layer.name for layer in layers if layer.name is not None]
    for name in names:
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(f"a layer's name must be a text without dots, got {name!r}")
        if names.count(name) > 1:
            raise ArgumentError(f"two layers are named {name!r}; names must differ")
    for layer in layers:
        if layer.name is None:
            free = (f"{layer.stem}{i}" for i in range(1, len(layers) + 1))
            layer.name = next(name for name in free if name not in names)
            names.append(layer.name)
