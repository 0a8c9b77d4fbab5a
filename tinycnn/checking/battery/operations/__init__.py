"""A file an operation: its cases and those of its layers, entered in `OPS` and `LAYERS`."""

from __future__ import annotations

from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.layers.registry import load_modules

__all__ = ["LAYERS", "OPS"]

load_modules(__name__, __path__)
