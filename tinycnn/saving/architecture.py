"""Layers as plain data and back: built-in ones by name, from a closed list; no code is ever loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

from tinycnn import layers as built_in
from tinycnn.arrays import Array
from tinycnn.errors import CheckpointError
from tinycnn.layers import IDENTITY, RELU, SOFTMAX, Layer
from tinycnn.saving.plain import pack

if TYPE_CHECKING:
    from tinycnn.model import Sequential

_KINDS: dict[str, type[Layer]] = {
    name: kind
    for name in built_in.__all__
    if isinstance(kind := getattr(built_in, name), type) and issubclass(kind, Layer)
}
_KINDS.pop("Layer")
# How parameters are drawn is not kept: they are in the file.
_LEFT_OUT = {"weight_initializer", "bias_initializer"}
_MOST_LAYERS = 10_000


def describe(model: Sequential) -> dict[str, Any]:
    """The architecture of ``model``; a layer of a user's own is named, and no more."""
    return {
        "input_shape": [*model.input_shape],
        "dtype": model.dtype.name,
        "algorithm": model.algorithm,
        "name": model.name,
        "layers": [_described(layer) for layer in model.layers],
    }


def _described(layer: Layer) -> dict[str, Any]:
    kind = type(layer)
    if _KINDS.get(kind.__name__) is not kind or not layer.computes_as(kind):
        return {"own": f"{layer.name} ({kind.__name__})"}
    if layer.activation not in (IDENTITY, RELU, SOFTMAX):
        return {"own": f"the activation of {layer.name} ({type(layer.activation).__name__})"}
    options = {name: getattr(layer, name) for name in _options(kind)}
    if "activation" in options:
        options["activation"] = layer.activation.name
    none: dict[str, Array] = {}
    return {
        "kind": kind.__name__,
        **{key: pack(value, key, none) for key, value in options.items()},
    }


def _options(kind: type[Layer]) -> list[str]:
    return [name for name in signature(kind).parameters if name not in _LEFT_OUT]


def layers_of(described: Sequence[Mapping[str, Any]], file: str) -> list[Layer]:
    """New layers as `describe` has them; raises CheckpointError for what is none of the built-in ones."""
    if len(described) > _MOST_LAYERS:
        raise CheckpointError(f"{file} describes more than {_MOST_LAYERS:,} layers")
    return [_layer(one, file) for one in described]


def _layer(described: Mapping[str, Any], file: str) -> Layer:
    if "own" in described:
        raise CheckpointError(
            f"{file} holds a network with code of your own, {described['own']}, which a file cannot "
            f"hold: build the network and call its load_weights({file!r})"
        )
    options = dict(described)
    kind = options.pop("kind", None)
    if kind not in _KINDS:
        raise CheckpointError(f"{file} has a layer {kind!r}; there are {', '.join(_KINDS)}")
    if set(options) != set(_options(_KINDS[kind])):
        raise CheckpointError(f"{file} does not describe a {kind} as this tinycnn has it")
    return _KINDS[kind](**options)
