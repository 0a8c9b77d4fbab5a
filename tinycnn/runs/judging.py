"""A network judged by pictures whose classes are known: how good it is, and what it is most wrong about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.data.dataset import Dataset
from tinycnn.data.images import name_of
from tinycnn.data.preparation import Preparation
from tinycnn.data.sources import Parts
from tinycnn.errors import ArgumentError
from tinycnn.losses import CrossEntropy
from tinycnn.runs.batches import plain_batches
from tinycnn.runs.networks import Network, expect_classes
from tinycnn.runs.reading import picture_shape, read_for, read_of_run, with_classes_of
from tinycnn.runs.recognition import logits_of
from tinycnn.tables import text_table
from tinycnn.training import Evaluation


@dataclass(frozen=True)
class WrongAnswer:
    """A picture, by its name or its number, its class, and what the network takes it for, each with p."""

    picture: str
    label: str
    probability: float
    answer: str
    answer_probability: float


@dataclass(frozen=True)
class Judged:
    """``evaluation`` of the network ``source`` on the data ``title``, and its largest ``mistakes``."""

    source: str
    title: str
    evaluation: Evaluation
    mistakes: tuple[WrongAnswer, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "model": self.source, "data": self.title, **self.evaluation.to_dict(),
            "mistakes": [asdict(each) for each in self.mistakes],
        }  # fmt: skip

    def __str__(self) -> str:
        said = f"{self.source} on {self.title}, {self.evaluation}"
        if not self.mistakes:
            return said
        rows = [
            [m.picture, m.label, f"{m.probability:.4f}", m.answer, f"{m.answer_probability:.4f}"]
            for m in self.mistakes
        ]
        head = ["picture", "class", "p", "taken for", "p"]
        return f"{said}\n\nMost wrong about:\n\n{text_table(head, rows, 0)}"


def judge(
    network: Network,
    source: str | None = None,
    *,
    full: bool = False,
    part: str | None = None,
    skip: bool = False,
    mistakes: int = 0,
) -> Judged:
    """Judge ``network`` by a part of the data ``source``, see `data.read` (None: those of its run).

    ``part`` is "test", "validation" or "train" (None: the first of these that there is). The data of a run
    are parted as it parted them. Where nobody has told how the network's pictures are prepared, they are
    standardised by the training part. ``mistakes`` so many are listed, the classes it finds least likely.

    Raises ArgumentError for a part that the data have not, DataError and ArgumentError for other classes
    than the network's, and what reading raises.
    """
    shape, parts = picture_shape(network), _read(network, source, full, skip)
    data = with_classes_of(network, _chosen(parts, part))
    expect_classes(network, len(data.classes))
    preparation = network.preparation or Preparation.of(parts.train, shape[:2], shape[2])
    outputs, labels = _asked(network, data, preparation, skip)
    evaluation = Evaluation.of(outputs, labels, CrossEntropy(), network.classes or data.classes)
    found = _mistakes(ops.softmax(outputs), data, evaluation.classes, mistakes)
    return Judged(network.source, data.title, evaluation, found)


def _read(network: Network, source: str | None, full: bool, skip: bool) -> Parts:
    """The data that are named, or those of a run, in its own parts."""
    settings = network.settings
    if settings is not None and source in (None, settings.data):
        return read_of_run(network, full=full, skip=skip)
    if source is None:
        raise ArgumentError(
            f"which pictures? {network.source} is no run, whose own data would be taken: name the data"
        )
    return read_for(network, source, full=full, skip=skip)


def _chosen(parts: Parts, part: str | None) -> Dataset:
    """The part that is asked for, or the first of those that say most."""
    known = {"test": parts.test, "validation": parts.validation, "train": parts.train}
    there = {name: data for name, data in known.items() if data is not None}
    if part is not None and part not in there:
        raise ArgumentError(f"the data have no part {part!r}; they have {', '.join(there)}")
    return there[part] if part is not None else next(iter(there.values()))


def _asked(
    network: Network, data: Dataset, preparation: Preparation, skip: bool
) -> tuple[Array, Array]:
    """What the network gives for all of ``data``, before a softmax, and the labels."""
    shape, on_error = preparation.input_shape, "skip" if skip else "raise"
    batches = plain_batches(data, shape, preparation, on_error=on_error)
    return logits_of(network.model, batches)


def _mistakes(
    p: Array, data: Dataset, classes: tuple[str, ...], most: int
) -> tuple[WrongAnswer, ...]:
    """Of probabilities (N, K) the wrong answers whose right one was found least likely."""
    own, answers = p[np.arange(len(p)), data.labels], p.argmax(axis=1)
    wrong = np.flatnonzero(answers != data.labels)
    chosen = wrong[np.argsort(own[wrong], kind="stable")][:most].tolist()
    return tuple(
        WrongAnswer(
            name_of(data.images, i), classes[data.labels[i]], float(own[i]),
            classes[answers[i]], float(p[i, answers[i]]),
        )
        for i in chosen
    )  # fmt: skip
