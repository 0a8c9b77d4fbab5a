"""Labelled images as a plain value, and parts of it drawn by a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_array, as_real_array, read_only
from tinycnn.data.images import Images, LazyImages, gathered, selected
from tinycnn.data.splits import split_places
from tinycnn.errors import ArgumentError, DataError, ShapeError
from tinycnn.shapes import times
from tinycnn.wording import many


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images with a class each.

    ``images`` are (N, H, W, C) as they are stored, uint8 or any other real numbers; (N, H, W) is one channel.
    They are an array, in memory or mapped from a file, or what reads one image (H, W, C) at a time (a folder
    of pictures). ``labels`` (N,) become int64 and count from 0; ``classes`` names them in that order, by
    default "0", "1" and so on. ``title`` says what it is.

    Raises DataError where images, labels and classes do not fit together, DTypeError and ShapeError for what
    is no array of real numbers.
    """

    images: Images
    labels: Array
    classes: tuple[str, ...] = ()
    title: str = "data set"

    def __post_init__(self) -> None:
        images, labels = _images(self.images), _labels(self.labels)
        if len(images) != len(labels):
            raise DataError(
                f"each image needs a label: {self.title} has {many(len(images), 'image')} and "
                f"{many(len(labels), 'label')}"
            )
        classes = tuple(map(str, self.classes)) or tuple(map(str, range(int(labels.max()) + 1)))
        if labels.max() >= len(classes):
            raise DataError(
                f"labels must be below {len(classes)}, the number of classes, but {self.title} has "
                f"{labels.max()}; name all classes, or have the labels count from 0"
            )
        for name, value in (("images", images), ("labels", labels), ("classes", classes)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        what = f"{times(self.image_shape)} {self.images.dtype}, {many(len(self.classes), 'class')}"
        return f"<{self.title}: {many(len(self), 'image')} of {what}>"

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(H, W, C): what `Sequential` takes as ``input_shape``, unless the images are cropped or resized."""
        return tuple(self.images.shape[1:])

    @property
    def counts(self) -> dict[str, int]:
        """How many images each class has."""
        found = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, found, strict=True))

    def select(self, places: ArrayLike, title: str | None = None) -> Dataset:
        """Give the images of ``places``, ints (M,), in that order; ``title`` says what they are.

        What is mapped or read on demand stays so. Raises ArgumentError for places that there are not.
        """
        chosen = np.asarray(places)
        if chosen.ndim != 1 or not chosen.size or chosen.dtype.kind not in "iu":
            raise ArgumentError(f"places must be ints in a row, at least one, got {places!r}")
        if chosen.min() < 0 or chosen.max() >= len(self):
            raise ArgumentError(
                f"places must be from 0 to {len(self) - 1}, got {chosen.min()} to {chosen.max()}"
            )
        return replace(
            self,
            images=selected(self.images, chosen),
            labels=self.labels[chosen],
            title=self.title if title is None else title,
        )

    def split(
        self,
        *parts: float,
        rng: int | np.random.Generator | None = 0,
        stratified: bool = True,
    ) -> tuple[Dataset, ...]:
        """Cut into parts at random, each image in one of them: ``train, test = data.split(0.8, 0.2)``.

        ``parts`` are shares that add up to 1, or numbers of images that add up to N. ``rng`` is the seed: the
        same one gives the same parts. ``stratified``: each part has of each class its share, to the nearest
        image above or below (of the first part; of later ones, of what is left); else classes fall as chance
        has them. Within a part images keep their order.

        Raises ArgumentError for shares that do not add up, a part that would be empty, or a class with fewer
        images than there are parts.
        """
        labels = self.labels if stratified else None
        places = split_places(len(self), parts, rng, labels)
        return tuple(self.select(some) for some in places)

    def loaded(self) -> Dataset:
        """Give the same with all images in memory, read once: for those that fit there."""
        return replace(self, images=gathered(self.images, range(len(self))))


def _images(images: Any) -> Images:
    found = images if isinstance(images, LazyImages) else _array(images)
    shape = tuple(found.shape)
    if len(shape) != 4 or 0 in shape:
        raise ShapeError(
            f"images must have the axes (N, H, W, C), or (N, H, W) with one channel, none of them empty, got "
            f"shape {shape}" + _rows(shape)
        )
    if shape[1] in (1, 3) and shape[3] > 4 and shape[2] > 4:
        raise ShapeError(
            f"images must have their channels last, got shape {shape}; np.moveaxis(images, 1, -1) turns them"
        )
    return found


def _array(images: ArrayLike) -> Array:
    """An array as it is, mapped or in memory, with an axis for channels."""
    real = as_real_array(images, "images")
    array = images if isinstance(images, np.memmap) else real  # which a plain view would hide
    return read_only(array[..., None] if array.ndim == 3 else array)


def _rows(shape: tuple[int, ...]) -> str:
    return (
        "; images that are rows are turned by images.reshape(N, H, W, C)" if len(shape) == 2 else ""
    )


def _labels(labels: ArrayLike) -> Array:
    if as_array(labels, "labels").dtype.kind in "USO":
        raise DataError(
            "labels must be numbers, the places of their classes, got texts or objects; classes, labels = "
            "np.unique(names, return_inverse=True) makes both of names"
        )
    array = as_real_array(labels, "labels")
    if array.ndim != 1 or not array.size:
        raise ShapeError(f"labels must be one class an image, (N,), got shape {array.shape}")
    if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.floor(array))).all():
        raise DataError("labels must be whole numbers, the places of their classes")
    whole = array.astype(np.int64)
    if whole.min() < 0:
        raise DataError(f"labels must count from 0, got {whole.min()}")
    return read_only(whole)
