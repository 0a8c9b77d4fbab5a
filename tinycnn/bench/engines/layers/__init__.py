"""A file a kind of layer: how other engines say it, entered in `TORCH` and `ONNX`."""

from __future__ import annotations

from tinycnn.bench.engines.translation import ONNX, TORCH
from tinycnn.layers.registry import load_modules

__all__ = ["ONNX", "TORCH"]

load_modules(__name__, __path__)
