"""Where the batches of an epoch come from, from any of them on."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.data import Batches
from tinycnn.errors import ArgumentError

# Batches of a data set, or the same batches for each epoch.
Source = Batches | Sequence[tuple[ArrayLike, ArrayLike]]


def check_source(batches: Source, name: str) -> None:
    """Raise ArgumentError for what has no length or is empty: a generator can be gone through but once."""
    if not hasattr(batches, "__len__") or not hasattr(batches, "__iter__") or not len(batches):
        raise ArgumentError(
            f"{name} must be what tinycnn.data.batches gives, or a list of (x, labels), one at least, "
            f"got {batches!r}"
        )


def images_in(batches: Source) -> int:
    """Images of an epoch."""
    if isinstance(batches, Batches):
        return min(len(batches.dataset), len(batches) * batches.batch_size)
    return sum(len(np.asarray(labels)) for _, labels in batches)


def classes_of(batches: object) -> tuple[str, ...]:
    """Names of the classes, where a data set is behind the batches."""
    return batches.dataset.classes if isinstance(batches, Batches) else ()


def facts_of(batches: Source) -> dict[str, int]:
    """What must be the same where an epoch is gone on with in its middle."""
    if isinstance(batches, Batches):
        return {
            "images": len(batches.dataset), "batch_size": batches.batch_size, "seed": batches.seed,
            "batches": len(batches),
        }  # fmt: skip
    return {"images": images_in(batches), "batches": len(batches)}


def rest_of_epoch(
    batches: Source, epoch: int, first: int
) -> Generator[tuple[int, ArrayLike, Array], None, None]:
    """Give the batches of ``epoch`` from number ``first`` on: the number of the next one, x and labels.

    Close it, and the threads that prepare batches end.
    """
    if first >= len(batches):
        return
    if not isinstance(batches, Batches):
        for number, (x, labels) in enumerate(islice(batches, first, None), first + 1):
            yield number, x, np.asarray(labels)
        return
    batches.position = epoch, first
    with iter(batches) as prepared:
        for x, labels in prepared:  # a batch whose pictures are all damaged is left out
            at, following = batches.position
            yield (following if at == epoch else len(batches)), x, labels
