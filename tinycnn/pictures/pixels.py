"""Pixels read from files: whatever numbers a file holds become 0 .. 255, and it is said how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import FileError, MissingExtraError, TinyCNNError
from tinycnn.files import expect_regular, is_there
from tinycnn.pictures import bundled, png
from tinycnn.pictures.silence import silence
from tinycnn.wording import said_or_kind

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST = 178_956_970  # pixels: what Pillow takes for an attack
_ORIENTATION, _TURNED = 0x0112, range(2, 9)  # Exif's tag, and its values for what is turned
_ABOUT_ONE = 1.1  # what a picture in 0 .. 1 reaches that was resized, sharpened or compressed
_STRIP = 1 << 22  # numbers that are converted at a time


@dataclass(frozen=True)
class Pixels:
    """Pixels (H, W, C) uint8, C 1 or 3, in words what was done to get them, and of what ``numbers``.

    ``numbers`` are those of an .npy file of floating-point numbers (H, W, C), None of any other; ``name`` is
    that of a picture of the package.
    """

    values: Array
    notes: tuple[str, ...] = ()
    numbers: Array | None = None
    name: str | None = None


def read(path: Path) -> Pixels:
    """Read an .npy array, or any picture that Pillow reads (extra ``image``); plain PNG files need no Pillow.

    A name of `bundled.NAMES` is one of the package's, unless there is such a file. Raises FileError for what
    is missing, is no picture, or holds more than 178,956,970 pixels.
    """
    with bundled.file_of(path) as file:
        if file is not None:
            return replace(_read(file), notes=(bundled.NOTE,), name=str(path))
    if not path.suffix and not is_there(path):
        listed = ", ".join(bundled.NAMES)
        raise FileError(f"there is no picture {str(path)!r}; those that come by name are {listed}")
    return _read(path)


def _read(path: Path) -> Pixels:
    if expect_regular(path, "picture") == 0:
        raise FileError(f"{path.name} is empty: it holds no picture")
    pixels = _array(path) if path.suffix.lower() == ".npy" else _photograph(path)
    if not pixels.values.size:
        raise FileError(f"{path.name} holds no pixels: its shape is {pixels.values.shape}")
    return pixels


# ------------------------------------------------------------------------------------------- .npy


def _array(path: Path) -> Pixels:
    try:
        # Mapped, for a header may claim any size; reading it is up to what the file really holds.
        array: Array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # whatever a damaged header makes NumPy's parser raise
        raise FileError(
            f"{path.name} is not a readable .npy file: {said_or_kind(error)}"
        ) from error
    if array.dtype.kind not in "buif":
        raise FileError(f"{path.name} must hold one array of real numbers, got dtype {array.dtype}")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        first = array.ndim == 3 and array.shape[0] in (1, 3)
        raise FileError(
            f"{path.name} must have the axes (height, width), or (height, width, channels) with 1 "
            f"(grey), 3 (RGB), 2 or 4 channels (the last is opacity), got shape {array.shape}"
            + ("; channels come last: np.moveaxis(array, 0, -1)" if first else "")
        )
    _expect_few(path.name, *array.shape[:2])
    pixels = _on_white(_as_bytes(array, path.name))
    return replace(pixels, numbers=array) if array.dtype.kind == "f" else pixels


def _expect_few(name: str, height: int, width: int) -> None:
    if height * width > _MOST:
        raise FileError(
            f"{name} has too many pixels: {height:,} x {width:,}, and {_MOST:,} are allowed; shrink "
            f"it first"
        )


def _png(path: Path) -> Pixels | None:
    """A PNG file of the usual kind, which needs no library; None of any other."""
    try:
        values = png.decoded(path.read_bytes(), lambda H, W: _expect_few(path.name, H, W))
    except ValueError as error:
        raise FileError(f"{path.name} is a damaged PNG file: {error}") from error
    return None if values is None else _on_white(Pixels(values))


# ---------------------------------------------------------------------------------------- Pillow


def _photograph(path: Path) -> Pixels:
    try:
        from PIL import Image
    except ImportError as error:
        if (usual := _png(path)) is not None:
            return usual
        raise MissingExtraError(
            f"reading {path.name} needs Pillow: pip install 'tinycnn[image]' (an .npy file of "
            f"uint8 pixels and a plain .png need nothing)"
        ) from error
    with silence():
        try:
            with Image.open(path) as image:
                _expect_few(path.name, image.height, image.width)
                return _of_image(image, path.name)
        except TinyCNNError:
            raise
        except Image.DecompressionBombError as error:
            raise FileError(f"{path.name} has too many pixels: {said_or_kind(error)}") from error
        except Exception as error:  # whatever a damaged file makes a decoder raise
            raise FileError(
                f"{path.name} is not a picture that Pillow can read: {said_or_kind(error)}; save it "
                f"as .png or .jpg"
            ) from error


def _of_image(image: Image, name: str) -> Pixels:
    """The first frame, upright, its modes brought down to grey or RGB, with or without opacity."""
    from PIL import ImageOps

    frames = getattr(image, "n_frames", 1)
    notes = [f"the first of {frames} frames"] if frames > 1 else []
    if image.getexif().get(_ORIENTATION) in _TURNED:
        notes.append("turned upright")
    clear = image.info.get("transparency")
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):
        values = np.asarray(upright)[:, :, None]
        if image.format == "PNG":  # where older Pillows have 32 bits for 16
            values = values.astype(np.uint16, copy=False)
        pixels = _as_bytes(values, name)
        if isinstance(clear, int):  # the one grey that is transparent
            opacity = np.where(values == clear, 0, 255).astype(np.uint8)
            pixels = Pixels(np.concatenate([pixels.values, opacity], axis=2), pixels.notes)
    else:
        grey = upright.mode in ("1", "L", "LA")
        see_through = clear is not None or upright.mode in ("LA", "PA", "RGBA", "RGBa")
        mode = ("LA" if upright.mode == "LA" else "RGBA") if see_through else "L" if grey else "RGB"
        values = np.asarray(upright.convert(mode))
        pixels = Pixels(values[:, :, None] if values.ndim == 2 else values)
    done = _on_white(pixels)
    return Pixels(done.values, (*notes, *done.notes))


# --------------------------------------------------------------------------------------- numbers


def _as_bytes(values: Array, name: str) -> Pixels:
    """Numbers of any kind as 0 .. 255: by what their dtype holds, else by how far they reach."""
    if values.dtype == np.uint8:
        return Pixels(values)
    if values.dtype.kind == "b":
        return _scaled(values, 0.0, 1.0, "true is white")
    if (values.dtype.kind, values.dtype.itemsize) == ("u", 2):  # of either byte order
        return _scaled(values, 0.0, 65535.0, "16 bits: 65,535 is white")
    if not values.size:
        return Pixels(values.astype(np.uint8))
    low, high = float(values.min()) + 0.0, float(values.max()) + 0.0  # no -0
    if not (np.isfinite(low) and np.isfinite(high)):
        raise FileError(f"{name} holds NaN or infinity, which is no brightness: replace it first")
    if low >= 0 and 0 < high <= _ABOUT_ONE:
        white = max(high, 1.0)
        one = "1.0" if values.dtype.kind == "f" else "1"
        return _scaled(values, 0.0, white, f"{one if white == 1 else f'{white:g}'} is white")
    if low >= 0 and high <= 255:
        return _scaled(values, 0.0, 255.0, "255 is white")
    return _scaled(values, low, high, f"stretched: {low:g} is black, {high:g} is white")


def _scaled(values: Array, black: float, white: float, note: str) -> Pixels:
    """``black`` to 0 and ``white`` to 255, rounded; first by a power of two, lest it overflows."""
    exponent = -int(np.frexp(max(abs(black), abs(white)))[1])
    low, high = np.ldexp([black, white], exponent)

    def convert(strip: Array) -> Array:
        share = (np.ldexp(strip.astype(np.float64), exponent) - low) / ((high - low) or 1.0)
        rounded: Array = np.rint(share * 255)
        return rounded

    return Pixels(_by_strips(convert, values, values.shape[2]), (note,))


def _on_white(pixels: Pixels) -> Pixels:
    """Lay what is transparent on white: of 2 or 4 channels the last is opacity."""
    values, channels = pixels.values, pixels.values.shape[2]
    if channels in (1, 3):
        return pixels

    def lay(strip: Array) -> Array:
        opacity = strip[..., -1:].astype(np.uint32)
        laid: Array = (strip[..., :-1] * opacity + 255 * (255 - opacity) + 127) // 255
        return laid

    seen = bool((values[..., -1] < 255).any())
    notes = (*pixels.notes, "what is transparent on white") if seen else pixels.notes
    return Pixels(_by_strips(lay, values, channels - 1), notes)


def _by_strips(convert: Callable[[Array], Array], values: Array, channels: int) -> Array:
    """Convert some rows at a time, so that no large picture is held in wide numbers."""
    height, width, _ = values.shape
    converted = np.empty((height, width, channels), np.uint8)
    rows = max(_STRIP // max(width, 1), 1)
    for top in range(0, height, rows):
        converted[top : top + rows] = convert(values[top : top + rows])
    return converted
