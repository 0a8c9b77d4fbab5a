"""What a network takes pictures for: its likeliest classes, with their probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.data.batches import Batches
from tinycnn.data.dataset import Dataset
from tinycnn.data.images import LazyImages
from tinycnn.errors import DataError, FileError
from tinycnn.model import Sequential
from tinycnn.progress import Progress
from tinycnn.runs.batches import plain_batches
from tinycnn.runs.networks import Network
from tinycnn.runs.reading import picture_shape
from tinycnn.training.outputs import Outputs


@dataclass(frozen=True)
class Answer:
    """A class by its number and its name ("" where it has none), and how likely the network finds it."""

    number: int
    name: str
    probability: float

    def __str__(self) -> str:
        return self.name or str(self.number)


@dataclass(frozen=True)
class Recognition:
    """What a network says of pictures: ``answers``, the likeliest first, by the file of each.

    ``left_out`` are the files that could not be read, and why.
    """

    answers: dict[Path, tuple[Answer, ...]]
    left_out: dict[Path, str]


class ReadFiles(LazyImages):
    """Pictures in files that ``reader`` makes the network's inputs of, (H, W, C) each."""

    def __init__(
        self, files: Sequence[Path], shape: tuple[int, ...], reader: Callable[[Path], Array]
    ) -> None:
        self.files, self._reader = files, reader
        self.shape, self.dtype = (len(files), *shape), np.dtype(np.float32)

    def read(self, index: int) -> Array:
        """Read and prepare picture ``index``."""
        try:
            return self._reader(self.files[index])
        except FileError as error:
            raise DataError(str(error)) from error

    def name(self, index: int) -> str:
        """Its file."""
        return str(self.files[index])


def recognise(
    network: Network,
    files: Sequence[Path],
    reader: Callable[[Path], Array],
    *,
    top: int = 5,
    classes: Sequence[str] | None = None,
) -> Recognition:
    """Ask ``network`` about pictures in ``files``: the ``top`` likeliest classes of each.

    ``reader`` gives the input (H, W, C) that a file becomes, ``classes`` are their names (None: those that
    the network was trained with). Files that can't be read are left out, with a DamagedPictureWarning each.
    What the network gives becomes probabilities by softmax, if it ends in none.
    """
    shape = picture_shape(network)
    data = Dataset(ReadFiles(files, shape, reader), np.zeros(len(files)), title="pictures")
    batches = plain_batches(data, shape, on_error="skip")
    logits, _ = logits_of(network.model, batches)
    left_out = {files[place]: why for place, why in batches.skipped.items()}
    read = [file for place, file in enumerate(files) if place not in batches.skipped]
    names = network.classes if classes is None else classes
    answers = [_answers(p, names, top) for p in ops.softmax(logits)]
    return Recognition(dict(zip(read, answers, strict=True)), left_out)


def logits_of(model: Sequential, batches: Batches) -> tuple[Array, Array]:
    """What ``model`` gives before a softmax at its end (N, K), and the labels (N,), for ``batches``."""
    asked, found = (
        Outputs(model, logits=True),
        [(np.empty((0, *model.shapes[-1])), np.empty(0, int))],
    )
    with Progress("asking", len(batches.dataset), unit=" images") as bar:
        for x, labels in batches:
            found.append((asked(x), labels))
            bar.advance(len(labels))
    logits, labels = (np.concatenate(each) for each in zip(*found, strict=True))
    return logits, labels


def _answers(p: Array, classes: Sequence[str], top: int) -> tuple[Answer, ...]:
    likeliest = np.argsort(-p, kind="stable")[:top].tolist()
    return tuple(Answer(k, classes[k] if classes else "", float(p[k])) for k in likeliest)
