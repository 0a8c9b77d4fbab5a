"""A dense layer in inference: packed weights; in float64 by its own forward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinycnn.inference.planners import STEPS, by_its_own_forward
from tinycnn.inference.steps import LayerWeights, Place, Steps, WeightedStage
from tinycnn.layers import Dense
from tinycnn.ops.packed_dense import PackedDense, serves_as_it_lies
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.recording import Recorder


@STEPS.register(Dense)
def dense_steps(place: Place[Dense], before: Steps) -> Steps:
    """One step; a softmax is taken of the whole batch afterwards."""
    if place.dtype != np.float32:
        return by_its_own_forward(place, before)
    step = place.step(
        "packed dense",
        stage=PackedDenseStage(weights=LayerWeights(place.name), relu=place.relu),
        weight_bytes=4 * place.layer.multiply_adds(place.input_shape),
    )
    return (*before, step)


@dataclass(frozen=True)
class PackedDenseStage(WeightedStage):
    """x @ W + b of packed weights, with ReLU."""

    border: ClassVar[Border | None] = None
    whole_vectors: ClassVar[bool] = True

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        sizes = source.shape[0], source.image, target.image
        weights = partial(recorder.weights, self, self.pack, at_first=self.as_it_lies)
        if serves_as_it_lies(sizes):
            weights = partial(recorder.weights, (self, "as it lies"), self.as_it_lies)
        packed = PackedDense(panels=weights("panels"), bias=weights("bias"))
        return packed.phases(sizes, source.flat, target.flat, relu=self.relu)

    def pack(self, parameters: NamedArrays) -> PackedDense:
        """Pack the weights and the bias."""
        return PackedDense.pack(*self.weights.of(parameters))

    def as_it_lies(self, parameters: NamedArrays) -> PackedDense | None:
        """Large weights and their bias as they are."""
        return PackedDense.as_it_lies(*self.weights.of(parameters))
