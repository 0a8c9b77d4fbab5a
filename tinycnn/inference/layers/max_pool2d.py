"""Max-pooling in inference: the places of the maxima are forgotten; in float64 by its own forward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from tinycnn.inference.planners import STEPS, by_its_own_forward
from tinycnn.inference.steps import Place, Stage, Steps, by_rows
from tinycnn.inference.window_stage import with_maxima
from tinycnn.kernels.max_pool_maps import max_pool
from tinycnn.layers import MaxPool2D
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.ranges import Range
from tinycnn.runtime.recording import Recorder
from tinycnn.shapes import Window


@STEPS.register(MaxPool2D)
def max_pool_steps(place: Place[MaxPool2D], before: Steps) -> Steps:
    """One step, on the images that the step before it gives together; none where that takes the maxima."""
    if place.dtype != np.float32:
        return by_its_own_forward(place, before)
    window, last = place.layer.window(place.input_shape), before[-1] if before else None
    pooled = with_maxima(last, window) if last else None
    if pooled is not None:
        return (*before[:-1], pooled)
    together = last.images if last else None
    return (*before, place.step("maximum", images=together or 1, stage=MaxPoolStage(window)))


@dataclass(frozen=True)
class MaxPoolStage(Stage):
    """The maximum of each window."""

    window: Window
    border: ClassVar[Border | None] = None
    whole_vectors: ClassVar[bool] = True

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        win = self.window
        N, H, W, C = source.shape

        def pool(calls: Calls, rows: Range) -> None:
            calls(
                max_pool, calls.read(source.flat), source.place, (H, W), *rows,
                win.kernel, win.stride, win.pad_top_left, win.dilation,
                C, target.flat, target.place, win.output,
            )  # fmt: skip

        yield [partial(pool, rows=rows) for rows in by_rows(N * win.output[0], threads)]
