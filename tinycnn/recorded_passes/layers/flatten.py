"""Images to rows: nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinycnn.arrays import Array
from tinycnn.layers import Flatten
from tinycnn.recorded_passes.stages import STAGES, PassPlace, TrainingStage


@STAGES.register(Flatten)
def flatten_stage(place: PassPlace[Flatten]) -> TrainingStage:
    """Any."""
    return FlattenStage()


class FlattenStage(TrainingStage):
    """The same numbers in another shape."""

    hands_dz_on = True

    def output(self, x: Any, kept: Sequence[Any]) -> Any:
        return x.reshape(len(x), x.size // len(x))

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        return x.shape
