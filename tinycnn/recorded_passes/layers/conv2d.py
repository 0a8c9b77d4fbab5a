"""A convolution whose algorithms, both ways, read weights as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tinycnn.layers import Conv2D
from tinycnn.layers.activation import IDENTITY, RELU
from tinycnn.ops import bias
from tinycnn.ops.convolution import direct, direct_gradient, grouped
from tinycnn.ops.convolution.choice import choose, choose_gradients, refusal
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.recorded_passes.stages import (
    FLOAT32,
    STAGES,
    Kept,
    PassPlace,
    StageArrays,
    TrainingStage,
    before_relu,
    bias_gradient_or_room,
    bias_or_zeros,
    rows,
)
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.recording import Recorder, Slot

# What writes dx, by the algorithm that is chosen.
_INPUT_GRADIENTS: dict[Any, ModuleType] = {direct: direct_gradient, grouped: grouped}


@STAGES.register(Conv2D)
def conv2d_stage(place: PassPlace[Conv2D]) -> TrainingStage | None:
    """Direct products, or those in groups, if they are what is chosen."""
    layer, shape = place.layer, place.input_shape
    geometry = Geometry(place.batch, shape[2], layer.filters, layer.groups, layer.window(shape))
    asked = place.algorithm or layer.algorithm
    if layer.activation not in (IDENTITY, RELU):
        return None
    if refusal(asked, geometry, FLOAT32):
        return None
    forward = choose(asked, geometry, FLOAT32).algorithm
    of_weights, of_inputs = choose_gradients(asked, geometry, FLOAT32)
    if any(each not in (direct, grouped) for each in (forward, of_weights, of_inputs)):
        return None
    if forward is direct and geometry.weights > direct_gradient.MOST_WEIGHTS:
        return None
    return Conv2DStage(
        geometry, relu=layer.activation is RELU, of_inputs=_INPUT_GRADIENTS[of_inputs]
    )


@dataclass(frozen=True)
class Conv2DStage(TrainingStage):
    """Window products, with bias and ReLU."""

    geometry: Geometry
    relu: bool
    of_inputs: ModuleType

    @property
    def kept(self) -> Sequence[Kept]:
        """Y."""
        return [Kept(self.geometry.y_shape)]

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        b = bias_or_zeros(recorder, given.params, self.geometry.F)
        arrays = given.x, given.kept[0], given.params["W"], b
        flat = (array.reshape(-1) for array in arrays)
        return grouped.products(recorder, self.geometry, self.relu, *flat)

    def backward(
        self,
        recorder: Recorder,
        given: StageArrays,
        dy: Slot,
        gradients: Mapping[str, Slot],
        dx: Slot | None,
    ) -> Iterator[Phase]:
        x, params, (y,), _ = given
        dz, rectified = before_relu(recorder, dy, y) if self.relu else (dy, None)
        db = bias_gradient_or_room(recorder, gradients, self.geometry.F)
        yield from bias.phases(recorder, rows(dy), rectified, db)
        dz = dz.reshape(-1)
        yield from grouped.weight_gradients(
            recorder, self.geometry, x.reshape(-1), gradients["W"].reshape(-1), dz
        )
        if dx is not None:
            flat = dz, dx.reshape(-1), params["W"].reshape(-1)
            yield from self.of_inputs.input_gradients(recorder, self.geometry, *flat)
