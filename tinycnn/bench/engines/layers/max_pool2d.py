"""Max-pooling in other engines."""

from __future__ import annotations

from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.bench.engines.translation import ONNX, TORCH, OurLayer, TorchLayer, one_padding
from tinycnn.layers import MaxPool2D


@TORCH.register(MaxPool2D)
def to_torch(ours: OurLayer[MaxPool2D]) -> TorchLayer:
    """As ``torch.nn.MaxPool2d``."""
    from torch import nn

    layer = ours.layer
    module = nn.MaxPool2d(
        layer.kernel, layer.stride, one_padding(layer.padding), layer.dilation,
        ceil_mode=layer.ceil_mode,
    )  # fmt: skip
    return TorchLayer([module])


@ONNX.register(MaxPool2D)
def to_onnx(ours: OurLayer[MaxPool2D], nodes: Nodes) -> None:
    """As "MaxPool"."""
    layer = ours.layer
    nodes.add(
        "MaxPool", ours.name, kernel_shape=[*layer.kernel], strides=[*layer.stride],
        dilations=[*layer.dilation], pads=[one_padding(layer.padding)] * 4,
        ceil_mode=int(layer.ceil_mode),
    )  # fmt: skip
