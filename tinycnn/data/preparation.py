"""How a stored picture becomes a network's input, worked out once of the training part and kept with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.data.augment import Resize
from tinycnn.data.colours import Standardize
from tinycnn.data.dataset import Dataset
from tinycnn.data.images import LazyImages
from tinycnn.data.statistics import channel_statistics
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.pictures.fitting import coloured
from tinycnn.validation import Pair, check_int, check_items, check_pair
from tinycnn.wording import many

_PIXELS = (0.0, 255.0)


@dataclass(frozen=True)
class Preparation:
    """Pictures become a network's input x (N, H, W, C): resized to ``size`` (H, W), grey or coloured, scaled.

        x = (value - mean) / deviation

    ``channels`` is C. ``mean`` and ``deviation`` have one number for each channel that a picture is scaled
    in: C, or 1, where pictures are grey and, for a network of 3 channels, the same in each of these.
    ``black`` and ``white`` are the values that the darkest and the lightest pixel of a file stand for;
    ``classes`` names what the network tells apart. `of` works all out; from the training part only.

    Raises ArgumentError for numbers that are not finite, a deviation that is not above 0, and other channels.
    """

    size: Pair
    channels: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    black: float = 0.0
    white: float = 255.0
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        read = {
            "size": check_pair(self.size, "size"),
            "channels": check_int(self.channels, "channels"),
            "classes": tuple(map(str, check_items(self.classes, "classes", "names"))),
            **{name: _numbers(getattr(self, name), name) for name in ("mean", "deviation")},
            **{name: _numbers([getattr(self, name)], name)[0] for name in ("black", "white")},
        }
        for name, value in read.items():
            object.__setattr__(self, name, value)
        Standardize(self.mean, self.deviation)  # which refuses what it can't divide by
        scaled = {self.channels, 1} if self.channels in (1, 3) else {self.channels}
        if len(self.mean) != len(self.deviation) or len(self.mean) not in scaled:
            raise ArgumentError(
                f"mean and deviation must have {' or '.join(map(str, sorted(scaled)))} numbers each for "
                f"{many(self.channels, 'channel')}, got {len(self.mean)} and {len(self.deviation)}"
            )

    @classmethod
    def of(
        cls, training: Dataset, size: int | Pair | None = None, channels: int | None = None
    ) -> Preparation:
        """Take each channel's mean and deviation over all pixels of ``training``.

        ``size`` (an int for a square) and ``channels`` are the network's; None: as the images have them.
        Grey images become 3 equal channels where the network wants 3, colours grey by their luma where it
        wants 1. Raises ShapeError where images have other channels than the network.
        """
        stored = training.image_shape[2]
        channels = stored if channels is None else check_int(channels, "channels")
        if channels != stored and not {channels, stored} <= {1, 3}:
            raise ShapeError(
                f"the network takes {many(channels, 'channel')}, and the images have {stored}: only grey "
                f"images and those of 3 colours are turned into each other"
            )
        mean, deviation = channel_statistics(training, grey=channels == 1)
        black, white = _range(training)
        return cls(
            check_pair(training.image_shape[:2] if size is None else size, "size"), channels,
            tuple(mean.tolist()), tuple(deviation.tolist()), black, white, training.classes,
        )  # fmt: skip

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preparation:
        """What `to_dict` gave; raises ArgumentError for anything else."""
        try:
            return cls(**values)
        except TypeError as error:
            raise ArgumentError(f"this is no preparation of pictures: {values!r:.200}") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values, such as a checkpoint's part holds."""
        return asdict(self)

    def with_classes(self, classes: tuple[str, ...]) -> Preparation:
        """The same for a network that tells others apart."""
        return replace(self, classes=classes)

    def __call__(self, images: Array) -> Array:
        """Give images (N, H_in, W_in, C_in), as the data set stores them, as x (N, H, W, C) float32.

        Raises ShapeError for images of other channels.
        """
        scaled = len(self.mean)
        known = {1, 3} if scaled in (1, 3) else {scaled}
        if images.ndim != 4 or images.shape[3] not in known:
            raise ShapeError(
                f"images must be (N, H, W, C) with C = {' or '.join(map(str, sorted(known)))}, got shape "
                f"{images.shape}"
            )
        whole = images.dtype == np.uint8 and (self.black, self.white) == _PIXELS
        values = coloured(images if whole else images.astype(np.float32, copy=False), scaled)
        if values.shape[1:3] != self.size:
            values = Resize(self.size)(values)
        return coloured(Standardize(self.mean, self.deviation)(values), self.channels)

    def of_pixels(self, pixels: Array) -> Array:
        """Give the ``pixels`` (H_in, W_in, 1 or 3) of a file, uint8, black to white, as x (1, H, W, C)."""
        if (self.black, self.white) == _PIXELS:
            return self(pixels[None])
        return self(self.black + pixels[None] * np.float32((self.white - self.black) / 255))

    def pixels_of(self, image: Array) -> Array:
        """The pixels (H_in, W_in, C_in), uint8 from black to white, of an image as the data set stores it."""
        if (self.black, self.white) == _PIXELS and image.dtype == np.uint8:
            return image
        share = (image.astype(np.float64) - self.black) / (self.white - self.black)
        pixels: Array = np.rint(255 * share.clip(0, 1)).astype(np.uint8)
        return pixels

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C), what the network takes."""
        return (*self.size, self.channels)


def _numbers(values: Any, name: str) -> tuple[float, ...]:
    items = check_items(values, name, "numbers")
    if not all(isinstance(item, (int, float)) and np.isfinite(item) for item in items):
        raise ArgumentError(f"{name} must be finite numbers, got {values!r}")
    return tuple(map(float, items))


def _range(training: Dataset) -> tuple[float, float]:
    """What black and white are: 0 and 255 of bytes; of those that use a few values, and of others, the ends.

    scikit-learn's digits are bytes from 0 to 16. What is read on demand is not looked at.
    """
    images = training.images
    if isinstance(images, LazyImages):
        return _PIXELS if images.dtype == np.uint8 else (0.0, 1.0)
    low, high = float(images.min()), float(images.max())
    if images.dtype == np.uint8 and (high > 127 or high == 0):
        return _PIXELS
    return min(low, 0.0), max(high, np.nextafter(low, np.inf))
