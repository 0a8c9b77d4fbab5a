"""Convolutions in other engines: weights are (F, C // groups, KH, KW) there."""

from __future__ import annotations

from tinycnn.arrays import Array
from tinycnn.bench.engines.ncnn_layers import NcnnLayers
from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.bench.engines.translation import (
    NCNN,
    ONNX,
    TORCH,
    OurLayer,
    TorchLayer,
    bias_of,
    given_weights,
    one_padding,
    optional,
)
from tinycnn.layers import Conv2D
from tinycnn.weights.layouts import filters_first, filters_last


@TORCH.register(Conv2D)
def to_torch(ours: OurLayer[Conv2D]) -> TorchLayer:
    """As ``torch.nn.Conv2d``."""
    from torch import nn

    layer = ours.layer
    module = given_weights(
        nn.Conv2d(
            ours.input_shape[-1], layer.filters, layer.kernel, stride=layer.stride,
            padding=one_padding(layer.padding), dilation=layer.dilation, groups=layer.groups,
            bias=layer.bias,
        ),
        filters_first(ours.parameters["W"]), ours.parameters.get("b"),
    )  # fmt: skip

    def parameters() -> dict[str, Array]:
        return layer.named(filters_last(module.weight.detach().numpy()), bias_of(module))

    return TorchLayer([module], parameters)


@ONNX.register(Conv2D)
def to_onnx(ours: OurLayer[Conv2D], nodes: Nodes) -> None:
    """As "Conv"."""
    layer, name = ours.layer, ours.name
    nodes.add(
        "Conv", name,
        nodes.constant(f"{name}.W", filters_first(ours.parameters["W"])),
        *(nodes.constant(f"{name}.b", b) for b in optional(ours.parameters, "b")),
        kernel_shape=[*layer.kernel], strides=[*layer.stride], dilations=[*layer.dilation],
        pads=[one_padding(layer.padding)] * 4, group=layer.groups,
    )  # fmt: skip


@NCNN.register(Conv2D)
def to_ncnn(ours: OurLayer[Conv2D], net: NcnnLayers) -> None:
    """As "Convolution", in groups as "ConvolutionDepthWise"."""
    layer, W = ours.layer, ours.parameters["W"]
    (KH, KW), (stride_y, stride_x), (dilation_y, dilation_x) = (
        layer.kernel, layer.stride, layer.dilation,
    )  # fmt: skip
    arguments = {
        0: layer.filters, 1: KW, 11: KH, 2: dilation_x, 12: dilation_y, 3: stride_x, 13: stride_y,
        4: one_padding(layer.padding), 5: int(layer.bias), 6: W.size,
    }  # fmt: skip
    net.add(
        "Convolution" if layer.groups == 1 else "ConvolutionDepthWise", ours.name, ours.output_shape,
        arguments if layer.groups == 1 else arguments | {7: layer.groups},
        weights=[filters_first(W)], others=optional(ours.parameters, "b"),
    )  # fmt: skip
