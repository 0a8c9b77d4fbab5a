"""The mean of each channel in other engines."""

from __future__ import annotations

from tinycnn.bench.engines.ncnn_layers import NcnnLayers
from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.bench.engines.translation import NCNN, ONNX, TORCH, OurLayer, TorchLayer
from tinycnn.layers import GlobalAveragePool2D


@TORCH.register(GlobalAveragePool2D)
def to_torch(ours: OurLayer[GlobalAveragePool2D]) -> TorchLayer:
    """As ``torch.nn.AdaptiveAvgPool2d``, flattened."""
    from torch import nn

    return TorchLayer([nn.AdaptiveAvgPool2d(1), nn.Flatten()])


@ONNX.register(GlobalAveragePool2D)
def to_onnx(ours: OurLayer[GlobalAveragePool2D], nodes: Nodes) -> None:
    """As "GlobalAveragePool", flattened."""
    nodes.add("GlobalAveragePool", ours.name)
    nodes.add("Flatten", f"{ours.name}.rows")


@NCNN.register(GlobalAveragePool2D)
def to_ncnn(ours: OurLayer[GlobalAveragePool2D], net: NcnnLayers) -> None:
    """As "Pooling" of the kind 1, over the whole map."""
    net.add("Pooling", ours.name, ours.output_shape, {0: 1, 4: 1})
