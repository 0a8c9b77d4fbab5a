"""Nodes of an ONNX graph in which each takes what the one before it gives."""

from __future__ import annotations

from typing import Any

from tinycnn.arrays import Array


class Nodes:
    """Nodes and constants so far; ``value`` names what the last node gives, first of all the input."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, layer: str, *constants: str, **attributes: Any) -> None:
        """Add a node of ONNX's ``kind`` for a layer."""
        import onnx

        result = f"{layer}.{kind}"
        given = [self.value, *constants]
        self.nodes.append(onnx.helper.make_node(kind, given, [result], **attributes))
        self.value = result

    def constant(self, name: str, array: Array) -> str:
        """Add a constant, and give its name."""
        import onnx

        self.constants.append(onnx.numpy_helper.from_array(array, name))
        return name
