"""A network of ours as an ONNX file: the same weights, channels first, any batch size."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tinycnn.bench import work
from tinycnn.bench.engines.activations import add_activation
from tinycnn.bench.engines.layers import ONNX
from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.bench.engines.translation import layers_of
from tinycnn.bench.work import Workload
from tinycnn.files import beside
from tinycnn.model import Sequential

OPSET = 17


def file_of(workload: Workload, folder: Path) -> Path:
    """The workload's network as a file in ``folder``, written by whoever needs it first."""
    path = folder / f"{workload.network.replace('/', '-').replace(' ', '-')}.onnx"
    while not path.exists():
        try:
            path.with_suffix(".lock").touch(exist_ok=False)
        except FileExistsError:  # somebody is writing it
            time.sleep(0.02)
            continue
        try:
            with beside(path) as written:
                export(work.build(workload.network), written)
        finally:
            path.with_suffix(".lock").unlink()
    return path


def export(model: Sequential, path: Path) -> None:
    """Write ``model`` to ``path``: input "x" (N, C, H, W), one output. Dropout is left out."""
    import onnx

    nodes = Nodes("x")
    for ours in layers_of(model):
        ONNX.of(ours.layer)(ours, nodes)
        add_activation(ours, nodes)
    inputs = [_value("x", model.shapes[0])]
    outputs = [_value(nodes.value, model.shapes[-1])]
    graph = onnx.helper.make_graph(nodes.nodes, "network", inputs, outputs, nodes.constants)
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    whole = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(whole)
    onnx.save(whole, path)


def _value(name: str, shape: tuple[int, ...]) -> Any:
    import onnx

    axes: list[Any] = ["N", shape[-1], *shape[:-1]]
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, axes)
