"""A folder of pictures with a folder for each class: decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinycnn.arrays import Array
from tinycnn.data.dataset import Dataset
from tinycnn.data.images import LazyImages
from tinycnn.errors import ArgumentError, DataError, FileError
from tinycnn.files import reason
from tinycnn.pictures import pixels
from tinycnn.pictures.fitting import fitted
from tinycnn.pictures.resizing import covering
from tinycnn.validation import check_pair

# Folders that hold parts of a set, and not a class.
_PARTS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation",
    "validation": "validation", "test": "test", "testing": "test",
}  # fmt: skip
# What systems leave in folders of pictures, beside files that begin with a full stop.
_LEFT_BEHIND = {"thumbs.db", "desktop.ini"}


class PictureFiles(LazyImages):
    """Pictures in files, each decoded and fitted to one size when it is asked for."""

    def __init__(self, root: Path, files: list[Path], image_shape: tuple[int, int, int]) -> None:
        self.root, self.files = root, files
        self.shape, self.dtype = (len(files), *image_shape), np.dtype(np.uint8)

    def read(self, index: int) -> Array:
        """Decode picture ``index``: its short side resized to fit, its middle cut out."""
        try:
            values = pixels.read(self.files[index]).values
        except FileError as error:
            raise DataError(f"{self.name(index)}: {error}") from error
        size = covering((values.shape[0], values.shape[1]), (self.shape[1], self.shape[2]))
        return fitted(values, size, self.shape[1:])

    def name(self, index: int) -> str:
        """The file, from the data set's folder on."""
        return self.files[index].relative_to(self.root).as_posix()


def folder(path: str | Path, size: int | tuple[int, int], *, channels: int = 3) -> Dataset:
    """Read pictures from ``path``, a folder that has a folder for each class, named as it is.

    All files in a class's folder and in those below it count as pictures, but those whose names begin with a
    full stop, ``Thumbs.db`` and ``desktop.ini``. Classes and files are in the order of their names. Anything
    that Pillow reads (extra ``image``) is a picture, and .npy files of pixels. Each is decoded when it is
    asked for, and becomes uint8 (H, W, channels) with ``size`` = (H, W), an int for a square: its short side
    is resized to fit and the middle cut out, so that the paper's 256 x 256 is ``size=256``. With ``channels``
    1 colours become grey.

    A damaged picture is found when it is read: `batches` takes ``on_error``, and `readable` looks at all.
    Raises FileError for a folder that is missing, DataError for one without pictures in folders, or whose
    folders are parts of a set and not classes, ArgumentError for ``channels`` other than 1 and 3.
    """
    root = Path(path)
    H, W = check_pair(size, "size")
    if channels not in (1, 3):
        raise ArgumentError(f"channels must be 1 (grey) or 3 (colours), got {channels!r}")
    classes = _classes(root)
    found = [sorted(pictures_in(root / name)) for name in classes]
    for name, files in zip(classes, found, strict=True):
        if not files:
            raise DataError(
                f"the folder of class {name!r} in {str(root)!r} has no pictures; remove it"
            )
    images = PictureFiles(root, [file for files in found for file in files], (H, W, channels))
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in found])
    return Dataset(images, labels, tuple(classes), root.resolve().name)


def part_folders(root: Path) -> dict[str, Path]:
    """The folders "train", "validation" and "test" in ``root``, whatever they are called; {} for classes.

    Raises FileError where ``root`` can't be read, DataError where it has no folders.
    """
    names = _folders(root)
    known = {_PARTS[name.lower()]: root / name for name in names if name.lower() in _PARTS}
    return known if len(known) == len(names) else {}


def _classes(root: Path) -> list[str]:
    """The folders in ``root``, each a class, by name."""
    names = _folders(root)
    if all(name.lower() in _PARTS for name in names):
        raise DataError(
            f"{str(root)!r} has the folders {', '.join(names)}, which are parts of a data set, not classes; "
            f"read each of them, as in folder({str(root / names[0])!r}, ...)"
        )
    return names


def _folders(root: Path) -> list[str]:
    """The folders in ``root``, by name."""
    try:
        inside = sorted(root.iterdir())
    except FileNotFoundError as error:
        raise FileError(f"there is no folder {str(root)!r}") from error
    except (OSError, ValueError) as error:
        raise FileError(f"folder {str(root)!r} cannot be read: {reason(error)}") from error
    names = [item.name for item in inside if item.is_dir() and not item.name.startswith(".")]
    if not names:
        raise DataError(
            f"{str(root)!r} must have a folder for each class, with its pictures inside, but has no folders"
        )
    return names


def pictures_in(place: Path) -> Iterator[Path]:
    """The files in a folder, and in those below it, that count as pictures, in no order."""
    for file in place.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(place).parts)
        if not hidden and file.name.lower() not in _LEFT_BEHIND and not file.is_dir():
            yield file
