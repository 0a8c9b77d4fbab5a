"""Max-pooling in other engines."""

from __future__ import annotations

from tinycnn.bench.engines.ncnn_layers import NcnnLayers
from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.bench.engines.translation import (
    NCNN,
    ONNX,
    TORCH,
    OurLayer,
    TorchLayer,
    one_padding,
)
from tinycnn.errors import ArgumentError
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


@NCNN.register(MaxPool2D)
def to_ncnn(ours: OurLayer[MaxPool2D], net: NcnnLayers) -> None:
    """As "Pooling" of the kind 0, mode 1: with no other padding than what is given."""
    layer, pad = ours.layer, one_padding(ours.layer.padding)
    if layer.dilation != (1, 1):
        raise ArgumentError(f"ncnn has no dilated pooling, as {layer!r} is")
    below, right = (
        max((out - 1) * stride + kernel - size - pad, 0)
        for out, stride, kernel, size in zip(
            ours.output_shape, layer.stride, layer.kernel, ours.input_shape, strict=False
        )
    )
    (KH, KW), (stride_y, stride_x) = layer.kernel, layer.stride
    net.add(
        "Pooling", ours.name, ours.output_shape,
        {0: 0, 1: KW, 11: KH, 2: stride_x, 12: stride_y, 3: pad, 13: pad, 14: right, 15: below, 5: 1},
    )  # fmt: skip
