"""Data sets in .npz files, as `numpy.savez` writes them: sizes compared before memory is asked for."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.data.dataset import Dataset
from tinycnn.data.limits import expect_plausible
from tinycnn.errors import DataError, TinyCNNError
from tinycnn.files import expect_regular
from tinycnn.wording import said_or_kind


def npz(
    path: str | Path, *, images: str = "images", labels: str = "labels", classes: str = "classes"
) -> Dataset:
    """Read a data set from an .npz file: its arrays ``images``, ``labels``, and ``classes`` if there are any.

    The names are those of the file: Keras's MNIST is ``npz(path, images="x_train", labels="y_train")``.
    Images are (N, H, W) or (N, H, W, C), labels (N,) from 0 up, classes (K,) texts. Nothing is unpickled.

    Raises FileError for a file that is missing, DataError for one that is damaged, lacks an array or does not
    fit together, ShapeError and DTypeError for arrays of other axes or kinds.
    """
    path = Path(path)
    held = expect_regular(path, ".npz file")
    with _opened(path) as archive:
        x, y = (_array(archive, path.name, name, held) for name in (images, labels))
        named = f"{classes}.npy" in archive.namelist()
        words = _array(archive, path.name, classes, held).astype(str).tolist() if named else ()
    return Dataset(x, y, tuple(words), path.name)


def array_names(path: Path) -> set[str]:
    """What the arrays of an .npz file are called; raises FileError and DataError as `npz` does."""
    expect_regular(path, ".npz file")
    with _opened(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except TinyCNNError:
        raise
    except Exception as error:  # whatever a damaged file makes zipfile and NumPy's parser raise
        raise DataError(
            f"{path.name} is no readable .npz file: {said_or_kind(error)}; numpy.savez writes one"
        ) from error


def _array(archive: zipfile.ZipFile, name: str, key: str, held: int) -> Array:
    try:
        member = archive.getinfo(f"{key}.npy")
    except KeyError:
        there = ", ".join(each.removesuffix(".npy") for each in archive.namelist()[:20]) or "none"
        raise DataError(
            f"{name} has no array {key!r}; it has {there}: say which one it is, as in npz(path, "
            f"images='x_train', labels='y_train')"
        ) from None
    what = f"{name}'s array {key!r}"
    with archive.open(member) as stream:
        shape, fortran, dtype = _header(stream)
        if dtype.hasobject:
            raise DataError(f"{what} holds Python objects, which are not read: save numbers")
        packed = min(member.compress_size, held)
        claimed = expect_plausible(what, shape, dtype.itemsize, packed)
        numbers = stream.read(claimed + 1)
    if len(numbers) != claimed:
        raise DataError(
            f"{what} claims shape {shape}, which takes {claimed:,} bytes, and holds others: it is damaged"
        )
    return np.frombuffer(numbers, dtype).reshape(shape, order="F" if fortran else "C")


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)
