"""Batch normalisation in other engines."""

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
    given_weights,
)
from tinycnn.layers import BatchNormalization


@TORCH.register(BatchNormalization)
def to_torch(ours: OurLayer[BatchNormalization]) -> TorchLayer:
    """As ``torch.nn.BatchNorm2d`` or 1d; its momentum is the new batch's weight, ours the old one's."""
    import torch
    from torch import nn

    layer, params, state = ours.layer, ours.parameters, ours.state
    kind = nn.BatchNorm2d if len(ours.input_shape) == 3 else nn.BatchNorm1d
    made = kind(ours.input_shape[-1], eps=layer.epsilon, momentum=1 - layer.momentum)
    module = given_weights(made, params["gamma"], params["beta"])
    module.running_mean.copy_(torch.tensor(state["mean"]))
    module.running_var.copy_(torch.tensor(state["variance"]))

    def parameters() -> dict[str, Array]:
        return {"gamma": module.weight.detach().numpy(), "beta": module.bias.detach().numpy()}

    return TorchLayer([module], parameters)


@ONNX.register(BatchNormalization)
def to_onnx(ours: OurLayer[BatchNormalization], nodes: Nodes) -> None:
    """As "BatchNormalization"."""
    arrays = {**ours.parameters, **ours.state}
    names = [
        nodes.constant(f"{ours.name}.{name}", arrays[name])
        for name in ("gamma", "beta", "mean", "variance")
    ]
    nodes.add("BatchNormalization", ours.name, *names, epsilon=ours.layer.epsilon)


@NCNN.register(BatchNormalization)
def to_ncnn(ours: OurLayer[BatchNormalization], net: NcnnLayers) -> None:
    """As "BatchNorm"."""
    arrays = {**ours.parameters, **ours.state}
    net.add(
        "BatchNorm", ours.name, ours.output_shape,
        {0: ours.input_shape[-1], 1: ours.layer.epsilon},
        others=[arrays[name] for name in ("gamma", "mean", "variance", "beta")],
    )  # fmt: skip
