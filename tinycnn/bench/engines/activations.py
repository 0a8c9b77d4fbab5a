"""Activations in other engines, each after its layer."""

from __future__ import annotations

from functools import partial
from typing import Any

from tinycnn.bench.engines.ncnn_layers import NcnnLayers
from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.bench.engines.translation import OurLayer
from tinycnn.errors import ArgumentError
from tinycnn.layers.activation import IDENTITY, RELU, SOFTMAX, Activation

_ONNX: dict[Activation, list[tuple[str, dict[str, int]]]] = {
    IDENTITY: [],
    RELU: [("Relu", {})],
    SOFTMAX: [("Softmax", {"axis": 1})],
}


def torch_activation(ours: OurLayer[Any]) -> list[Any]:
    """The modules of PyTorch for a layer's activation."""
    from torch import nn

    modules: dict[Activation, list[Any]] = {
        IDENTITY: [],
        RELU: [nn.ReLU(inplace=True)],
        SOFTMAX: [nn.Softmax(1)],
    }
    return _found(modules, ours, "with PyTorch")


def add_activation(ours: OurLayer[Any], nodes: Nodes) -> None:
    """Add the node of ONNX for a layer's activation."""
    for kind, attributes in _found(_ONNX, ours, "by ONNX"):
        nodes.add(kind, ours.name, **attributes)


def add_ncnn_activation(ours: OurLayer[Any], net: NcnnLayers) -> None:
    """Let ncnn apply a layer's activation: ReLU within the layer, softmax by a layer of its own."""
    softmax = partial(net.add, "Softmax", f"{ours.name}.softmax", ours.output_shape, {0: 0, 1: 1})
    known: dict[Activation, list[Any]] = {
        IDENTITY: [],
        RELU: [net.apply_relu],
        SOFTMAX: [softmax],
    }
    for add in _found(known, ours, "with ncnn"):
        add()


def _found(known: dict[Activation, list[Any]], ours: OurLayer[Any], how: str) -> list[Any]:
    activation = ours.layer.activation
    if activation not in known:
        raise ArgumentError(
            f"the comparison {how} has no activation {activation!r}, as {ours.layer!r} has"
        )
    return known[activation]
