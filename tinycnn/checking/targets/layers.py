"""A layer with parameters drawn for the check, as a target."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from tinycnn import passes
from tinycnn.arrays import Array
from tinycnn.checking import kinks
from tinycnn.checking.targets.target import Arrays, Gradients, Seen, Target
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.layers import BackwardContext, ForwardContext, Layer, Params
from tinycnn.layers.base import naming
from tinycnn.validation import mask_key


def of_layer(given: Layer, x: Array, rng: np.random.Generator, *, training: bool) -> Target:
    """Make a target of a copy of the layer; its arrays are x (N, ...) and the parameters it draws."""
    layer = deepcopy(given)
    layer.name = layer.name or layer.stem
    if x.ndim < 2:
        raise ShapeError(f"x must have a batch axis, (N, ...), got shape {x.shape}; pass x[None]")
    with naming(layer):
        output = (len(x), *layer.output_shape(x.shape[1:]))
        shapes = layer.parameter_shapes(x.shape[1:])
    if "x" in shapes:
        raise ArgumentError("a parameter named x cannot be told from the input; rename it")
    arrays = {"x": x} | {name: _drawn(layer, name, shape, rng) for name, shape in shapes.items()}
    drawn = {name: array for name, array in arrays.items() if name != "x"}
    key = mask_key(rng)
    state = state_after_training(layer, drawn, x, rng)
    context = ForwardContext(training=training, rng=key, state=state)

    def step(values: Arrays) -> tuple[Array, Any]:
        params = {name: values[name] for name in shapes}
        y, _, saved = passes.apply(layer, params, values["x"], context)
        return y, saved

    def back(dy: Array, values: Arrays, passed: tuple[Array, Any]) -> Gradients:
        params, (y, saved) = {name: values[name] for name in shapes}, passed
        dz = layer.activation.backward(dy, y)
        dx, gradients = passes.undo(layer, params, dz, saved, BackwardContext(training=training))
        passes.expect_gradients(gradients, params)
        return {"x": dx, **gradients}

    def forward(values: Arrays) -> Array:
        return _of_shape(step(values)[0], output)

    def backward(dy: Array, values: Arrays) -> Gradients:
        return back(dy, values, step(values))

    def delayed(dy: Array, values: Arrays, others: Arrays) -> Gradients:
        passed = step(values)
        step(others)
        return back(dy, values, passed)

    def observe(values: Arrays) -> Seen:
        y, saved = step(values)
        return _of_shape(y, output), kinks.sides(layer, y, saved)

    known = kinks.kinks_of(layer) is not None
    return Target(
        f"{type(layer).__name__} {layer.name}",
        arrays,
        forward,
        backward,
        tuple(arrays),
        places=kinks.places([layer]),
        observe=observe if known else None,
        delayed=delayed,
    )


def state_after_training(
    layer: Layer, params: Params, x: Array, rng: np.random.Generator
) -> Params:
    """The layer's state once it has met ``x`` (N, ...) in training: as it is drawn, much hides."""
    state = {name: np.empty(shape) for name, shape in layer.state_shapes(x.shape[1:]).items()}
    if not state:
        return state
    for name, array in state.items():
        layer.initializer(name)(array, rng)
    saved = passes.apply(layer, params, x, ForwardContext(training=True, state=state))[2]
    return layer.next_state(state, saved)


def _of_shape(y: Array, shape: tuple[int, ...]) -> Array:
    if np.shape(y) != shape:
        raise ShapeError(f"forward returns shape {np.shape(y)} where output_shape says {shape}")
    return y


def _drawn(layer: Layer, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A parameter as its initializer draws it; a constant is varied, for at 0 much hides."""
    array = np.empty(shape)
    layer.initializer(name)(array, rng)
    if array.size and array.min() == array.max():
        array += 0.3 * max(abs(float(array.flat[0])), 1.0) * rng.standard_normal(shape)
    return array
