"""The network of a hand-sized example as a model, so that it can go on learning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.explain.examples.example import load
from tinycnn.layers import Conv2D, Dense, Layer, MaxPool2D, ReLU
from tinycnn.model import Sequential

# The layer whose op is so called, made of the shape of its weights and the call's arguments.
_LAYERS: dict[str, Callable[..., Layer]] = {
    "conv2d": lambda W, **options: Conv2D(W[-1], W[:2], **options),
    "dense": lambda W: Dense(W[-1]),
    "max_pool2d": lambda _, **options: MaxPool2D(**options),
    "relu": lambda _: ReLU(),
}
_LOSS = "cross_entropy"


@dataclass(frozen=True)
class ExampleNetwork:
    """A float64 model with the example's parameters, its images and labels, and how it steps.

    ``frozen`` are the parameters that its step leaves alone, ``rate`` is that of the step.
    """

    model: Sequential
    x: Array
    labels: Array
    frozen: tuple[str, ...]
    rate: float


def example_network(name: str) -> ExampleNetwork:
    """The network of the example ``name``.

    Raises UnknownNameError where there is none of that name, and ArgumentError, which lists others, for one
    without a loss.
    """
    data = load()
    if name not in data:
        raise UnknownNameError(f"there is no example {name!r}; there are {', '.join(data)}")
    learning = [each for each, entry in data.items() if _has_loss(entry)]
    if name not in learning:
        raise ArgumentError(
            f"{name} has no loss that steps make smaller; {' and '.join(learning)} have one"
        )
    return _network(data[name])


def _has_loss(entry: Mapping[str, Any]) -> bool:
    return "update" in entry and any(call["op"] == _LOSS for call in entry["forward"])


def _network(entry: Mapping[str, Any]) -> ExampleNetwork:
    arrays = {
        name: np.array(value["data"], value.get("dtype", "float64")).reshape(value["shape"])
        for name, value in entry["values"].items()
    }
    calls = [call for call in entry["forward"] if call["op"] in _LAYERS]
    layers, held = [], []  # of each layer the names of its weights and its bias
    for call in calls:
        _, *weights = call["takes"]
        shape = arrays[weights[0]].shape if weights else None
        layers.append(_LAYERS[call["op"]](shape, **call["arguments"]))
        held.append(weights)
    x = arrays[calls[0]["takes"][0]]
    model = Sequential(layers, x.shape[1:], dtype="float64")
    names = {
        source: f"{layer.name}.{part}"
        for layer, weights in zip(model.layers, held, strict=True)
        for source, part in zip(weights, ("W", "b"), strict=False)
    }
    with model.edit() as parameters:
        for source, target in names.items():
            parameters[target][...] = arrays[source]
    stepped = {update["takes"][0]: update["arguments"]["rate"] for update in entry["update"]}
    (labels,) = (call["takes"][1] for call in entry["forward"] if call["op"] == _LOSS)
    return ExampleNetwork(
        model,
        x,
        arrays[labels],
        tuple(target for source, target in names.items() if source not in stepped),
        next(iter(stepped.values())),
    )
