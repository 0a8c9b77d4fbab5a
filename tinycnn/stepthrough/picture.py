"""The picture that a walk is about: the bundled one, or the user's own, cut to the network's input."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import FileError, MissingExtraError, ShapeError
from tinycnn.shapes import times

BUNDLED = "chelsea.png"
_BUNDLED_FACTS = "a cat, photographed by Stefan van der Walt, CC0; bundled"
_BUNDLED_LABEL = 281  # "tabby, tabby cat" in ImageNet's numbering


@dataclass(frozen=True)
class Picture:
    """Pixels (H, W, C) uint8, and where they come from."""

    pixels: Array
    title: str
    label: int | None = None

    @property
    def x(self) -> Array:
        """The network's input (1, H, W, C): (pixel - 128) / 128, multiples of 1/128 within +-1."""
        centred: Array = (self.pixels.astype(np.float32) - 128) / 128
        return centred[None]


def load(source: str | Path | None, shape: tuple[int, ...]) -> Picture:
    """Read a picture and cut it to ``shape`` (H, W, C).

    ``source`` is None for the bundled photograph, an .npy file of uint8 pixels, or any picture that
    Pillow reads (extra ``image``). Raises FileError for what is missing or is no picture.
    """
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise ShapeError(
            f"a picture has 1 or 3 channels, but the network's input is {times(shape)}; give it an "
            f"array with trace() in Python"
        )
    if source is None:
        with resources.as_file(resources.files(__package__) / "pictures" / "chelsea.npz") as path:
            pixels = np.load(path)["pixels"]
        cut, label = _cut(pixels, shape), _BUNDLED_LABEL
        return Picture(cut, f"{BUNDLED} ({_BUNDLED_FACTS}), cut to {times(shape[:2])}", label)
    path = Path(source)
    if not path.is_file():
        raise FileError(
            f"there is no picture {str(path)!r}; give the path of a picture or .npy file"
        )
    pixels = _array(path) if path.suffix == ".npy" else _photograph(path, shape)
    return Picture(_cut(pixels, shape), f"{path.name}, cut to {times(shape[:2])}")


def _cut(pixels: Array, shape: tuple[int, ...]) -> Array:
    """Shrink by whole factors (means of square blocks) while it fits, then cut the middle out."""
    H, W, C = shape
    h, w, c = pixels.shape
    if h < H or w < W:
        raise FileError(
            f"the picture is {times(pixels.shape[:2])} pixels, but the network wants at least "
            f"{times((H, W))}; enlarge it first"
        )
    if c != C:
        pixels = np.repeat(pixels, C, axis=2) if c == 1 else pixels.mean(axis=2, keepdims=True)
    factor = min(h // H, w // W)
    h, w = h // factor, w // factor
    tiles = pixels[: h * factor, : w * factor].reshape(h, factor, w, factor, C)
    small = np.rint(tiles.mean(axis=(1, 3))).astype(np.uint8)
    top, left = (h - H) // 2, (w - W) // 2
    return np.ascontiguousarray(small[top : top + H, left : left + W])


def _array(path: Path) -> Array:
    try:
        # Mapped, for a header may claim any size; reading it is up to what the file really holds.
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # whatever a damaged header makes NumPy's parser raise
        raise FileError(f"{path.name} is not a readable .npy file: {error}") from error
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        raise FileError(f"{path.name} must hold one array of pixels 0 .. 255, dtype uint8")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3):
        raise FileError(
            f"{path.name} must have the axes (height, width, 3) or (height, width), got shape "
            f"{array.shape}"
        )
    return array


def _photograph(path: Path, shape: tuple[int, ...]) -> Array:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtraError(
            f"reading {path.name} needs Pillow: pip install 'tinycnn[image]' (an .npy file of "
            f"uint8 pixels needs nothing)"
        ) from error
    mode = "RGB" if shape[2] == 3 else "L"
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert(mode)
            fitted = ImageOps.fit(upright, (shape[1], shape[0]), Image.Resampling.LANCZOS)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise FileError(f"{path.name} is not a picture that Pillow can read: {error}") from error
    except Image.DecompressionBombError as error:
        raise FileError(f"{path.name} has too many pixels: {error}") from error
    return np.asarray(fitted).reshape(shape)
