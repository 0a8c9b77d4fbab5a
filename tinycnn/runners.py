"""What carries out the passes of a chain of layers, loaded when it is first wanted, and Numba with it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from tinycnn.chain import Chain
from tinycnn.layers import Layer
from tinycnn.runtime.locks import new_reentrant_lock

if TYPE_CHECKING:
    from tinycnn.inference import Inference
    from tinycnn.recorded_passes import RecordedPass, RecordedPasses


class Runners:
    """Those of ``layers`` in a ``chain``, for arrays of ``dtype``."""

    def __init__(self, layers: Sequence[Layer], chain: Chain, dtype: np.dtype[Any]) -> None:
        self._layers, self._chain, self._dtype = layers, chain, dtype
        self._inference: Inference | None = None
        self._passes: RecordedPasses | None = None
        self._lock = new_reentrant_lock()

    def inference(self) -> Inference:
        """What `predict` runs."""
        if self._inference is not None:
            return self._inference
        with self._lock:
            if self._inference is None:
                inference = import_module("tinycnn.inference")
                self._inference = inference.Inference(
                    self._layers, self._chain.shapes[0], self._dtype
                )
            return self._inference

    def training_pass(self, batch: int, algorithm: str | None) -> RecordedPass | None:
        """A pass of so many inputs as recorded calls, if there is one."""
        if self._dtype != np.float32:
            return None
        with self._lock:
            if self._passes is None:
                recorded = import_module("tinycnn.recorded_passes")
                self._passes = recorded.RecordedPasses(
                    self._layers, self._chain.shapes[0], self._chain.parameters
                )
            return self._passes.of(batch, algorithm)
