"""A file a kind of layer: the steps that it takes in inference, entered in `STEPS`."""

from __future__ import annotations

from tinycnn.inference.planners import STEPS
from tinycnn.layers.registry import load_modules

__all__ = ["STEPS"]

load_modules(__name__, __path__)
