"""Pipelines made from plans, and run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tinycnn import blocks
from tinycnn.arrays import Array
from tinycnn.inference.held import PackedWeights, Workspace
from tinycnn.inference.parts import Maps, as_array, parts_of
from tinycnn.plan import Plan, plan

if TYPE_CHECKING:
    from tinycnn.model import Sequential

_KEPT = 2  # batch sizes whose buffers are kept: the usual one, and that of the last batch


class Inference:
    """Carries out a model's plans; safe to call from many threads at once."""

    def __init__(self, model: Sequential) -> None:
        self._model = model
        self._pipelines: dict[int, _Pipeline] = {}
        self._weights: PackedWeights | None = None
        self._lock = threading.Lock()

    def run(self, x: Array, first_sample: int, out: Array) -> None:
        """Write what the last layer gives for the images ``x`` (N, ...) to ``out`` (N, ...)."""
        pipeline = self._pipeline(len(x))
        weights = self._packed()
        with pipeline.workspace() as workspace, blocks.kept_awake():
            pipeline.run(x, weights, first_sample, workspace, out)

    def _pipeline(self, batch: int) -> _Pipeline:
        with self._lock:
            found = self._pipelines.pop(batch, None)
            if found is None:
                while len(self._pipelines) >= _KEPT:
                    del self._pipelines[next(iter(self._pipelines))]  # the one longest unused
                model = self._model
                found = _Pipeline(model, plan(model.layers, model.input_shape, model.dtype, batch))
            self._pipelines[batch] = found
            return found

    def _packed(self) -> PackedWeights:
        """The packed weights of the model's present version, published in one assignment."""
        weights, version = self._weights, self._model.version
        if weights is None or weights.version != version:
            weights = self._weights = PackedWeights(version, self._model.parameters())
        return weights


class _Pipeline:
    """A plan made ready to run for batches of one size."""

    def __init__(self, model: Sequential, chosen: Plan) -> None:
        self._parts = parts_of(model, chosen)
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
        y: Maps = x
        for part in self._parts:
            y = part.run(y, weights, first_sample, workspace)
        out[...] = as_array(y).reshape(out.shape)
