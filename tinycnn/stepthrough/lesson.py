"""A lesson: one network, one picture, one label, and the pass that all explanations read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinycnn.errors import ArgumentError
from tinycnn.model import Sequential
from tinycnn.networks import alexnet
from tinycnn.stepthrough import picture, weights
from tinycnn.stepthrough.picture import Picture
from tinycnn.trace import Trace


@dataclass
class Lesson:
    """``model`` over ``picture``; ``weights`` says in words where the weights come from."""

    model: Sequential
    picture: Picture
    label: int
    weights: str
    trained: bool

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.model.shapes[-1][0]

    @cached_property
    def trace(self) -> Trace:
        """The forward pass, dropout off. Lessons convolve by im2col, the plain formula."""
        return self.model.trace(self.picture.x, algorithm="im2col")

    @cached_property
    def backward(self) -> Trace:
        """The same pass, its gradients filled in against the label."""
        self.trace.backward(labels=[self.label])
        return self.trace

    @property
    def chance(self) -> float:
        """The loss of guessing: ln(classes)."""
        return math.log(self.classes)


def open_lesson(
    image: str | Path | None = None,
    *,
    variant: str = "one-tower",
    weights_file: str | Path | None = None,
    label: int | None = None,
    seed: int = 0,
) -> Lesson:
    """Put a lesson together: ``image`` (None: the bundled picture) through an AlexNet variant.

    Weights are the lesson's own, drawn from ``seed``, unless ``weights_file`` names an .npz.
    ``label`` is the class that the loss is taken against.
    """
    model = alexnet(variant=variant, rng=seed)
    seen = picture.load(image, model.input_shape)
    classes = model.shapes[-1][0]
    label = (seen.label or 0) if label is None else label
    if not 0 <= label < classes:
        raise ArgumentError(f"label must lie in 0 .. {classes - 1}, got {label}")
    if weights_file is None:
        weights.draw_lesson(model, seed)
        words = f"random, seed {seed}"
    else:
        weights.load(model, weights_file)
        words = f"from {Path(weights_file).name}"
    return Lesson(model, seen, label, words, weights_file is not None)
