"""The weights of a lesson, drawn from its seed."""

from __future__ import annotations

import math

import numpy as np

from tinycnn.initializers import Dyadic, fan_in
from tinycnn.model import Sequential

# So small that the first logits lie close together and the first loss near ln(classes).
_LAST_LAYER_SCALE = 0.1


def draw_lesson(model: Sequential, seed: int) -> None:
    """Make ``model``'s first convolution exact and its first loss near ln(classes).

    The first layer's weights become multiples of 1/1024, as spread as He's rule asks and so small
    that float32 holds every partial sum without rounding (`initializers.Dyadic`); its bias becomes
    0. The last layer's weights shrink.
    """
    first, last = model.layers[0], model.layers[-1]
    with model.edit() as parameters:
        W = parameters[f"{first.name}.W"]
        limit = min(round(1024 * math.sqrt(6 / fan_in(W))), (2**24 - 1) // (128 * fan_in(W)))
        Dyadic(limit)(W, np.random.default_rng(seed))
        parameters[f"{first.name}.b"][...] = 0
        parameters[f"{last.name}.W"][...] *= _LAST_LAYER_SCALE
