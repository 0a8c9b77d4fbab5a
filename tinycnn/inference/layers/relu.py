"""ReLU in inference: a part of the product before it; else by its own forward."""

from __future__ import annotations

from dataclasses import replace

from tinycnn.inference.steps import STEPS, Place, Steps, by_its_own_forward
from tinycnn.layers import ReLU


@STEPS.register(ReLU)
def relu_steps(place: Place[ReLU], before: Steps) -> Steps:
    """No step of its own where a product with weights comes right before it."""
    stage = before[-1].product if before else None
    if stage is None:
        return by_its_own_forward(place, before)
    return (*before[:-1], replace(before[-1], stage=replace(stage, relu=True)))
