"""IDX files, the format of MNIST and of the sets that follow it: sizes, then the numbers in a row."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tinycnn.arrays import Array
from tinycnn.data.limits import expect_plausible
from tinycnn.errors import DataError, FileError
from tinycnn.files import expect_regular, reason

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_MOST_AXES = 8


def read_idx(path: str | Path) -> Array:
    """Read one array from the IDX file ``path``, compressed by gzip or not, whatever its name.

    A file begins with two zero bytes, a byte for the dtype (0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32,
    0x0D float32, 0x0E float64), a byte for the number of axes, and each axis's size in four bytes, the
    highest first; then come the numbers. What is not compressed is mapped, not read. The sizes must be
    those of the file before any memory is asked for. The array is read-only.

    Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998, "File formats".
    Raises FileError for a file that is missing or can't be opened, DataError for one that is damaged,
    foreign or too large.
    """
    path = Path(path)
    held = expect_regular(path, "IDX file")
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            return _unpacked(file, path.name, held) if packed else _mapped(file, path, held)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path.name} is damaged: {reason(error)}") from error
    except DataError:
        raise
    except OSError as error:
        raise FileError(f"{path.name} cannot be read: {reason(error)}") from error


def _head(
    file: BinaryIO | gzip.GzipFile, name: str
) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    """The dtype and the sizes that a file's first bytes name."""
    start = file.read(4)
    axes = start[3] if len(start) == 4 else 0
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _DTYPES or not axes:
        raise DataError(
            f"{name} is no IDX file: its first four bytes must be 0, 0, a dtype (8, 9, 11 to 14) and the "
            f"number of axes, got {', '.join(map(str, start)) or 'none'}"
        )
    if axes > _MOST_AXES:
        raise DataError(f"{name} claims {axes} axes, and at most {_MOST_AXES} are read")
    sizes = file.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise DataError(f"{name} ends within the sizes of its {axes} axes: it is cut short")
    shape = struct.unpack(f">{axes}I", sizes)
    if not math.prod(shape):
        raise DataError(f"{name} holds an array of shape {shape}, which is empty")
    return np.dtype(_DTYPES[start[2]]), shape


def _unpacked(file: BinaryIO, name: str, held: int) -> Array:
    with gzip.GzipFile(fileobj=file) as stream:
        dtype, shape = _head(stream, name)
        claimed = expect_plausible(name, shape, dtype.itemsize, held)
        numbers = stream.read(claimed + 1)  # one more, which there must not be, and the checksum
    _expect_bytes(name, shape, claimed, len(numbers), "at least " if len(numbers) > claimed else "")
    return np.frombuffer(numbers, dtype).reshape(shape)


def _mapped(file: BinaryIO, path: Path, held: int) -> Array:
    dtype, shape = _head(file, path.name)
    start = file.tell()
    claimed = math.prod(shape) * dtype.itemsize
    _expect_bytes(path.name, shape, claimed, held - start)
    return np.memmap(path, dtype, "r", start, shape)


def _expect_bytes(
    name: str, shape: tuple[int, ...], claimed: int, found: int, least: str = ""
) -> None:
    if found != claimed:
        raise DataError(
            f"{name} claims an array of shape {shape}, which takes {claimed:,} bytes, but holds {least}"
            f"{found:,}: it is {'cut short' if found < claimed else 'damaged, or no IDX file'}"
        )
