"""Cases of the battery: AlexNet "mini" from end to end."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.checking.battery.case import NETWORKS, GradientCase
from tinycnn.checking.check import gradcheck
from tinycnn.checking.report import GradientReport
from tinycnn.checking.values import separated
from tinycnn.networks import alexnet

_ENTRIES, _DIRECTIONS = 16, 3  # of each of AlexNet's tensors, unless told otherwise


def network_cases(seed: int = 0) -> list[GradientCase]:
    """AlexNet "mini" from end to end: an output and the loss, in inference and in training."""
    return [
        _mini("AlexNet mini: the output", seed, loss=False, training=False),
        _mini("AlexNet mini with loss: in inference", seed, loss=True, training=False),
        _mini("AlexNet mini with loss: in training", seed, loss=True, training=True),
    ]


def _mini(name: str, seed: int, *, loss: bool, training: bool) -> GradientCase:
    def run(**options: Any) -> GradientReport:
        rng = np.random.default_rng(seed)
        model = alexnet(variant="mini", rng=seed, dtype="float64")
        x = separated(rng, (2, *model.input_shape))
        labels = rng.integers(0, model.shapes[-1][0], len(x)) if loss else None
        given = {name: value for name, value in options.items() if value is not None}
        chosen = {"samples": _ENTRIES, "directions": _DIRECTIONS} | given
        return gradcheck(model, x, labels=labels, training=training, **chosen)

    return GradientCase(name, NETWORKS, run)
