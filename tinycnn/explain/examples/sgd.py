"""A step of the engine's SGD, on arrays that belong to no model."""

from __future__ import annotations

from collections.abc import Mapping

from tinycnn.arrays import Array
from tinycnn.layers import Layer, Shape
from tinycnn.model import Sequential
from tinycnn.optimizers import SGD


class _Holder(Layer):
    """A layer that is nothing but its parameters, for a step of SGD."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.name = "it"
        self.shapes = dict(shapes)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return self.shapes


def sgd_step(
    parameters: Mapping[str, Array],
    gradients: Mapping[str, Array],
    rate: float,
    *,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    velocities: Mapping[str, Array] | None = None,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The parameters and velocities after one step of the engine's SGD, in float64."""
    holder = _Holder({name: array.shape for name, array in parameters.items()})
    model = Sequential([holder], (1,), dtype="float64")
    optimizer = SGD(model, rate, momentum, weight_decay)
    with model.edit() as held:
        for name, array in parameters.items():
            held[f"it.{name}"][...] = array
            optimizer.velocities[f"it.{name}"][...] = (velocities or {}).get(name, 0.0)
    optimizer.step({f"it.{name}": array for name, array in gradients.items()})
    after = model.parameters()
    return (
        {name: after[f"it.{name}"].copy() for name in parameters},
        {name: optimizer.velocities[f"it.{name}"].copy() for name in parameters},
    )


def sgd(parameter: Array, gradient: Array, *, rate: float) -> Array:
    """What a step without momentum or decay makes of one parameter: parameter - rate * gradient."""
    stepped, _ = sgd_step({"array": parameter}, {"array": gradient}, rate)
    return stepped["array"]
