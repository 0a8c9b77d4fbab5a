"""The picture of a lesson: the bundled one, or the user's own, fitted to the network's input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ShapeError
from tinycnn.explain.pictures.scaling import USUAL, Input
from tinycnn.pictures import pixels
from tinycnn.pictures.fitting import fitted
from tinycnn.pictures.resizing import Size, covering
from tinycnn.shapes import times

BUNDLED = "chelsea.png"
_BUNDLED_FACTS = "a cat, photographed by Stefan van der Walt, CC0; bundled"
_BUNDLED_LABEL = 281  # "tabby, tabby cat" in ImageNet's numbering


@dataclass(frozen=True)
class Picture:
    """Pixels (H, W, C) uint8 and where they come from; the input ``x`` (1, H, W, C) and its formula.

    As the usual `Scaling` has it, x = (pixel - 128) / 128: multiples of 1/128 within +-1.
    """

    pixels: Array
    title: str
    x: Array
    formula: str
    label: int | str | None = None  # of the bundled ones, ImageNet's number or the class's name


def load(source: str | Path | None, shape: tuple[int, ...], scaling: Input = USUAL) -> Picture:
    """Read a picture of any size, fit it to ``shape`` (H, W, C), and scale it as a network reads it.

    ``source`` is None for the bundled photograph, an .npy file of pixels, or any picture that Pillow
    reads (extra ``image``). The short side is resized to fit, then the middle is cut out. For a network
    of one channel colours become grey by their luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). The
    title says all that was done. Floating-point numbers in an .npy file that have ``shape`` already are
    taken as they are, unrounded. Raises FileError for what is missing or is no picture.
    """
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise ShapeError(
            f"a picture has 1 or 3 channels, but the network's input is {times(shape)}; give it an "
            f"array with trace() in Python"
        )
    if source is None:
        return _bundled(shape, scaling)
    path = Path(source)
    read = pixels.read(path)
    size = (read.values.shape[0], read.values.shape[1])
    name = f"{path.name}, {times(size)} (rows x columns)"
    if read.numbers is not None and read.numbers.shape == shape:
        return Picture(read.values, name, *scaling.of_numbers(read.numbers))
    return of_pixels(read.values, ", ".join([name, *read.notes]), shape, scaling, read.name)


def of_pixels(
    values: Array, title: str, shape: tuple[int, ...], scaling: Input, label: int | str | None
) -> Picture:
    """The picture of ``values`` (h, w, 1 or 3) uint8, fitted to ``shape``; what was done joins its title."""
    size, wanted = (values.shape[0], values.shape[1]), (shape[0], shape[1])
    resized = covering(size, wanted)
    cut = fitted(values, resized, shape)
    words = [*_steps(size, resized, wanted), *_flat(cut)]
    return Picture(cut, ", ".join([title, *words]), *scaling.of_pixels(cut), label)


def _bundled(shape: tuple[int, ...], scaling: Input) -> Picture:
    """The photograph; where it is large enough, shrunk by a whole factor alone."""
    with resources.as_file(resources.files(__package__) / "chelsea.npz") as path:
        photograph = np.load(path)["pixels"]
    H, W = shape[:2]
    h, w, _ = photograph.shape
    if factor := min(h // H, w // W):
        size = (h // factor, w // factor)
        photograph = photograph[: size[0] * factor, : size[1] * factor]
    else:
        size = covering((h, w), (H, W))
    title = f"{BUNDLED} ({_BUNDLED_FACTS}), cut to {times((H, W))}"
    cut = fitted(photograph, size, shape)
    return Picture(cut, title, *scaling.of_pixels(cut), _BUNDLED_LABEL)


def _steps(size: Size, resized: Size, wanted: Size) -> Iterator[str]:
    """What was done to a picture of ``size``, in words."""
    if resized != size:
        yield f"{'enlarged' if sum(resized) > sum(size) else 'shrunk'} to {times(resized)}"
    if wanted != resized:
        yield f"cut to {times(wanted)}"


def _flat(cut: Array) -> Iterator[str]:
    """That there is nothing to see, where every pixel is the same."""
    colour = cut[0, 0]
    if (cut == colour).all():
        yield f"every pixel {', '.join(map(str, colour))}"
