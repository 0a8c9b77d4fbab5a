"""Where a walk's weights come from: the lesson's own seed, or a file."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from tinycnn.errors import FileError
from tinycnn.initializers import Dyadic, fan_in
from tinycnn.layers import Conv2D, Dense
from tinycnn.model import Sequential
from tinycnn.parameters import FlatArrays

# So small that the first logits lie close together and the first loss near ln(classes).
_LAST_LAYER_SCALE = 0.1


def draw_lesson(model: Sequential, seed: int) -> None:
    """Make ``model``'s first convolution exact and its first loss near ln(classes).

    The first layer's weights become multiples of 1/1024, as spread as He's rule asks and so small
    that float32 holds every partial sum without rounding (`initializers.Dyadic`); its bias becomes
    0. The last layer's weights shrink.
    """
    first, last = model.layers[0], model.layers[-1]
    with model.edit() as parameters:
        if isinstance(first, Conv2D):
            W = parameters[f"{first.name}.W"]
            limit = min(round(1024 * math.sqrt(6 / fan_in(W))), (2**24 - 1) // (128 * fan_in(W)))
            Dyadic(limit)(W, np.random.default_rng(seed))
            parameters[f"{first.name}.b"][...] = 0
        if isinstance(last, Dense):
            parameters[f"{last.name}.W"][...] *= _LAST_LAYER_SCALE


def load(model: Sequential, source: str | Path) -> None:
    """Fill ``model``'s parameters from an .npz file of arrays by name, such as "conv1.W".

    ``np.savez(file, **model.parameters())`` writes one. Names, shapes and kinds are checked one by
    one, before anything large is read; on a FileError the model is as it was.
    """
    path = Path(source)
    expected = model.parameter_shapes()
    read = FlatArrays(expected, model.dtype)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(path.name, {info.filename for info in archive.infolist()}, set(expected))
            for name, view in read.items():
                info = archive.getinfo(f"{name}.npy")
                with archive.open(info) as member:
                    _read(path.name, name, member, info.file_size, view)
    except FileNotFoundError as error:
        raise FileError(f"there is no weights file {str(path)!r}") from error
    except IsADirectoryError as error:
        raise FileError(f"{str(path)!r} is a folder, not a weights file") from error
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path.name} is not an undamaged .npz file: {error}") from error
    with model.edit() as parameters:
        parameters.flat[...] = read.flat


def _check_names(file: str, members: set[str], expected: set[str]) -> None:
    names = {member.removesuffix(".npy") for member in members}
    missing, foreign = sorted(expected - names), sorted(names - expected)
    if missing or foreign:
        parts = [
            f"{word} {', '.join(some[:4])}{' ...' if len(some) > 4 else ''}"
            for word, some in (("lacks", missing), ("has unknown", foreign))
            if some
        ]
        raise FileError(
            f"{file} does not belong to this network: it {' and '.join(parts)}; it must hold "
            f"{', '.join(sorted(expected)[:3])} ..., one array for each parameter"
        )


def _read(file: str, name: str, member: IO[bytes], size: int, view: np.ndarray[Any, Any]) -> None:
    """Read one array into ``view``, its header first: what it claims must fit before it is read."""
    try:
        version = np.lib.format.read_magic(member)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = reader(member)
    except Exception as error:  # whatever a damaged header makes NumPy's parser raise
        raise FileError(f"{name} in {file} has a damaged header: {error}") from error
    if shape != view.shape:
        raise FileError(f"{name} in {file} must have shape {view.shape}, got {shape}")
    if dtype.kind != "f":
        raise FileError(f"{name} in {file} must hold floating-point numbers, got dtype {dtype}")
    count = math.prod(shape)
    if size > count * dtype.itemsize + 4096:
        raise FileError(f"{name} in {file} is larger than its header says")
    data = member.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise FileError(f"{name} in {file} ends too early")
    member.read()  # to the end: the zip's checksum is compared there
    array = np.frombuffer(data, dtype)
    view[...] = array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
