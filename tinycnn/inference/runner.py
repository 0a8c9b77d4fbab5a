"""Pipelines made from plans, kept, and run with the parameters as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        self._kept: tuple[_Kept, ...] = ()  # the one used last comes first
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
        pipeline = self._pipeline(len(x), algorithm)
        pipeline.run(x, self._packed(source), first_sample, out)

    def _pipeline(self, batch: int, algorithm: str | None) -> Pipeline:
        forwards = [layer.forward for layer in self._layers]
        last = self._kept[0] if self._kept else None
        if last is not None and last.serves(batch, algorithm, forwards):
            return last.pipeline
        with self._lock:
            found = next((k for k in self._kept if k.serves(batch, algorithm, forwards)), None)
            if found is None:
                threads = free_threads()
                chosen = plan(self._layers, self._input_shape, self._dtype, batch, algorithm)
                pipeline = Pipeline(self._layers, self._dtype, chosen, threads)
                found = _Kept(batch, algorithm, forwards, threads, pipeline)
            others = [kept for kept in self._kept if kept is not found]
            self._kept = found, *others[: _KEPT - 1]
            return found.pipeline

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


@dataclass(frozen=True)
class _Kept:
    """A pipeline, and what it was made for."""

    batch: int
    algorithm: str | None
    forwards: list[Any]  # of the layers: one may be replaced
    threads: int
    pipeline: Pipeline

    def serves(self, batch: int, algorithm: str | None, forwards: list[Any]) -> bool:
        """Whether it is for these, and for as many threads as there are; if it has work for some."""
        return (
            self.batch == batch
            and self.algorithm == algorithm
            and self.forwards == forwards
            and (self.pipeline.is_for_one_thread or self.threads == free_threads())
        )
