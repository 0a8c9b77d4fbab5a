"""Dropout, its mask drawn from numbers that each run brings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.kernels.dropout import dropout_mask, scale_kept
from tinycnn.layers import Dropout, Shape
from tinycnn.recorded_passes.stages import STAGES, Kept, PassPlace, StageArrays, TrainingStage
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.recording import Recorder, Slot

_BOOL = np.dtype(np.bool_)
# Cells a block: some five microseconds.
_CELLS = 1 << 12


@STAGES.register(Dropout)
def dropout_stage(place: PassPlace[Dropout]) -> TrainingStage:
    """Any."""
    return DropoutStage(place.x_shape, place.layer.rate, place.position)


@dataclass(frozen=True)
class DropoutStage(TrainingStage):
    """Cells dropped, and the rest scaled up."""

    shape: Shape
    rate: float
    layer: int
    draws = True

    @property
    def kept(self) -> Sequence[Kept]:
        """Y, and the mask."""
        return [Kept(self.shape), Kept(self.shape, _BOOL)]

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        y, mask = given.kept
        mask, threshold = self._rows(mask), round(self.rate * 2**32)

        def drop(calls: Calls, rows: Range) -> None:
            calls(dropout_mask, given.draw, self.layer, *rows, threshold, mask)
            self._scale(given.x, mask, rows, y, calls)

        yield [partial(drop, rows=rows) for rows in self._blocks(mask)]

    def backward(
        self,
        recorder: Recorder,
        given: StageArrays,
        dy: Slot,
        gradients: Mapping[str, Slot],
        dx: Slot | None,
    ) -> Iterator[Phase]:
        if dx is not None:
            mask = self._rows(given.kept[1])
            yield [partial(self._scale, dy, mask, rows, dx) for rows in self._blocks(mask)]

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        return kept[1]

    def _rows(self, mask: Slot) -> Slot:
        return mask.reshape(len(mask), mask.size // len(mask))

    def _blocks(self, mask: Slot) -> list[Range]:
        return split_range(len(mask), max(_CELLS // mask.shape[1], 1))

    def _scale(self, x: Slot, mask: Slot, rows: Range, y: Slot, calls: Calls) -> None:
        cells = [row * mask.shape[1] for row in rows]
        scale = 1 / (1 - self.rate)
        calls(scale_kept, calls.read(x.reshape(-1)), calls.read(mask), scale, *cells, y.reshape(-1))
