"""Softmax and its gradient for every label that a reader may choose."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.explain.examples.arithmetic import fraction, text
from tinycnn.explain.examples.example import open_example


def bars() -> dict[str, Any]:
    """The logits of the example ``softmax``: probabilities, and for each label the loss and p - onehot."""
    z = next(value for value in open_example("softmax").given if value.name == "z")
    p = ops.softmax(z.array)[0].tolist()
    return {
        "logits": z.exact,
        "exponentials": [text(math.exp(logit)) for logit in z.flat],
        "probabilities": p,
        "probability_texts": [fraction(share) for share in p],
        "labels": [_label(z.array, label, p[label]) for label in range(len(p))],
    }


def _label(logits: Any, label: int, p: float) -> dict[str, Any]:
    loss, gradient = ops.cross_entropy(logits, np.array([label]))
    return {
        "equation": f"-ln({fraction(p)}) = {text(loss)}",
        "gradient": gradient[0].tolist(),
        "gradient_texts": [fraction(number) for number in gradient[0].tolist()],
    }
