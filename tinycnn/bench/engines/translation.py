"""How layers of ours are said in other engines, which have channels first: `TORCH`, `ONNX`, `NCNN`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, TypeVar

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench.engines.ncnn_layers import NcnnLayers
from tinycnn.bench.engines.onnx_nodes import Nodes
from tinycnn.errors import ArgumentError
from tinycnn.layers import Layer, Params, Registry, Shape
from tinycnn.model import Sequential
from tinycnn.shapes import Padding

_Kind = TypeVar("_Kind", bound=Layer)


@dataclass(frozen=True)
class OurLayer(Generic[_Kind]):
    """A layer with its arrays where it stands in a network; ``channels_last``: maps lie so in memory."""

    layer: _Kind
    input_shape: Shape
    parameters: Params
    channels_last: bool = False
    state: Params = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The layer's name."""
        return str(self.layer.name)

    @property
    def output_shape(self) -> Shape:
        """What the layer makes of its input, without the batch."""
        return self.layer.output_shape(self.input_shape)


@dataclass(frozen=True)
class TorchLayer:
    """A layer of ours in PyTorch, without its activation."""

    modules: list[Any]  # torch.nn.Module, one after the other
    parameters: Callable[[], dict[str, Array]] = (
        dict  # as they are now, by our names, in our layouts
    )


def _not_in_torch(ours: OurLayer[Any]) -> NoReturn:
    raise ArgumentError(f"the comparison with PyTorch has no layer of the kind {ours.layer!r}")


def _not_in_onnx(ours: OurLayer[Any], nodes: Nodes) -> NoReturn:
    raise ArgumentError(f"the comparison by ONNX has no layer of the kind {ours.layer!r}")


def _not_in_ncnn(ours: OurLayer[Any], net: NcnnLayers) -> NoReturn:
    raise ArgumentError(f"the comparison with ncnn has no layer of the kind {ours.layer!r}")


TORCH: Registry[Callable[[OurLayer[Any]], TorchLayer]] = Registry(_not_in_torch)
ONNX: Registry[Callable[[OurLayer[Any], Nodes], None]] = Registry(_not_in_onnx)
NCNN: Registry[Callable[[OurLayer[Any], NcnnLayers], None]] = Registry(_not_in_ncnn)


def layers_of(model: Sequential, *, channels_last: bool = False) -> Iterator[OurLayer[Any]]:
    """The layers of a model, each where it stands."""
    parameters, state = model.parameters(), model.state()
    for layer, shape in zip(model.layers, model.shapes, strict=False):
        name = str(layer.name)
        yield OurLayer(layer, shape, parameters.of(name), channels_last, state.of(name))


def channels_first(x: Array) -> Array:
    """(N, H, W, C) as (N, C, H, W); rows (N, D) stay."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def channels_last(y: Array) -> Array:
    """(N, C, H, W) as (N, H, W, C); rows (N, D) stay."""
    return np.ascontiguousarray(np.moveaxis(y, 1, -1))


def one_padding(padding: Padding) -> int:
    """The padding, where it is the same on all sides."""
    if not isinstance(padding, int):
        raise ArgumentError(f"only padding by one int is translated, got {padding!r}")
    return padding


def optional(parameters: Params, name: str) -> list[Array]:
    """The parameter of that name, or none: a layer may be without a bias."""
    return [parameters[name]] if name in parameters else []


def bias_of(module: Any) -> Array:
    """The bias of a module of PyTorch, empty if it has none."""
    return np.empty(0, np.float32) if module.bias is None else module.bias.detach().numpy()


def given_weights(module: Any, weights: Array, bias: Array | None) -> Any:
    """A module of PyTorch with these numbers as its weight and, if it has one, its bias."""
    import torch

    with torch.no_grad():
        module.weight.copy_(torch.tensor(weights))
        if bias is not None:
            module.bias.copy_(torch.tensor(bias))
    return module
