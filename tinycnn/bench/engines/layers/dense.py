"""Dense layers in other engines: rows of the weights come in the order in which maps are flattened there."""

from __future__ import annotations

from typing import Any

import numpy as np

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
    optional,
)
from tinycnn.layers import Dense
from tinycnn.weights.layouts import channels_first, channels_last


@TORCH.register(Dense)
def to_torch(ours: OurLayer[Dense]) -> TorchLayer:
    """As ``torch.nn.Linear``; maps are flattened in the order in which they lie in memory."""
    from torch import nn

    layer, W, shape = ours.layer, ours.parameters["W"], ours.input_shape
    if reordered := not ours.channels_last:
        W = channels_first(W, shape)
    module = given_weights(nn.Linear(*W.shape, bias=ours.layer.bias), W.T, ours.parameters.get("b"))

    def parameters() -> dict[str, Array]:
        weights = module.weight.detach().numpy().T
        weights = channels_last(weights, shape) if reordered else weights
        return layer.named(np.ascontiguousarray(weights), bias_of(module))

    flatten = [_flatten(channels_last=ours.channels_last)] if len(shape) == 3 else []
    return TorchLayer([*flatten, module], parameters)


@ONNX.register(Dense)
def to_onnx(ours: OurLayer[Dense], nodes: Nodes) -> None:
    """As "Gemm", of maps after "Flatten"."""
    name, shape = ours.name, ours.input_shape
    if len(shape) == 3:
        nodes.add("Flatten", name, axis=1)
    W = nodes.constant(f"{name}.W", channels_first(ours.parameters["W"], shape))
    biases = (nodes.constant(f"{name}.b", b) for b in optional(ours.parameters, "b"))
    nodes.add("Gemm", name, W, *biases)


@NCNN.register(Dense)
def to_ncnn(ours: OurLayer[Dense], net: NcnnLayers) -> None:
    """As "InnerProduct", which flattens maps channel by channel."""
    W = channels_first(ours.parameters["W"], ours.input_shape)
    net.add(
        "InnerProduct", ours.name, ours.output_shape,
        {0: W.shape[1], 1: int(ours.layer.bias), 2: W.size},
        weights=[W.T], others=optional(ours.parameters, "b"),
    )  # fmt: skip


def _flatten(*, channels_last: bool) -> Any:
    from torch import nn

    class Rows(nn.Module):  # type: ignore[misc]
        """Maps as rows without a copy: (N, H*W*C) where channels lie last."""

        def forward(self, x: Any) -> Any:
            return (x.permute(0, 2, 3, 1) if channels_last else x).flatten(1)

    return Rows()
