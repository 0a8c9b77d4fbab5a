"""How the steps of a layer are found: by its kind in `STEPS`, by what it says of itself, or its forward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tinycnn.arrays import Array, cast, ieee
from tinycnn.inference.steps import Place, Steps, WeightedStage, Weights
from tinycnn.layers import IDENTITY, Layer, Registry
from tinycnn.runtime.held import NamedArrays

# Is told the place of a layer and the steps before it; gives these and the layer's own. It may replace
# the last of those before it, where both layers can be one step.
Planner = Callable[[Place[Any], Steps], Steps]


def by_its_own_forward(place: Place[Any], before: Steps) -> Steps:
    """Any layer: its own forward pass over the whole batch."""
    return (*before, place.step("layer"))


def by_what_it_says(place: Place[Any], before: Steps) -> Steps:
    """No step of its own for a `Layer.channel_map` where a product gives its channels; else its forward."""
    layer, stage = place.layer, product_before(place, before)
    if stage is None or layer.activation is not IDENTITY or not layer.says("channel_map"):
        return by_its_own_forward(place, before)
    own = *layer.parameter_shapes(place.input_shape), *layer.state_shapes(place.input_shape)
    return with_last(before, replace(stage, weights=MappedWeights(stage.weights, layer, own)))


STEPS: Registry[Planner] = Registry(by_what_it_says, subclasses=False)


def product_before(place: Place[Any], before: Steps) -> WeightedStage | None:
    """The stage of the step before, if it gives a product as it is and in the layer's shape."""
    if not before or before[-1].is_followed or before[-1].output_shape != place.input_shape:
        return None
    stage = before[-1].stage
    return stage if isinstance(stage, WeightedStage) and not stage.relu else None


def with_last(steps: Steps, stage: WeightedStage) -> Steps:
    """The steps, the last of them with another stage."""
    return (*steps[:-1], replace(steps[-1], stage=stage))


@dataclass(frozen=True)
class MappedWeights:
    """Weights and a map of the channels that they give: x @ (W * scale) + ((b - center) * scale + shift)."""

    weights: Weights
    layer: Layer
    own: tuple[str, ...]  # the layer's arrays

    @ieee
    def of(self, arrays: NamedArrays) -> tuple[Array, Array]:
        W, b = self.weights.of(arrays)
        own = {name: arrays[f"{self.layer.name}.{name}"] for name in self.own}
        center, scale, shift = self.layer.channel_map(own)
        return W * cast(scale, W.dtype), cast((b - center) * scale + shift, b.dtype)
