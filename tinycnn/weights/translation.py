"""How other engines keep a layer's arrays: `TORCH` and `KERAS`, by the kind of layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.layers import Layer, Registry, Shape
from tinycnn.model import Sequential
from tinycnn.weights.layouts import channels_last


@dataclass(frozen=True)
class Arrays:
    """The arrays of a kind of layer in another engine.

    ``names`` are theirs by ours, in their order. ``axes`` says which of our axes theirs are, by our name of
    an array, where they differ. ``by_feature`` are those whose first axis runs over the input's cells, in an
    engine that flattens images channel by channel; with ``keeps_order``, so does the output. Those
    ``by_channel`` may come with filters counted channel by channel, (..., C, M) for our (..., 1, C * M).
    """

    names: Mapping[str, str]
    axes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    by_feature: tuple[str, ...] = ()
    keeps_order: bool = False
    by_channel: tuple[str, ...] = ()


TORCH: Registry[Arrays | None] = Registry(None)
KERAS: Registry[Arrays | None] = Registry(None)


@dataclass(frozen=True)
class LayerArrays:
    """A layer that has arrays, where it stands, and their shapes by our names.

    ``image`` is (H, W, C) where the layer's input is one or was flattened from one, else (D,).
    """

    layer: Layer
    arrays: Arrays
    shapes: Mapping[str, Shape]
    image: Shape

    @property
    def name(self) -> str:
        """The layer's name."""
        return str(self.layer.name)

    def their_shape(self, name: str) -> Shape:
        """The shape in which they keep our array of that name."""
        shape = self.shapes[name]
        return tuple(shape[axis] for axis in self._axes(name))

    def one_row(self, name: str, theirs: Array) -> Array:
        """Their array with all filters in one row, where it may and does count them channel by channel."""
        shape, C = self.shapes[name], self.image[-1]
        if name not in self.arrays.by_channel or shape[-2] != 1:
            return theirs
        counted = theirs.shape == (*shape[:-2], C, shape[-1] // C)
        return theirs.reshape(shape) if counted else theirs

    def ours(self, name: str, theirs: Array) -> Array:
        """Their array in our order."""
        axes = self._axes(name)
        array = theirs.transpose([axes.index(axis) for axis in range(len(axes))])
        turns = name in self.arrays.by_feature and len(array) == math.prod(self.image)
        return channels_last(array, self.image) if turns else array

    def _axes(self, name: str) -> tuple[int, ...]:
        return self.arrays.axes.get(name, tuple(range(len(self.shapes[name]))))


def places(model: Sequential, registry: Registry[Arrays | None]) -> Iterator[LayerArrays]:
    """The layers of ``model`` that have arrays, in order; raises ArgumentError for a kind not registered."""
    image: Shape = model.input_shape
    for layer, shape, output in zip(model.layers, model.shapes, model.shapes[1:], strict=False):
        image = shape if len(shape) == 3 else image
        arrays = registry.of(layer)
        shapes = {**layer.parameter_shapes(shape), **layer.state_shapes(shape)}
        if shapes:
            if arrays is None:
                raise ArgumentError(
                    f"{layer!r} has arrays, and how other engines keep them is not known: enter it in "
                    f"tinycnn.weights.TORCH or KERAS, or call load_weights with arrays by our names"
                )
            yield LayerArrays(layer, arrays, shapes, image)
        keeps = (arrays is None or arrays.keeps_order) and math.prod(shape) == math.prod(output)
        image = image if keeps else output
