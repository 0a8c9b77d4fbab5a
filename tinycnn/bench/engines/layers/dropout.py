"""Dropout in other engines; files for inference leave it out."""

from __future__ import annotations

from tinycnn.bench.engines.ncnn_layers import NcnnLayers
from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.bench.engines.translation import NCNN, ONNX, TORCH, OurLayer, TorchLayer
from tinycnn.layers import Dropout


@TORCH.register(Dropout)
def to_torch(ours: OurLayer[Dropout]) -> TorchLayer:
    """As ``torch.nn.Dropout``."""
    from torch import nn

    return TorchLayer([nn.Dropout(ours.layer.rate)])


@ONNX.register(Dropout)
def to_onnx(ours: OurLayer[Dropout], nodes: Nodes) -> None:
    """No node."""


@NCNN.register(Dropout)
def to_ncnn(ours: OurLayer[Dropout], net: NcnnLayers) -> None:
    """No layer."""
