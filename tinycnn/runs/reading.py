"""A data set read for a network: pictures in its size, damaged ones as asked, classes as it counts them."""

from __future__ import annotations

import math
from dataclasses import replace

from tinycnn.arrays import Array
from tinycnn.data.batches import readable
from tinycnn.data.dataset import Dataset
from tinycnn.data.images import LazyImages, gathered
from tinycnn.data.sources import Parts, named_as, read
from tinycnn.errors import ShapeError
from tinycnn.runs.networks import Network
from tinycnn.shapes import times

_SIDE = 64  # of pictures in files, for a network that takes any
_FITS = 1 << 30  # bytes of decoded pictures that are kept in memory


def picture_shape(network: Network) -> tuple[int, int, int]:
    """(H, W, C) of the pictures that a network takes; raises ShapeError where it takes others."""
    shape = network.model.input_shape
    if len(shape) != 3:
        raise ShapeError(
            f"{network.source} takes {times(shape)}, and a picture is (height, width, channels)"
        )
    return shape[0], shape[1], shape[2]


def read_for(
    network: Network,
    source: str,
    *,
    full: bool = False,
    skip: bool = False,
    in_memory: bool = False,
    side: int = 0,
) -> Parts:
    """Read `data.read`'s ``source``, pictures in files as ``network`` takes them.

    For one that adapts they have this ``side``, or 0: 64.

    With ``skip`` damaged pictures are left out with a warning. With ``in_memory`` pictures are decoded once,
    if they fit there; a damaged one raises DataError then. Raises what `data.read` raises, and ShapeError for
    a network that takes no pictures.
    """
    H, W, C = (side or _SIDE, side or _SIDE, 3) if network.adapts else picture_shape(network)
    parts = read(source, full=full, size=(H, W), channels=C if C in (1, 3) else 3)

    def ready(data: Dataset | None) -> Dataset | None:
        if data is None or not isinstance(data.images, LazyImages):
            return data
        good = readable(data) if skip else data
        return good.loaded() if in_memory and math.prod(good.images.shape) <= _FITS else good

    train = ready(parts.train)
    assert train is not None
    return replace(parts, train=train, test=ready(parts.test), validation=ready(parts.validation))


def with_classes_of(network: Network, data: Dataset) -> Dataset:
    """``data`` with labels as ``network`` counts its classes: by their names, if both have names.

    Numbers are no names: then the labels stay. Raises DataError where the network does not know a class.
    """
    numbers = tuple(map(str, range(len(data.classes))))
    if not network.classes or data.classes == numbers:
        return data
    return named_as(network.classes, data)


def first_picture(network: Network) -> tuple[Array, int, str]:
    """Of the data of a run, the first picture that it was not trained on, if there is one.

    Gives pixels (H, W, C) uint8, the class, and what picture it is. Raises what `data.read` raises.
    """
    settings, preparation = network.settings, network.preparation
    assert settings is not None and preparation is not None
    parts = read_for(network, settings.data, full=settings.full)
    train, validation = parts.held_out(settings.validation, settings.seed)
    data = with_classes_of(network, parts.test or validation or train)
    pixels = preparation.pixels_of(gathered(data.images, [0])[0])
    return pixels, int(data.labels[0]), f"{data.title}, picture 0"
