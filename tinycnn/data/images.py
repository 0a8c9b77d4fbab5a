"""Images that are not all in memory: read one by one, as they are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycnn.arrays import Array


class LazyImages(ABC):
    """Images that are read one at a time; subclass it for a source of your own.

    ``shape`` is (N, H, W, C) and ``dtype`` that of every image. ``read`` is called by several threads at a
    time.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @abstractmethod
    def read(self, index: int) -> Array:
        """Read image ``index`` as an array (H, W, C); raises DataError where it is damaged."""

    def name(self, index: int) -> str:
        """What image ``index`` is called in an error, such as the name of its file."""
        return f"image {index:,}"

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> Array:
        return self.read(range(len(self))[index])


Images = Array | LazyImages


class Selected(LazyImages):
    """Some of the images of a larger set, which stay where they are."""

    def __init__(self, images: Images, places: Array) -> None:
        self.images, self.places = images, places
        self.shape = (len(places), *images.shape[1:])
        self.dtype = images.dtype

    def read(self, index: int) -> Array:
        """Read image ``index`` of these."""
        image: Array = self.images[int(self.places[index])]
        return image

    def name(self, index: int) -> str:
        """Its name in the larger set."""
        return name_of(self.images, int(self.places[index]))


def name_of(images: Images, index: int) -> str:
    """What an image is called in an error: by its file, or else by its number."""
    return images.name(index) if isinstance(images, LazyImages) else f"image {index:,}"


def gathered(images: Images, places: Sequence[int] | Array) -> Array:
    """The images of ``places`` as one array in memory."""
    if isinstance(images, LazyImages):
        return np.stack([images[int(place)] for place in places])
    return np.asarray(np.take(images, places, axis=0))


def selected(images: Images, places: Array) -> Images:
    """The images of ``places``: copied from an array in memory, else still read on demand."""
    if isinstance(images, Selected):
        return Selected(images.images, images.places[places])
    if isinstance(images, (LazyImages, np.memmap)):
        return Selected(images, places)
    return gathered(images, places)
