"""A file a kind of layer: the stage that it is in a recorded pass."""

from __future__ import annotations

from tinycnn.layers.registry import load_modules
from tinycnn.recorded_passes.stages import STAGES

__all__ = ["STAGES"]

load_modules(__name__, __path__)
