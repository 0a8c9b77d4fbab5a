"""A lesson: one network, one picture, one label, and the pass that all explanations read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinycnn.data import Preparation
from tinycnn.errors import ArgumentError
from tinycnn.explain.lessons import weights
from tinycnn.explain.pictures import picture
from tinycnn.explain.pictures.as_trained import way_of
from tinycnn.explain.pictures.picture import Picture
from tinycnn.explain.pictures.scaling import USUAL, Scaling
from tinycnn.model import Sequential
from tinycnn.networks import VARIANTS
from tinycnn.pictures import bundled
from tinycnn.runs.class_names import read_class_names
from tinycnn.runs.networks import Network, open_network
from tinycnn.runs.reading import first_picture
from tinycnn.trace import Trace

_LISTED = 20  # names of classes in a message


@dataclass
class Lesson:
    """``model`` over ``picture``; ``weights`` says in words where the weights come from.

    ``training``, ``seed`` and ``source`` (its model) are what `open_lesson` was given; ``random`` says that
    the weights are as drawn, ``likeliest`` that nobody named the label: it is the class that the network
    finds likeliest. ``class_names`` are those that were given, else those that the network was trained with,
    () where nobody knows them, and ``preparation`` is what made its pictures an input, None likewise.
    """

    model: Sequential
    picture: Picture
    label: int
    weights: str
    random: bool  # as they were drawn: what the network answers means nothing
    training: bool = False
    seed: int = 0
    likeliest: bool = False
    source: str = ""  # where the model comes from: a variant, or FILE.py:NAME
    class_names: tuple[str, ...] = ()
    preparation: Preparation | None = None

    @property
    def name(self) -> str:
        """The model's name, or where it stands."""
        return self.model.name or Path(self.source).name or "the network"

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.model.shapes[-1][0]

    def class_words(self, number: int) -> str:
        """A class by its number, and its name where it has one: "9 (ankle boot)"."""
        name = self.class_names[number] if self.class_names else ""
        return str(number) if name in ("", str(number)) else f"{number} ({name})"

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
    classes_file: str | Path | None = None,
    label: int | str | None = None,
    seed: int = 0,
    training: bool = False,
    scaling: Scaling = USUAL,
) -> Lesson:
    """Put a lesson together: ``image`` (None: a bundled picture) through ``model``.

    ``model`` is what `open_network` takes; where its weights are random, they are the lesson's own, drawn
    from ``seed``. ``weights_file`` names a file to take them from, as `Sequential.load_weights` does, and
    ``classes_file`` one with names for the classes, as `read_class_names` does. ``label`` is the class that
    the loss is taken against, its number or its name (None: the bundled picture's own, else the likeliest);
    ``training`` turns dropout on, its masks drawn from ``seed``. Pixels become the input as ``scaling`` says,
    or by the usual one as in the network's training, if that is known.
    """
    network = open_network(model, seed=seed)
    seen = _picture(image, network, scaling)
    words = f"as {model} has them"
    untouched = network.model.version == 0  # nobody has loaded, edited or trained them
    if weights_file is not None:
        network.model.load_weights(weights_file)
        words = f"from {Path(weights_file).name}"
    elif network.random:
        weights.draw_lesson(network.model, seed)
        words = f"random, seed {seed}"
    elif model in VARIANTS:
        words = "trained, from the package"
    elif untouched:
        words = f"random, as {model} draws them"
    random = untouched and weights_file is None
    names = network.classes
    if classes_file is not None:
        names = read_class_names(classes_file, network.model.shapes[-1][0])
    wanted = _label(label, seen, network, names)
    lesson = Lesson(
        network.model, seen, wanted or 0, words, random, training, seed, wanted is None, source=model,
        class_names=names, preparation=network.preparation,
    )  # fmt: skip
    if lesson.likeliest:
        lesson.label = int(lesson.trace.y[0].argmax())
    return lesson


def _picture(image: str | Path | None, network: Network, scaling: Scaling) -> Picture:
    """The picture that is asked for, else one that the network knows, or the cat.

    That is the last bundled one of its classes, or the first test picture of the data that it learnt from.
    """
    shape, way = network.model.input_shape, way_of(network, scaling)
    classes = set(map(bundled.name_of, network.classes))
    known = [name for name in bundled.NAMES if name in classes]
    if image is None and not known and network.settings is not None:
        pixels, label, title = first_picture(network)
        return picture.of_pixels(pixels, title, shape, way, label)
    return picture.load(known[-1] if image is None and known else image, shape, way)


def _label(
    asked: int | str | None, seen: Picture, network: Network, names: Sequence[str]
) -> int | None:
    """The number of the class that is asked for, else of the picture's own, if the network has that."""
    count = network.model.shapes[-1][0]
    if asked is None:
        own = [] if seen.label is None else _classes_of(seen.label, count, network.classes or names)
        return own[0] if len(own) == 1 else None
    found = _classes_of(asked, count, names)
    if len(found) > 1:
        raise ArgumentError(
            f"classes {', '.join(map(str, found))} are all called {asked}: give the number"
        )
    if not found:
        raise ArgumentError(f"label must lie in 0 .. {count - 1}{_one_of(names)}, got {asked}")
    return found[0]


def _one_of(names: Sequence[str]) -> str:
    some = [name for name in names if name][:_LISTED]
    more = ", ..." if len(some) == _LISTED < len(names) else ""
    return f" or be one of {', '.join(some)}{more}" if some else ""


def _classes_of(label: int | str, count: int, names: Sequence[str]) -> list[int]:
    """The numbers of the classes that a number or a name stands for: as it is written, else by its words."""
    if isinstance(label, int):
        return [label] if 0 <= label < count else []
    exact = [number for number, name in enumerate(names) if name == label]
    words = bundled.name_of(label)
    return exact or [number for number, name in enumerate(names) if bundled.name_of(name) == words]
