"""Batch normalisation in inference: folded into the weights before it; else by its own forward."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinycnn.arrays import Array, cast, ieee
from tinycnn.inference.steps import (
    STEPS,
    Place,
    PlanStep,
    Steps,
    WeightedStage,
    Weights,
    by_its_own_forward,
)
from tinycnn.layers import IDENTITY, BatchNormalization
from tinycnn.ops.batch_norm import inverse_deviation
from tinycnn.runtime.held import NamedArrays


@STEPS.register(BatchNormalization)
def batch_normalization_steps(place: Place[BatchNormalization], before: Steps) -> Steps:
    """No step of its own where a product with weights gives the same channels right before it."""
    stage = _product(place, before[-1]) if before else None
    if stage is None:
        return by_its_own_forward(place, before)
    weights = Normalized(stage.weights, place.name, place.layer.epsilon)
    return (*before[:-1], replace(before[-1], stage=replace(stage, weights=weights)))


def _product(place: Place[BatchNormalization], last: PlanStep) -> WeightedStage | None:
    """The stage of the step before, if it gives a product as it is."""
    stage = last.product
    same = last.output_shape == place.input_shape
    return stage if same and place.layer.activation is IDENTITY else None


@dataclass(frozen=True)
class Normalized:
    """Weights and the normalisation of what they give: x @ W * scale + (b - mean) * scale + beta."""

    weights: Weights
    layer: str
    epsilon: float

    @ieee
    def of(self, arrays: NamedArrays) -> tuple[Array, Array]:
        W, b = self.weights.of(arrays)
        gamma, beta, mean, variance = (
            arrays[f"{self.layer}.{name}"].astype(float)
            for name in ("gamma", "beta", "mean", "variance")
        )
        scale = gamma * inverse_deviation(variance, self.epsilon)
        return W * cast(scale, W.dtype), cast((b - mean) * scale + beta, b.dtype)
