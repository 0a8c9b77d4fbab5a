"""A lesson: one network, one picture, one label, and the pass that all explanations read."""

from __future__ import annotations

import math
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinycnn.errors import ArgumentError, FileError, UnknownNameError
from tinycnn.model import Sequential
from tinycnn.networks import alexnet
from tinycnn.shapes import times
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
    random: bool  # drawn for the lesson: what the network answers means nothing
    training: bool = False
    seed: int = 0

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
) -> Lesson:
    """Put a lesson together: ``image`` (None: the bundled picture) through ``model``.

    ``model`` is an AlexNet variant, with the lesson's own weights drawn from ``seed``, or
    "FILE.py:NAME", a Sequential of yours with the weights that it has; ``weights_file`` names an
    .npz to take instead. ``label`` is the class that the loss is taken against; ``training`` turns
    dropout on, its masks drawn from ``seed``.
    """
    own = ".py:" in model
    network = _own_model(model) if own else alexnet(variant=model, rng=seed)
    if len(network.shapes[-1]) != 1:
        raise ArgumentError(
            f"a lesson needs a network that ends in classes, but {model} ends in "
            f"{times(network.shapes[-1])}"
        )
    seen = picture.load(image, network.input_shape)
    classes = network.shapes[-1][0]
    if label is None:
        label = seen.label if seen.label is not None and seen.label < classes else 0
    if not 0 <= label < classes:
        raise ArgumentError(f"label must lie in 0 .. {classes - 1}, got {label}")
    if weights_file is not None:
        weights.load(network, weights_file)
        words = f"from {Path(weights_file).name}"
    elif own:
        words = f"as {model} has them"
    else:
        weights.draw_lesson(network, seed)
        words = f"random, seed {seed}"
    random = weights_file is None and not own
    return Lesson(network, seen, label, words, random, training, seed)


@contextmanager
def _reporting(what: str) -> Iterator[None]:
    """Turn whatever a user's code raises into one line."""
    try:
        yield
    except (Exception, SystemExit) as error:
        words = " ".join(str(error).split())
        raise FileError(f"{what} fails: {type(error).__name__}: {words}") from error


def _own_model(source: str) -> Sequential:
    """Run FILE.py and give its NAME, a Sequential or a function that makes one."""
    file, _, name = source.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise FileError(f"there is no file {file!r}; --model takes a variant or FILE.py:NAME")
    with _reporting(file):
        namespace = runpy.run_path(str(path))
    if name not in namespace:
        raise UnknownNameError(f"{file} defines no {name!r}")
    model = namespace[name]
    if callable(model) and not isinstance(model, Sequential):
        with _reporting(source):
            model = model()
    if not isinstance(model, Sequential):
        raise ArgumentError(f"{source} must be a tinycnn.Sequential, got {type(model).__name__}")
    return model
