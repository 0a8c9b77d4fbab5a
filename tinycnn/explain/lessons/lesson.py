"""A lesson: one network, one picture, one label, and the pass that all explanations read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinycnn.checking.targets import own_code
from tinycnn.errors import ArgumentError, FileError
from tinycnn.explain.lessons import weights
from tinycnn.explain.pictures import picture
from tinycnn.explain.pictures.picture import Picture
from tinycnn.explain.pictures.scaling import USUAL, Scaling
from tinycnn.files import code_file, is_model_file
from tinycnn.model import Sequential
from tinycnn.networks import VARIANTS, alexnet
from tinycnn.saving.loading import load
from tinycnn.shapes import times
from tinycnn.trace import Trace


@dataclass
class Lesson:
    """``model`` over ``picture``; ``weights`` says in words where the weights come from.

    ``training``, ``seed`` and ``source`` (its model) are what `open_lesson` was given; ``random`` says that
    the weights were drawn for it, ``likeliest`` that nobody named the label: it is the class that the network
    finds likeliest.
    """

    model: Sequential
    picture: Picture
    label: int
    weights: str
    random: bool  # drawn for the lesson: what the network answers means nothing
    training: bool = False
    seed: int = 0
    likeliest: bool = False
    source: str = ""  # where the model comes from: a variant, or FILE.py:NAME

    @property
    def name(self) -> str:
        """The model's name, or where it stands."""
        return self.model.name or Path(self.source).name or "the network"

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.model.shapes[-1][0]

    @cached_property
    def trace(self) -> Trace:
        """The forward pass. Lessons convolve by im2col, the plain formula."""
        return self.model.trace(
            self.picture.x, training=self.training, rng=self.seed, algorithm="im2col"
        )

    @cached_property
    def backward(self) -> Trace:
        """The same pass, its gradients filled in against the label."""
        self.trace.backward(labels=[self.label], keep=True)
        return self.trace

    @property
    def chance(self) -> float:
        """The loss of guessing: ln(classes)."""
        return math.log(self.classes)


def open_lesson(
    image: str | Path | None = None,
    *,
    model: str = "one-tower",
    weights_file: str | Path | None = None,
    label: int | None = None,
    seed: int = 0,
    training: bool = False,
    scaling: Scaling = USUAL,
) -> Lesson:
    """Put a lesson together: ``image`` (None: the bundled picture) through ``model``.

    ``model`` is an AlexNet variant, with the lesson's own weights drawn from ``seed``, or
    "FILE.py:NAME" or a file that a model was saved in, with the weights that it has; ``weights_file`` names
    a file to take them from instead, as `Sequential.load_weights` does. ``label`` is the class that the loss
    is taken against (None: the bundled picture's own, else the likeliest); ``training`` turns dropout on,
    its masks drawn from ``seed``. ``scaling`` says what pixels become as the network's input.
    """
    own, network = model not in VARIANTS, network_of(model, seed)
    if len(network.shapes[-1]) != 1:
        raise ArgumentError(
            f"a lesson needs a network that ends in classes, but {model} ends in "
            f"{times(network.shapes[-1])}"
        )
    seen = picture.load(image, network.input_shape, scaling)
    classes = network.shapes[-1][0]
    if label is None and seen.label is not None and seen.label < classes:
        label = seen.label
    if label is not None and not 0 <= label < classes:
        raise ArgumentError(f"label must lie in 0 .. {classes - 1}, got {label}")
    if weights_file is not None:
        network.load_weights(weights_file)
        words = f"from {Path(weights_file).name}"
    elif own:
        words = f"as {model} has them"
    else:
        weights.draw_lesson(network, seed)
        words = f"random, seed {seed}"
    random = weights_file is None and not own
    lesson = Lesson(
        network, seen, label or 0, words, random, training, seed, label is None, source=model
    )
    if lesson.likeliest:
        lesson.label = int(lesson.trace.y[0].argmax())
    return lesson


def network_of(source: str, seed: int = 0) -> Sequential:
    """An AlexNet variant, its weights drawn from ``seed``, or that of FILE.py:NAME or of a model's file."""
    if code_file(source):
        return _own_model(source)
    return load(source) if is_model_file(source) else alexnet(variant=source, rng=seed)


def _own_model(source: str) -> Sequential:
    """The Sequential that FILE.py:NAME is, or that it makes."""
    file = source.rpartition(":")[0]
    if not Path(file).exists():
        raise FileError(f"there is no file {file!r}; --model takes a variant or FILE.py:NAME")
    _, model = own_code.value_of(source)
    if callable(model):
        with own_code.reporting(source, file):
            model = model()
    if not isinstance(model, Sequential):
        raise ArgumentError(f"{source} must be a tinycnn.Sequential, got {type(model).__name__}")
    return model
