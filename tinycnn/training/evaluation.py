"""A network asked about images whose classes are known: loss, accuracies, and which classes it confuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.data import Batches
from tinycnn.errors import ArgumentError, TrainingError
from tinycnn.losses import CrossEntropy, LossFunction
from tinycnn.model import Sequential
from tinycnn.tables import html_table, text_table
from tinycnn.training.outputs import Outputs
from tinycnn.training.source import classes_of
from tinycnn.wording import many


def evaluate(
    model: Sequential,
    batches: Iterable[tuple[ArrayLike, ArrayLike]],
    *,
    loss: LossFunction | None = None,
    classes: Sequence[str] = (),
) -> Evaluation:
    """Ask ``model``, with training off, about all images of ``batches``, (x, labels) each.

    `tinycnn.data.Batches` are read from the beginning, whatever their position; build them with
    ``shuffle=False``. ``loss`` is that of training (None: cross-entropy); it is taken of all images at
    once. Accuracies and confusions are those of labels that are class numbers, (N,), and outputs (N, K);
    ``classes`` names them, by default as the data set does.

    Raises ArgumentError where there are no images, TrainingError where the network gives NaN or infinity,
    and what the loss raises for labels that do not belong to the outputs.
    """
    if not isinstance(batches, Iterable):
        raise ArgumentError(
            f"batches must be what tinycnn.data.batches gives, or (x, labels) one after the other, got "
            f"{batches!r}"
        )
    function = CrossEntropy() if loss is None else loss
    outputs = Outputs(model, logits=function.takes_logits)
    if isinstance(batches, Batches):
        batches.position = (0, 0)
    found = [(outputs(x), np.asarray(labels)) for x, labels in batches]
    if not found:
        raise ArgumentError("there are no images to evaluate: batches is empty")
    y, labels = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Evaluation.of(y, labels, function, classes or classes_of(batches))


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on ``count`` images.

    ``loss`` is their mean loss; ``top1`` and ``top5`` are the shares of images whose class is the network's
    first answer, or among its first five. ``confusion`` (K, K) counts: row the class that is there, column
    the one that was answered. The last three are None where labels are no classes. ``classes`` are names.
    """

    count: int
    loss: float
    top1: float | None = None
    top5: float | None = None
    confusion: Array | None = None
    classes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, outputs: Array, labels: Array, loss: LossFunction, classes: Sequence[str] = ()
    ) -> Evaluation:
        """As `evaluate`, from ``outputs`` (N, ...), ``labels`` and the ``loss``; ``classes`` are names."""
        bad = len(outputs) - int(np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1).sum())
        if bad:
            raise TrainingError(
                f"the network gives NaN or infinity for {many(bad, 'image')} of {len(outputs):,}: its "
                f"parameters or its inputs do; go back to a checkpoint that is good"
            )
        value = float(loss(outputs, labels)[0])
        if not are_classes(outputs, labels):
            return cls(len(outputs), value)
        ranks, K = ranks_of(outputs, labels), outputs.shape[1]
        confusion = np.zeros((K, K), np.int64)
        np.add.at(confusion, (labels, outputs.argmax(axis=1)), 1)
        names = tuple(classes) if len(classes) == K else tuple(map(str, range(K)))
        top1, top5 = (float((ranks < most).mean()) for most in (1, 5))
        return cls(len(outputs), value, top1, top5, confusion, names)

    @property
    def recall(self) -> dict[str, float]:
        """Of each class the share of its images that were recognised; NaN where it has none."""
        return self._share(axis=1)

    @property
    def precision(self) -> dict[str, float]:
        """Of each class the share of its answers that were right; NaN where it was never answered."""
        return self._share(axis=0)

    def _share(self, axis: int) -> dict[str, float]:
        if self.confusion is None:
            return {}
        right, of = np.diag(self.confusion), self.confusion.sum(axis=axis)
        shares = np.divide(right, of, out=np.full(len(of), np.nan), where=of > 0)
        return dict(zip(self.classes, shares.tolist(), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "count": self.count, "loss": self.loss, "top1": self.top1, "top5": self.top5,
            "classes": list(self.classes), "recall": self.recall, "precision": self.precision,
            "confusion": None if self.confusion is None else self.confusion.tolist(),
        }  # fmt: skip

    def __str__(self) -> str:
        said = [f"{many(self.count, 'image')}: loss {self.loss:.4f}"]
        if self.confusion is None or self.top1 is None or self.top5 is None:
            return said[0]
        said += [f"top-1 {self.top1:.2%}"]
        said += [f"top-5 {self.top5:.2%}"] if len(self.classes) > 5 else []
        return f"{', '.join(said)}\n\n{text_table(*self._table())}"

    def _repr_html_(self) -> str:
        head = f"<p>{str(self).partition(chr(10))[0]}</p>"
        return head if self.confusion is None else head + html_table(*self._table())

    def _table(self) -> tuple[list[str], list[list[str]], int]:
        """A row a class: how often it is there, recognised, and what it is most often taken for."""
        assert self.confusion is not None
        head = ["class", "images", "recall", "precision", "most often taken for"]
        body: list[list[str]] = []
        for name, row in zip(self.classes, self.confusion, strict=True):
            others = np.where(np.arange(len(row)) == len(body), 0, row)
            most = int(others.argmax())
            taken = f"{self.classes[most]} ({others[most]:,})" if others[most] else "-"
            rates = [f"{share[name]:.4f}" for share in (self.recall, self.precision)]
            body.append([name, f"{row.sum():,}", *rates, taken])
        return head, body, 4


def are_classes(outputs: Array, labels: Array) -> bool:
    """Whether ``labels`` are class numbers (N,) and ``outputs`` (N, K) say how likely each is."""
    return labels.ndim == 1 and labels.dtype.kind in "iu" and outputs.ndim == 2


def ranks_of(outputs: Array, labels: Array) -> Array:
    """At which place, from 0, the class of each image stands among its ``outputs`` (N, K): (N,).

    Of equal outputs the first class stands before the others, as for argmax.
    """
    own = np.take_along_axis(outputs, labels[:, None], axis=1)
    before = np.arange(outputs.shape[1]) < labels[:, None]
    ranks: Array = ((outputs > own) | ((outputs == own) & before)).sum(axis=1)
    return ranks
