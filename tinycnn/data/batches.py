"""Batches of a data set: drawn by a seed, prepared by threads, and gone on with from any position."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.data.dataset import Dataset
from tinycnn.data.images import LazyImages, gathered, name_of
from tinycnn.data.prefetch import Prefetch
from tinycnn.errors import ArgumentError, DamagedPictureWarning, DataError, ShapeError
from tinycnn.runtime.threads import threads as engine_threads
from tinycnn.validation import check_choice, check_int, check_items, mask_key

Step = Callable[..., Array]
Position = tuple[int, int]
_ORDER, _AUGMENT = 0, 1  # streams of random numbers


def batches(
    dataset: Dataset,
    batch_size: int,
    *,
    rng: int | np.random.Generator | None = 0,
    augment: Step | Sequence[Step] = (),
    shuffle: bool = True,
    drop_last: bool = False,
    on_error: str = "raise",
    dtype: str = "float32",
    position: Position = (0, 0),
    threads: int | None = None,
    prefetch: int = 4,
) -> Batches:
    """Cut ``dataset`` into batches of ``batch_size`` images, a new order for each epoch.

        for epoch in range(10):
            for x, labels in batches: ...

    ``x`` is (N, H, W, C) in ``dtype``, ``labels`` (N,) int64. Each loop is one epoch. ``rng`` is the seed of
    the order and of all that ``augment`` draws, a step or several, called one after the other with a batch of
    images as they are stored (see `RandomCrop`). The numbers that are drawn for an image depend on the seed,
    the epoch and the image's place in the data set alone: so the bits are the same for any number of
    ``threads``. With ``shuffle=False`` the order is that of the data set. The last batch of an epoch is as
    large as what is left, or left out with ``drop_last``. ``position`` (epoch, batch) is where to begin: what
    another's `Batches.position` was, to go on from there.

    Pictures are decoded and augmented by ``threads`` (as many as the engine's), up to ``prefetch`` batches
    ahead; with 0 by the caller, when it asks. A damaged picture, or an image with NaN or infinity, raises
    DataError in its turn; with ``on_error="skip"`` its batch goes without it, and a DamagedPictureWarning
    says so, once for each.

    Raises ArgumentError for arguments outside their range.
    """
    check_choice(on_error, ("raise", "skip"), "on_error")
    check_choice(dtype, ("float32", "float64"), "dtype")
    size = check_int(batch_size, "batch_size")
    if drop_last and size > len(dataset):
        raise ArgumentError(
            f"batch_size must be at most the {len(dataset):,} images there are, for drop_last leaves out the "
            f"rest, got {size:,}"
        )
    expected = "a step or several, called with a batch of images"
    steps = (augment,) if callable(augment) else check_items(augment, "augment", expected)
    if not all(map(callable, steps)):
        raise ArgumentError(f"augment must be {expected}, got {augment!r}")
    made = Batches(
        dataset,
        size,
        mask_key(rng),
        steps,
        shuffle,
        drop_last,
        on_error == "skip",
        np.dtype(dtype),
        None if threads is None else check_int(threads, "threads"),
        check_int(prefetch, "prefetch", least=0),
    )
    made.position = position
    return made


def _position(position: Any, count: int) -> Position:
    if not isinstance(position, Sequence) or isinstance(position, str) or len(position) != 2:
        raise ArgumentError(f"position must be (epoch, batch), got {position!r}")
    return (
        check_int(position[0], "position's epoch", least=0),
        check_int(position[1], "position's batch", least=0, most=count - 1),
    )


@dataclass(eq=False, repr=False)
class Batches:
    """What `batches` gives: each loop over it goes from `position` to the end of that epoch.

    A loop that is left early is gone on with by the next one. ``skipped`` has the damaged images that were
    left out, by their place in the data set, and why. Its fields are what `batches` was given; ``seed``,
    ``steps`` and ``skip`` are what ``rng``, ``augment`` and ``on_error`` came to.
    """

    dataset: Dataset
    batch_size: int
    seed: int
    steps: tuple[Step, ...]
    shuffle: bool
    drop_last: bool
    skip: bool
    dtype: np.dtype[Any]
    threads: int | None
    prefetch: int

    def __post_init__(self) -> None:
        self._position: Position = (0, 0)
        self.skipped: dict[int, str] = {}

    @property
    def position(self) -> Position:
        """(epoch, batch), the next one to come; set it to go on there. ArgumentError out of range."""
        return self._position

    @position.setter
    def position(self, value: Position) -> None:
        self._position = _position(value, len(self))

    def __len__(self) -> int:
        """Batches of one epoch."""
        whole, left = divmod(len(self.dataset), self.batch_size)
        return whole + bool(left and not self.drop_last)

    def __iter__(self) -> EpochBatches:
        return EpochBatches(self)

    def prepare(self, order: Array, numbers: Array, batch: int) -> Prepared:
        """Make the ``batch``-th of an epoch with this ``order`` (N,) and random ``numbers`` (N, draws)."""
        places = order[batch * self.batch_size : (batch + 1) * self.batch_size]
        images, damaged = self._read(places)
        if damaged:
            places = np.array([place for place in places if place not in damaged], np.int64)
        if not places.size:
            return Prepared(images, self.dataset.labels[:0], damaged)
        x, used = images, 0
        for step in self.steps:
            draws = int(getattr(step, "draws", 0))
            given = (numbers[places, used : used + draws],) if draws else ()
            x, used = np.asarray(step(x, *given)), used + draws
            if x.ndim < 2 or len(x) != len(places):
                raise ShapeError(
                    f"a step of augment must give as many images as it is given, {len(places)}, got shape "
                    f"{x.shape}"
                )
        return Prepared(np.ascontiguousarray(x, self.dtype), self.dataset.labels[places], damaged)

    def _read(self, places: Array) -> tuple[Array, dict[int, str]]:
        """The images of ``places`` that can be read, and why the others can't."""
        images, damaged, read = self.dataset.images, dict[int, str](), []
        if not isinstance(images, LazyImages):
            together = gathered(images, places)
            if _is_finite(together):
                return together, damaged
        for place in places.tolist():
            try:
                read.append(_finite(images[place], name_of(images, place)))
            except DataError as error:
                if not self.skip:
                    raise DataError(
                        f"{error}; on_error='skip' leaves such images out, and readable() finds them all"
                    ) from error
                damaged[place] = str(error)
        return np.stack(read) if read else np.empty((0,)), damaged


@dataclass
class Prepared:
    """A batch, and the images that are missing in it."""

    x: Array
    labels: Array
    damaged: dict[int, str]


class EpochBatches:
    """The rest of an epoch's batches, (x, labels) each; its end, an error and `close` end its threads."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._epoch, first = batches.position
        self._next = first
        self._prepared = _ahead(batches, self._epoch, first)

    def __iter__(self) -> EpochBatches:
        return self

    def __next__(self) -> tuple[Array, Array]:
        while True:
            prepared = next(self._prepared)
            self._next += 1
            done = self._next == len(self._batches)
            self._batches.position = (self._epoch + 1, 0) if done else (self._epoch, self._next)
            for place, why in prepared.damaged.items():
                if place not in self._batches.skipped:
                    self._batches.skipped[place] = why
                    _warn(why)
            if prepared.labels.size:
                return prepared.x, prepared.labels

    def __enter__(self) -> EpochBatches:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; what is left of the epoch comes in the next loop."""
        self._prepared.close()


def readable(dataset: Dataset) -> Dataset:
    """Read all images of ``dataset``, and give those that are not damaged.

    A DamagedPictureWarning names each of the others.

    Raises DataError where none can be read.
    """
    damaged = dict[int, str]()
    for prepared in _ahead(batches(dataset, 64, shuffle=False, on_error="skip"), 0, 0):
        damaged |= prepared.damaged
    for why in damaged.values():
        _warn(why)
    if len(damaged) == len(dataset):
        raise DataError(f"no image of {dataset.title} can be read: {damaged[0]}")
    kept = [place for place in range(len(dataset)) if place not in damaged]
    return dataset.select(kept) if damaged else dataset


def _warn(why: str) -> None:
    # Of whoever asked: for a batch or for `readable`.
    warnings.warn(f"left out: {why}", DamagedPictureWarning, stacklevel=3)


def _ahead(batches: Batches, epoch: int, first: int) -> Prefetch[Prepared]:
    """The batches of an epoch from ``first`` on, made ahead of need."""
    work = partial(batches.prepare, *_drawn(batches, epoch))
    count = engine_threads() if batches.threads is None else batches.threads
    return Prefetch(work, range(first, len(batches)), count, batches.prefetch)


def _drawn(batches: Batches, epoch: int) -> tuple[Array, Array]:
    """The order of an epoch (N,), and the random numbers of each image (N, draws) in [0, 1)."""
    count = len(batches.dataset)
    draws = sum(int(getattr(step, "draws", 0)) for step in batches.steps)
    numbers = np.random.default_rng([batches.seed, epoch, _AUGMENT]).random((count, draws))
    if not batches.shuffle:
        return np.arange(count), numbers
    return np.random.default_rng([batches.seed, epoch, _ORDER]).permutation(count), numbers


def _finite(image: Array, name: str) -> Array:
    if not _is_finite(image):
        raise DataError(f"{name} holds NaN or infinity")
    return image


def _is_finite(images: Array) -> bool:
    return images.dtype.kind != "f" or bool(np.isfinite(images).all())
