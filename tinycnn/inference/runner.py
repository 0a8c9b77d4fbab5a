"""Pipelines made from plans, kept, and run with the parameters as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from tinycnn.arrays import Array
from tinycnn.inference.pipeline import Pipeline
from tinycnn.inference.plan import plan
from tinycnn.layers import Layer, Shape
from tinycnn.runtime.held import NamedArrays, PackedWeights
from tinycnn.runtime.locks import new_reentrant_lock
from tinycnn.runtime.threads import free_threads

_KEPT = 2  # batch sizes whose buffers are kept: the usual one, and that of the last batch


class ParameterSource(Protocol):
    """Where a run finds parameters and state, by names such as "conv1.W"."""

    @property
    def version(self) -> int:
        """Another number for other values, but while they are edited."""

    @property
    def is_being_edited(self) -> bool:
        """Whether values may change while the version stays; asked after the version was read."""

    def arrays(self) -> NamedArrays:
        """The arrays, as they are now."""


class Inference:
    """Carries out the plans of a chain of layers; safe to call from many threads at once."""

    def __init__(self, layers: Sequence[Layer], input_shape: Shape, dtype: np.dtype[Any]) -> None:
        self._layers, self._input_shape, self._dtype = layers, input_shape, dtype
        # With the layers' forwards as they were when it was made.
        self._pipelines: dict[tuple[int, int, str | None], tuple[list[Any], Pipeline]] = {}
        self._weights: PackedWeights | None = None
        self._lock = new_reentrant_lock()

    def run(
        self,
        source: ParameterSource,
        x: Array,
        first_sample: int,
        out: Array,
        algorithm: str | None,
    ) -> None:
        """Write what the last layer gives for the images ``x`` (N, ...) to ``out`` (N, ...).

        ``source`` is the same for all runs; it is not kept. ``algorithm`` is that of all convolutions;
        None: each layer's own.
        """
        pipeline = self._pipeline(len(x), free_threads(), algorithm)
        weights = self._packed(source)
        pipeline.run(x, weights, first_sample, out)

    def _pipeline(self, batch: int, threads: int, algorithm: str | None) -> Pipeline:
        key = batch, threads, algorithm
        forwards = [layer.forward for layer in self._layers]
        with self._lock:
            made_of, found = self._pipelines.pop(key, (None, None))
            if found is None or made_of != forwards:  # one was replaced
                while len(self._pipelines) >= _KEPT:
                    del self._pipelines[next(iter(self._pipelines))]  # the one longest unused
                chosen = plan(self._layers, self._input_shape, self._dtype, batch, algorithm)
                found = Pipeline(self._layers, self._dtype, chosen, threads)
            self._pipelines[key] = forwards, found
            return found

    def _packed(self, source: ParameterSource) -> PackedWeights:
        """The packed weights of the present version, published in one assignment.

        While parameters are edited nothing is kept: the version says nothing of their values.
        """
        weights, version = self._weights, source.version
        if source.is_being_edited:
            return PackedWeights(version, source.arrays())
        if weights is None or weights.version != version:
            weights = self._weights = PackedWeights(version, source.arrays())
        return weights
