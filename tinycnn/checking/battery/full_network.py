"""The full AlexNet, 62,378,344 parameters: each tensor along directions and at sampled entries."""

from __future__ import annotations

import numpy as np

from tinycnn.checking.check import gradcheck
from tinycnn.checking.report import GradientReport
from tinycnn.checking.values import separated
from tinycnn.networks import alexnet

# Every derivative takes some dozen passes from its layer on: with these, about a minute on two cores.
SAMPLES, DIRECTIONS = 3, 1


def check_full_network(
    seed: int = 0, *, samples: int | None = None, directions: int | None = None
) -> GradientReport:
    """Check the loss of one image by all 17 tensors, the image among them, in float64.

    A direction moves every parameter of a tensor at once, 37.7 million of fc1.W; a pass is computed
    anew from the changed layer on only. The parameters are held in float64 (0.5 GB) as often as a
    check needs them side by side: about 3 GB in all.
    """
    rng = np.random.default_rng(seed)
    model = alexnet(rng=seed)
    x = separated(rng, (1, *model.input_shape))
    labels = rng.integers(0, model.shapes[-1][0], 1)
    return gradcheck(
        model,
        x,
        labels=labels,
        rng=seed,
        samples=SAMPLES if samples is None else samples,
        directions=DIRECTIONS if directions is None else directions,
    )
