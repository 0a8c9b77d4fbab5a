"""The parts of a pipeline: a layer for the whole batch, or blocks of images through a group of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from tinycnn import blocks, ops
from tinycnn.arrays import Array
from tinycnn.feature_maps import NO_BORDER, Border, FeatureMaps
from tinycnn.inference.held import PackedWeights, Workspace
from tinycnn.inference.stages import Copy, stage_of
from tinycnn.layers import Context, Dense
from tinycnn.packed_dense import PackedDense
from tinycnn.parameters import FlatArrays
from tinycnn.plan import Group, Plan, Step

if TYPE_CHECKING:
    from tinycnn.model import Sequential

Maps = Array | FeatureMaps  # what goes from part to part


def as_array(maps: Maps) -> Array:
    """The images as an array; of maps without a border, contiguous."""
    return maps.view() if isinstance(maps, FeatureMaps) else maps


class Part(Protocol):
    """A step for the whole batch, or a group of steps that blocks of images go through."""

    def run(
        self, x: Maps, weights: PackedWeights, first_sample: int, workspace: Workspace
    ) -> Maps: ...


def parts_of(model: Sequential, chosen: Plan) -> list[Part]:
    """Make each group of the plan ready, the last one first: it says which border it wants."""
    parts: list[Part] = []
    border: Border | None = None  # that the part behind wants; None: a plain array
    for number, group in reversed(list(enumerate(chosen.groups))):
        if group.images is None:
            (step,) = group.steps
            parts.append((_Dense if step.method == "packed dense" else _Layer)(model, step))
            border = None
        else:
            plain = number == 0 or chosen.groups[number - 1].images is None
            block = _BlockGroup(number, model, group, chosen.batch, border, plain_source=plain)
            parts.append(block)
            border = block.border
    return parts[::-1]


class _Layer:
    """A layer for the whole batch, by its own forward pass."""

    def __init__(self, model: Sequential, step: Step) -> None:
        self._model, self._position = model, step.position

    def run(
        self, x: Maps, weights: PackedWeights, first_sample: int, workspace: Workspace
    ) -> Array:
        params = weights.parameters.of(str(self._model.layers[self._position].name))
        context = Context(layer=self._position, first_sample=first_sample)
        given = as_array(x)
        given = given.reshape(len(given), *self._model.shapes[self._position])
        return self._model.forward_layer(self._position, params, given, context)[0]


class _Dense:
    """A dense layer for the whole batch, from packed weights."""

    def __init__(self, model: Sequential, step: Step) -> None:
        layer = model.layers[step.position]
        assert isinstance(layer, Dense)
        self._name, self._units, self._activation = str(layer.name), layer.units, layer.activation

    def run(
        self, x: Maps, weights: PackedWeights, first_sample: int, workspace: Workspace
    ) -> Array:
        packed: PackedDense = weights.get(self._name, self._pack)
        given = as_array(x)
        given = given.reshape(len(given), -1)
        y: Array = workspace.get(
            self._name, lambda: np.empty((len(given), self._units), np.float32)
        )
        packed.multiply(given, y, relu=self._activation == "relu")
        return ops.softmax(y) if self._activation == "softmax" else y

    def _pack(self, parameters: FlatArrays) -> PackedDense:
        mine = parameters.of(self._name)
        return PackedDense.pack(mine["W"], mine["b"])


class _BlockGroup:
    """Steps that blocks of images go through, depth first."""

    def __init__(
        self,
        number: int,
        model: Sequential,
        group: Group,
        batch: int,
        target_border: Border | None,
        *,
        plain_source: bool,
    ) -> None:
        assert group.images is not None
        self._number, self._batch, self._images = number, batch, group.images
        self._stages = [stage_of(model, step) for step in group.steps]
        self._shapes = [step.output_shape for step in group.steps]
        if plain_source and self._stages[0].border is not None:
            self._stages.insert(0, Copy())
            self._shapes.insert(0, group.steps[0].input_shape)
        self._target_border = target_border

    @property
    def border(self) -> Border | None:
        """The border that the first step wants around its input; None: it takes a plain array."""
        return self._stages[0].border

    def run(
        self, x: Maps, weights: PackedWeights, first_sample: int, workspace: Workspace
    ) -> FeatureMaps:
        source = x if isinstance(x, FeatureMaps) else FeatureMaps.of(x)
        target: FeatureMaps = workspace.get((self._number, "target"), self._target)
        spare: list[list[FeatureMaps]] = workspace.get((self._number, "between"), list)

        ranges = _even(self._batch, self._images)

        def carry_through(images: blocks.Range) -> None:
            try:
                between = spare.pop()
            except IndexError:
                between = self._between()
            count = images[1] - images[0]
            maps = [m.select(0, count) for m in between]
            ways = zip(
                self._stages,
                [source.select(*images), *maps],
                [*maps, target.select(*images)],
                strict=True,
            )
            for stage, given, result in ways:
                stage.run(given, result, weights)
            spare.append(between)

        if len(ranges) < blocks.free_threads():
            for images in ranges:
                carry_through(images)
        else:
            blocks.run(carry_through, ranges)
        return target

    def _target(self) -> FeatureMaps:
        H, W, C = self._shapes[-1]
        shape = (self._batch, H, W, C)
        if self._target_border is None:
            return FeatureMaps.of(np.empty(shape, np.float32))
        return FeatureMaps.zeros(shape, self._target_border)

    def _between(self) -> list[FeatureMaps]:
        """One thread's maps between the stages."""
        following = zip(self._shapes[:-1], self._stages[1:], strict=True)
        return [
            FeatureMaps.zeros((self._images, H, W, C), stage.border or NO_BORDER)
            for (H, W, C), stage in following
        ]


def _even(batch: int, images: int) -> list[blocks.Range]:
    """Cut a batch into an even number of blocks, so that two cores, or four, end together."""
    count = -(-batch // images)
    return blocks.cut(batch, -(-batch // (count + count % 2)) if count > 1 else batch)
