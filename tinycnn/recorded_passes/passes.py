"""A training pass of a chain of layers as two programs of recorded calls, kept for each batch size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, cycle
from math import prod
from operator import or_
from typing import Any, NamedTuple

import numpy as np

from tinycnn.arrays import Array
from tinycnn.inference.chain import LEAST_WORK
from tinycnn.layers import ForwardContext, Layer, Shape
from tinycnn.ops.activations import gradient_of_rows
from tinycnn.ops.regularization import mask_draw
from tinycnn.recorded_passes.layers import STAGES
from tinycnn.recorded_passes.stages import FLOAT32, Kept, PassPlace, StageArrays, TrainingStage
from tinycnn.runtime import memory
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import round_up
from tinycnn.runtime.locks import new_reentrant_lock
from tinycnn.runtime.recorded_work import RecordedWork
from tinycnn.runtime.recording import Recorder, Slot
from tinycnn.runtime.threads import free_threads

_PASSES = 2  # batch sizes whose programs are kept: the usual one, and that of the last batch
_LINE = 16  # floats of a cache line
_DIRECTIONS = 3  # times the work of a forward pass: forward, dW and dx


class RecordedPasses:
    """Those of a chain of layers; ``parameters`` are the shapes of its parameters, {"conv1.W": ...}."""

    def __init__(
        self, layers: Sequence[Layer], input_shape: Shape, parameters: Mapping[str, Shape]
    ) -> None:
        self._layers, self._input_shape, self._parameters = layers, input_shape, parameters
        # With the layers' methods as they were when it was made.
        self._passes: dict[Any, tuple[list[Any], RecordedPass | None]] = {}
        self._lock = new_reentrant_lock()

    def of(self, batch: int, algorithm: str | None) -> RecordedPass | None:
        """The pass of so many samples; None where the calls of a layer cannot be written down."""
        key = batch, free_threads(), algorithm
        methods = [method for layer in self._layers for method in (layer.forward, layer.backward)]
        with self._lock:
            made_of, found = self._passes.pop(key, (None, None))
            if made_of != methods:  # none is kept, or a method was replaced
                while len(self._passes) >= _PASSES:
                    del self._passes[next(iter(self._passes))]  # the one longest unused
                found = self._made(*key)
            self._passes[key] = methods, found
            return found

    def _made(self, batch: int, threads: int, algorithm: str | None) -> RecordedPass | None:
        steps: list[_Step] = []
        shape, work = self._input_shape, 0
        for position, layer in enumerate(self._layers if batch else ()):
            stage = STAGES.of(layer)(PassPlace(layer, position, shape, batch, algorithm))
            if stage is None or not layer.differentiates_as(type(layer)):
                return None
            steps.append(_Step(layer, stage))
            work += _DIRECTIONS * batch * layer.multiply_adds(shape)
            shape = layer.output_shape(shape)
        threads = max(min(threads, work // LEAST_WORK), 1)
        x_shape = (batch, *self._input_shape)
        return RecordedPass(steps, x_shape, self._parameters, threads) if steps else None


class _Step(NamedTuple):
    """A layer, and its stage."""

    layer: Layer
    stage: TrainingStage


class RecordedPass:
    """Both directions for one batch size; one of these serves many threads at once."""

    def __init__(
        self,
        steps: Sequence[_Step],
        x_shape: Shape,
        parameters: Mapping[str, Shape],
        threads: int,
    ) -> None:
        self._steps, self._x_shape = steps, x_shape
        # Where each parameter and each kept array begins, in floats.
        first = 0
        self._parameters: dict[str, tuple[int, Shape]] = {}
        for name, shape in parameters.items():
            self._parameters[name] = first, shape
            first += prod(shape)
        self._kept: list[list[tuple[int, Kept]]] = []
        self._size = 0
        for step in steps:
            self._kept.append([(self._room(kept), kept) for kept in step.stage.kept])
        self._draws = any(step.stage.draws for step in steps)
        self._forward = RecordedWork(3 + self._draws, threads, self._forward_phases)
        self._backward = RecordedWork(5, threads, self._backward_phases)

    def forward(self, x: Array, parameters: Array, context: ForwardContext) -> Array:
        """Run ``x`` forward with all parameters in a row; gives all that is kept, in a row."""
        kept = memory.empty((self._size,), FLOAT32)
        given = [x, kept, parameters]
        if self._draws:
            given.append(mask_draw(context.rng, context.first_sample, len(x)).view(FLOAT32))
        self._forward.run(*given)
        return kept

    def backward(
        self, dy: Array, gradients: Array, x: Array, kept: Array, parameters: Array
    ) -> None:
        """Write all gradients in a row; ``dy`` is of the last layer's y, or of what goes into a softmax."""
        self._backward.run(dy, gradients, x, kept, parameters)

    def kept(self, position: int, kept: Array) -> list[Array]:
        """The arrays of one layer in what `forward` gave."""
        found = []
        for first, (shape, dtype) in self._kept[position]:
            numbers = kept[first : first + _floats(shape, dtype)].view(dtype)
            found.append(numbers[: prod(shape)].reshape(shape))
        return found

    def output(self, position: int, x: Array, kept: Array) -> Array:
        """What one layer gave; what the first was given, before it."""
        if position < 0:
            return x
        stage, own = self.stage(position), self.kept(position, kept)
        y: Array = stage.output(x if own else self.output(position - 1, x, kept), own)
        return y

    def stage(self, position: int) -> TrainingStage:
        """That of one layer."""
        return self._steps[position].stage

    def _room(self, kept: Kept) -> int:
        first = self._size
        self._size += round_up(_floats(*kept), _LINE)
        return first

    def _forward_phases(
        self,
        recorder: Recorder,
        x: Slot,
        kept: Slot,
        parameters: Slot,
        draw: Slot | None = None,
    ) -> Iterator[Phase]:
        for step, given in self._given(recorder, x, kept, parameters, draw):
            yield from step.stage.forward(recorder, given)

    def _backward_phases(
        self,
        recorder: Recorder,
        dy: Slot,
        gradients: Slot,
        x: Slot,
        kept: Slot,
        parameters: Slot,
    ) -> Iterator[Phase]:
        chain = [*self._given(recorder, x, kept, parameters)]
        # Of each layer, whether one before it has parameters.
        useful = [*accumulate((bool(given.params) for _, given in chain[:-1]), or_, initial=False)]
        rooms = cycle(("dx", "dx after it"))  # that take turns: what is read, and what is written
        for (step, given), required in zip(reversed(chain), reversed(useful), strict=True):
            y = step.stage.output(given.x, given.kept)
            dy = dz = dy.reshape(*y.shape)
            if step is not self._steps[-1] and not step.layer.activation.in_op:  # a softmax
                dz = recorder.shared("dz of a softmax", y.size).reshape(*y.shape)
                yield gradient_of_rows(dy, y, dz).phase()
            dx = None
            if required:
                passed_on = step.stage.hands_dz_on
                room = dz if passed_on else recorder.shared(next(rooms), given.x.size)
                dx = room.reshape(*given.x.shape)
            own = self._parts(recorder, step.layer, gradients)
            yield from step.stage.backward(recorder, given, dz, own, dx)
            if dx is None:
                break
            dy = dx

    def _given(
        self, recorder: Recorder, x: Slot, kept: Slot, parameters: Slot, draw: Slot | None = None
    ) -> Iterator[tuple[_Step, StageArrays]]:
        x = x.reshape(*self._x_shape)
        for step, rooms in zip(self._steps, self._kept, strict=True):
            arrays = [recorder.part(kept, first, *array) for first, array in rooms]
            own = self._parts(recorder, step.layer, parameters)
            yield step, StageArrays(x, own, arrays, draw)
            x = step.stage.output(x, arrays)

    def _parts(self, recorder: Recorder, layer: Layer, flat: Slot) -> dict[str, Slot]:
        """The layer's own arrays in all parameters, or in their gradients."""
        return {
            name.partition(".")[2]: recorder.part(flat, first, shape)
            for name, (first, shape) in self._parameters.items()
            if name.partition(".")[0] == layer.name
        }


def _floats(shape: Shape, dtype: np.dtype[Any]) -> int:
    """Floats that an array takes."""
    return -(-prod(shape) * dtype.itemsize // FLOAT32.itemsize)
