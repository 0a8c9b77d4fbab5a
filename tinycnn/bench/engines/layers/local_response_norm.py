"""Local response normalisation in other engines, all of which divide alpha by the size."""

from __future__ import annotations

from tinycnn.bench.engines.ncnn_layers import NcnnLayers
from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.bench.engines.translation import NCNN, ONNX, TORCH, OurLayer, TorchLayer
from tinycnn.layers import LocalResponseNorm


@TORCH.register(LocalResponseNorm)
def to_torch(ours: OurLayer[LocalResponseNorm]) -> TorchLayer:
    """As ``torch.nn.LocalResponseNorm``."""
    from torch import nn

    layer = ours.layer
    return TorchLayer([nn.LocalResponseNorm(layer.size, _alpha(layer), layer.beta, layer.k)])


@ONNX.register(LocalResponseNorm)
def to_onnx(ours: OurLayer[LocalResponseNorm], nodes: Nodes) -> None:
    """As "LRN"."""
    layer = ours.layer
    numbers = {"alpha": _alpha(layer), "beta": float(layer.beta), "bias": float(layer.k)}
    nodes.add("LRN", ours.name, size=layer.size, **numbers)


@NCNN.register(LocalResponseNorm)
def to_ncnn(ours: OurLayer[LocalResponseNorm], net: NcnnLayers) -> None:
    """As "LRN" of the kind 0, across channels."""
    layer = ours.layer
    numbers = {0: 0, 1: layer.size, 2: _alpha(layer), 3: float(layer.beta), 4: float(layer.k)}
    net.add("LRN", ours.name, ours.output_shape, numbers)


def _alpha(layer: LocalResponseNorm) -> float:
    return float(layer.alpha if layer.alpha_over_size else layer.alpha * layer.size)
