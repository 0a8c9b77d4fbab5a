"""A file a kind of layer: how other engines say it, entered in `TORCH`, `ONNX` and `NCNN`."""

from __future__ import annotations

from tinycnn.bench.engines.translation import NCNN, ONNX, TORCH
from tinycnn.layers.registry import load_modules

__all__ = ["NCNN", "ONNX", "TORCH"]

load_modules(__name__, __path__)
