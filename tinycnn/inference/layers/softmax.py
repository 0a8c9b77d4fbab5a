"""Softmax in inference, as a layer or an activation: a stage; in float64 by the layer's own forward."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import numpy as np

from tinycnn.inference.planners import STEPS, by_its_own_forward
from tinycnn.inference.steps import ACTIVATIONS, Place, Stage, Steps, by_rows
from tinycnn.kernels.softmax import softmax
from tinycnn.layers import SOFTMAX, Softmax
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.ranges import Range
from tinycnn.runtime.recording import Recorder


@STEPS.register(Softmax)
def softmax_steps(place: Place[Softmax], before: Steps) -> Steps:
    """One step, of the whole batch; none without the activation, whose input is then what comes out."""
    if place.layer.activation is not SOFTMAX:
        return before
    if place.dtype != np.float32:
        return by_its_own_forward(place, before)
    return (*before, place.step("softmax", stage=SoftmaxStage(), after=None, then=None))


class SoftmaxStage(Stage):
    """Probabilities over the last axis."""

    border: ClassVar[Border | None] = None
    whole_vectors: ClassVar[bool] = True
    writes_plain: ClassVar[bool] = True

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        N, H, W, C = source.shape

        def work(calls: Calls, rows: Range) -> None:
            calls(softmax, calls.read(source.flat), *rows, C, target.flat)

        yield [partial(work, rows=rows) for rows in by_rows(N * H * W, threads)]


ACTIVATIONS[SOFTMAX] = SoftmaxStage()
