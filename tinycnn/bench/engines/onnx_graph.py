"""A network of ours as an ONNX file: the same weights, channels first, any batch size."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.engines.translation import conv_weights, dense_weights, padding_of
from tinycnn.bench.work import Task
from tinycnn.errors import ArgumentError
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D
from tinycnn.layers.activation import RELU, SOFTMAX
from tinycnn.model import Sequential

OPSET = 17


def file_of(task: Task, folder: Path) -> Path:
    """The task's network as a file in ``folder``, written by whoever needs it first."""
    path = folder / f"{task.network.replace('/', '-').replace(' ', '-')}.onnx"
    while not path.exists():
        try:
            path.with_suffix(".lock").touch(exist_ok=False)
        except FileExistsError:  # somebody is writing it
            time.sleep(0.02)
            continue
        try:
            written = path.with_suffix(".new")
            export(work.build(task.network), written)
            written.replace(path)
        finally:
            path.with_suffix(".lock").unlink()
    return path


def export(model: Sequential, path: Path) -> None:
    """Write ``model`` to ``path``: input "x" (N, C, H, W), output "y". Dropout is left out."""
    import onnx

    nodes: list[Any] = []
    arrays: list[Any] = []
    value = "x"

    def node(kind: str, layer: str, *constants: str, **attributes: Any) -> None:
        nonlocal value
        result = f"{layer}.{kind}"
        nodes.append(onnx.helper.make_node(kind, [value, *constants], [result], **attributes))
        value = result

    def constant(name: str, array: Array) -> str:
        arrays.append(onnx.numpy_helper.from_array(array, name))
        return name

    params = model.parameters()
    for layer, shape in zip(model.layers, model.shapes, strict=False):
        name, own = str(layer.name), params.of(str(layer.name))
        if isinstance(layer, Conv2D):
            W, b = constant(f"{name}.W", conv_weights(own["W"])), constant(f"{name}.b", own["b"])
            node("Conv", name, W, b, **_window(layer), group=layer.groups)
        elif isinstance(layer, Dense):
            if len(shape) == 3:
                node("Flatten", name, axis=1)
            W = constant(f"{name}.W", dense_weights(own["W"], shape))
            node("Gemm", name, W, constant(f"{name}.b", own["b"]))
        elif isinstance(layer, MaxPool2D):
            node("MaxPool", name, **_window(layer))
        elif not isinstance(layer, Dropout):
            raise ArgumentError(f"the comparison by ONNX has no layer of the kind {layer!r}")
        if layer.activation is RELU:
            node("Relu", name)
        elif layer.activation is SOFTMAX:
            node("Softmax", name, axis=1)
    inputs = [_value("x", model.shapes[0])]
    outputs = [_value(value, model.shapes[-1])]
    graph = onnx.helper.make_graph(nodes, "network", inputs, outputs, arrays)
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    whole = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(whole)
    onnx.save(whole, path)


def _window(layer: Conv2D | MaxPool2D) -> dict[str, list[int]]:
    pad = padding_of(layer)
    return {"kernel_shape": [*layer.kernel], "strides": [*layer.stride], "pads": [pad] * 4}


def _value(name: str, shape: tuple[int, ...]) -> Any:
    import onnx

    axes: list[Any] = ["N", shape[-1], *shape[:-1]]
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, axes)
