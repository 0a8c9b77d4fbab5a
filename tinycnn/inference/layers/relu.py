"""ReLU in inference: taken with the product before it; else by its own forward."""

from __future__ import annotations

from dataclasses import replace

from tinycnn.inference.planners import STEPS, by_its_own_forward, product_before, with_last
from tinycnn.inference.steps import Place, Steps
from tinycnn.layers import ReLU


@STEPS.register(ReLU)
def relu_steps(place: Place[ReLU], before: Steps) -> Steps:
    """No step of its own where a product with weights is right before it."""
    stage = product_before(place, before)
    if stage is None or not place.relu:
        return by_its_own_forward(place, before)
    return with_last(before, replace(stage, relu=True))
