"""Pipelines made from plans, and run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from tinycnn.arrays import Array
from tinycnn.inference.held import PackedWeights, Workspace
from tinycnn.inference.parts import parts_of
from tinycnn.inference.plan import Plan, plan
from tinycnn.runtime import memory
from tinycnn.runtime.locks import new_reentrant_lock
from tinycnn.runtime.threads import free_threads

if TYPE_CHECKING:
    from tinycnn.model import Sequential

_KEPT = 2  # batch sizes whose buffers are kept: the usual one, and that of the last batch


class Inference:
    """Carries out a model's plans; safe to call from many threads at once."""

    def __init__(self, model: Sequential) -> None:
        self._model = model
        self._pipelines: dict[tuple[int, int, str | None], _Pipeline] = {}
        self._weights: PackedWeights | None = None
        self._lock = new_reentrant_lock()

    def run(self, x: Array, first_sample: int, out: Array, algorithm: str | None) -> None:
        """Write what the last layer gives for the images ``x`` (N, ...) to ``out`` (N, ...).

        ``algorithm`` is that of all convolutions; None: each layer's own.
        """
        pipeline = self._pipeline(len(x), free_threads(), algorithm)
        weights = self._packed()
        with pipeline.workspace() as workspace:
            pipeline.run(x, weights, first_sample, workspace, out)

    def _pipeline(self, batch: int, threads: int, algorithm: str | None) -> _Pipeline:
        key = batch, threads, algorithm
        forwards = [layer.forward for layer in self._model.layers]
        with self._lock:
            found = self._pipelines.pop(key, None)
            if found is None or found.forwards != forwards:  # one was replaced
                while len(self._pipelines) >= _KEPT:
                    del self._pipelines[next(iter(self._pipelines))]  # the one longest unused
                model = self._model
                chosen = plan(model.layers, model.input_shape, model.dtype, batch, algorithm)
                found = _Pipeline(model, chosen, threads, forwards)
            self._pipelines[key] = found
            return found

    def _packed(self) -> PackedWeights:
        """The packed weights of the model's present version, published in one assignment.

        While parameters are edited nothing is kept: the version says nothing of their values.
        """
        weights, version = self._weights, self._model.version
        if self._model.is_being_edited:
            return PackedWeights(version, self._model.parameters())
        if weights is None or weights.version != version:
            weights = self._weights = PackedWeights(version, self._model.parameters())
        return weights


class _Pipeline:
    """A plan made ready to run for batches of one size."""

    def __init__(
        self, model: Sequential, chosen: Plan, threads: int, forwards: list[Callable[..., Any]]
    ) -> None:
        self.forwards = forwards  # of the layers, when it was made
        self._parts, self._dtype = parts_of(model, chosen, threads), model.dtype
        self._free: list[Workspace] = []

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """Lend buffers; each call that runs at the same time has its own."""
        try:
            workspace = self._free.pop()
        except IndexError:
            workspace = Workspace()
        try:
            yield workspace
        finally:
            self._free.append(workspace)

    def run(
        self,
        x: Array,
        weights: PackedWeights,
        first_sample: int,
        workspace: Workspace,
        out: Array,
    ) -> None:
        y = x
        for number, (part, shape) in enumerate(self._parts, start=1):
            if number == len(self._parts):
                result = out.reshape(len(x), *shape)
            else:
                result = workspace.get(number, partial(memory.empty, (len(x), *shape), self._dtype))
            part.run(y, weights, first_sample, workspace, result)
            y = result
        if not self._parts:
            out[...] = x.reshape(out.shape)
