"""Layers that leave the numbers as they are: they take no step."""

from __future__ import annotations

from typing import Any

from tinycnn.inference.planners import STEPS
from tinycnn.inference.steps import Place, Steps
from tinycnn.layers import Dropout, Flatten


@STEPS.register(Dropout)  # drops in training only
@STEPS.register(Flatten)  # what needs its input flat flattens it by itself
def identity(place: Place[Any], before: Steps) -> Steps:
    """No step: the steps before it are all."""
    return before
