"""A network in ncnn's two files, in which each layer takes what the one before it gives.

The text has a line a layer: its kind, its name, the values it takes and gives, and numbered arguments.
The weights follow one another in the other file. Both formats: ncnn's wiki, "param and model file
structure" and "operation param weight table".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tinycnn.arrays import Array
from tinycnn.layers import Shape

_MAGIC = 7767517
_SHAPE, _ACTIVATION = (
    -23330,
    9,
)  # numbers of arguments: what a layer gives, and what it applies at once
_RELU = 1
_FLOAT32 = np.zeros(
    1, np.int32
)  # stands before a weight whose numbers may be stored in several ways


class NcnnLayers:
    """Layers and weights so far, from an input "x"; ``value`` names what the last layer gives."""

    def __init__(self, shape: Shape) -> None:
        self.value = "x"
        self._lines: list[tuple[str, dict[int, object]]] = [("Input x 0 1 x", _sizes(shape))]
        self._weights: list[Array] = []

    def add(
        self,
        kind: str,
        layer: str,
        gives: Shape,
        arguments: Mapping[int, object],
        *,
        weights: Sequence[Array] = (),
        others: Sequence[Array] = (),
    ) -> None:
        """Add a layer that gives maps (H, W, C) or rows; ``others`` are stored as float32 always."""
        dims = len(gives)
        shape = ",".join(map(str, (4, dims, *_sizes(gives).values(), *[1] * (3 - dims))))
        self._lines.append(
            (f"{kind} {layer} 1 1 {self.value} {layer}", {**arguments, _SHAPE: shape})
        )
        for weight in weights:
            self._weights += [_FLOAT32, weight]
        self._weights += others
        self.value = layer

    def apply_relu(self) -> None:
        """Let the last layer, which has weights, apply ReLU to what it gives."""
        self._lines[-1][1][_ACTIVATION] = _RELU

    def write(self, path: Path) -> tuple[Path, Path]:
        """Write ``path`` with the endings .param and .bin."""
        text = [f"{line} {_said(arguments)}" for line, arguments in self._lines]
        head = [str(_MAGIC), f"{len(self._lines)} {len(self._lines)}"]
        param, weights = path.with_suffix(".param"), path.with_suffix(".bin")
        param.write_text("\n".join([*head, *text]) + "\n", encoding="ascii")
        with weights.open("wb") as file:
            for array in self._weights:
                file.write(np.ascontiguousarray(array).tobytes())
        return param, weights


def _sizes(shape: Shape) -> dict[int, object]:
    """(H, W, C) as width, height and channels; (D,) as a width."""
    H_W_C = (shape[1], shape[0], shape[2]) if len(shape) == 3 else shape
    return dict(enumerate(H_W_C))


def _said(arguments: dict[int, object]) -> str:
    return " ".join(f"{number}={value}" for number, value in arguments.items())
