"""A model, with a loss or without, as a target: a copy in float64 whose parameters come from outside."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from tinycnn import passes
from tinycnn.arrays import Array, cast
from tinycnn.checking import kinks
from tinycnn.checking.targets.target import Arrays, Gradients, Seen, Target
from tinycnn.layers import ForwardContext
from tinycnn.losses import CrossEntropy, LossFunction
from tinycnn.model import Sequential
from tinycnn.passes import Record
from tinycnn.trace import Trace
from tinycnn.validation import mask_key


def of_model(
    model: Sequential,
    x: Array,
    labels: ArrayLike | None,
    rng: np.random.Generator,
    *,
    loss: LossFunction | None = None,
    training: bool,
) -> Target:
    """Make a target of the model's output, or with ``labels`` of its loss; x and all parameters move."""
    function = loss or CrossEntropy()
    copy = _Passes(model, "float64", mask_key(rng), training=training)
    given = model.parameters()
    arrays = {"x": np.array(copy.model.batch(x))}
    arrays |= {name: given[name].astype(np.float64) for name in given}
    copy.base = arrays
    if labels is not None:  # bad ones are the caller's mistake, no verdict on a gradient
        function(np.zeros((len(x), *copy.model.shapes[-1])), labels)

    def value(trace: Trace) -> Array:
        if labels is None:
            return trace.y
        return np.array(function(trace.outputs_for(function), labels)[0])

    def forward(values: Arrays) -> Array:
        return value(copy.trace(values))

    def gradients(dy: Array, trace: Trace) -> Gradients:
        if labels is None:
            found = trace.backward(dy, keep=True)
        else:
            found = trace.backward(labels=labels, loss=function, keep=True)
        return {"x": trace.records[0].dx, **found}

    def observe(values: Arrays) -> Seen:
        trace = copy.trace(values)
        return value(trace), kinks.sides_of_trace(trace)

    def backward(dy: Array, values: Arrays) -> Gradients:
        return gradients(dy, copy.trace(values))

    def delayed(dy: Array, values: Arrays, others: Arrays) -> Gradients:
        trace = copy.trace(values)
        copy.trace(others)
        return gradients(dy, trace)

    @cache
    def rough() -> _Passes:
        return _Passes(model, "float32", copy.key, training=training)

    def single(values: Arrays) -> Array:
        return value(rough().trace(values))

    return Target(
        str(model.name or "model"),
        arrays,
        forward,
        backward,
        tuple(arrays),
        places=kinks.places(copy.model.layers),
        opaque=any(kinks.kinks_of(layer) is None for layer in model.layers),
        observe=observe,
        delayed=delayed,
        single=single,
        expensive=True,
        scalar=labels is not None,
    )


class _Passes:
    """Passes of a copy of ``model`` on arrays from outside, which draws no parameters of its own."""

    def __init__(self, model: Sequential, dtype: str, key: int, *, training: bool) -> None:
        layers = [deepcopy(layer) for layer in model.layers]
        self.model = Sequential(layers, model.input_shape, dtype=dtype, name=model.name)
        self.model.update_state(model.state())
        self.key, self.training = key, training
        self.base: Arrays = {}  # where the arrays are these very objects, a pass need not run again
        self._kept: list[Record] = []

    def trace(self, values: Arrays) -> Trace:
        same = [values[name] is array for name, array in self.base.items()]
        if self.base and all(same) and not self._kept:
            self._kept = self._run(values, 0)
        first = self._first_changed(values) if self._kept else 0
        records = [replace(record) for record in self._kept[:first]] + self._run(values, first)
        return Trace(self.model, self.model.version, values["x"], records)

    def _first_changed(self, values: Arrays) -> int:
        """The first layer whose input or parameters are not those of the kept pass."""
        if values["x"] is not self.base["x"]:
            return 0
        for position, layer in enumerate(self.model.layers):
            start = f"{layer.name}."
            if any(
                values[name] is not self.base[name] for name in self.base if name.startswith(start)
            ):
                return position
        return len(self.model.layers)

    def _run(self, values: Arrays, first: int) -> list[Record]:
        y = self._kept[first].x if 0 < first < len(self._kept) else self.model.batch(values["x"])

        def parameters(name: str) -> dict[str, Array]:
            start = f"{name}."
            return {
                key.removeprefix(start): cast(array, self.model.dtype)
                for key, array in values.items()
                if key.startswith(start)
            }

        context = ForwardContext(self.training, self.key)
        model = self.model
        run = passes.forward(
            model.layers, model.shapes, parameters, y, context, state=model.state().of, first=first
        )
        return list(run)
