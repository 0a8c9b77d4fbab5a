"""Where a lesson's weights come from: its own seed, or a file."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from tinycnn.errors import FileError, TinyCNNError
from tinycnn.files import expect_regular
from tinycnn.initializers import Dyadic, fan_in
from tinycnn.model import Sequential
from tinycnn.parameters import FlatArrays
from tinycnn.wording import said_or_kind

# So small that the first logits lie close together and the first loss near ln(classes).
_LAST_LAYER_SCALE = 0.1
_HEADER = 4096  # bytes that an array's header takes at most
_AT_ONCE = 1 << 20  # bytes


def draw_lesson(model: Sequential, seed: int) -> None:
    """Make ``model``'s first convolution exact and its first loss near ln(classes).

    The first layer's weights become multiples of 1/1024, as spread as He's rule asks and so small
    that float32 holds every partial sum without rounding (`initializers.Dyadic`); its bias becomes
    0. The last layer's weights shrink.
    """
    first, last = model.layers[0], model.layers[-1]
    with model.edit() as parameters:
        W = parameters[f"{first.name}.W"]
        limit = min(round(1024 * math.sqrt(6 / fan_in(W))), (2**24 - 1) // (128 * fan_in(W)))
        Dyadic(limit)(W, np.random.default_rng(seed))
        parameters[f"{first.name}.b"][...] = 0
        parameters[f"{last.name}.W"][...] *= _LAST_LAYER_SCALE


def load(model: Sequential, source: str | Path) -> None:
    """Fill ``model``'s parameters from an .npz file of arrays by name, such as "conv1.W".

    ``np.savez(file, **model.parameters())`` writes one. Names, shapes and kinds are checked one by
    one, before anything large is read; on a FileError the model is as it was.
    """
    path = Path(source)
    expected = model.parameter_shapes()
    expect_regular(path, "weights file")
    read = FlatArrays(expected, model.dtype)
    try:
        with _Bounded(io.FileIO(path)) as stream, zipfile.ZipFile(stream) as archive:
            _check_names(path.name, {info.filename for info in archive.infolist()}, set(expected))
            for name, view in read.items():
                _member(path.name, name, archive, view)
    except TinyCNNError:
        raise
    except Exception as error:  # whatever damaged data make zipfile and its decompressors raise
        raise FileError(
            f"{path.name} is not an undamaged .npz file: {said_or_kind(error)}"
        ) from error
    with model.edit() as parameters:
        parameters.flat[...] = read.flat


class _Bounded(io.BufferedReader):
    """A file of which few bytes are read at a time, whatever size the archive's directory claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(_AT_ONCE if size is None or size < 0 else min(size, _AT_ONCE))


def _member(file: str, name: str, archive: zipfile.ZipFile, view: np.ndarray[Any, Any]) -> None:
    """Read one array of an archive, compressed as NumPy does it: other methods know no bound."""
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(
            f"{name} in {file} is compressed in another way than np.savez and np.savez_compressed do: "
            f"write it with one of them"
        )
    with archive.open(info) as member:
        _read(file, name, member, info.file_size, view)


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
        head = io.BytesIO(member.read(_HEADER))
        version = np.lib.format.read_magic(head)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = reader(head)
    except Exception as error:  # whatever a damaged header makes NumPy's parser raise
        raise FileError(f"{name} in {file} has a damaged header: {said_or_kind(error)}") from error
    if shape != view.shape:
        raise FileError(f"{name} in {file} must have shape {view.shape}, got {shape}")
    if dtype.kind != "f":
        raise FileError(f"{name} in {file} must hold floating-point numbers, got dtype {dtype}")
    count = math.prod(shape)
    if size > count * dtype.itemsize + _HEADER:
        raise FileError(f"{name} in {file} is larger than its header says")
    data = head.read() + member.read()  # to the end: the zip's checksum is compared there
    if len(data) < count * dtype.itemsize:
        raise FileError(f"{name} in {file} ends too early")
    array = np.frombuffer(data, dtype, count)
    array = array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
    with np.errstate(all="ignore"):  # what overflows is refused in words
        view[...] = array
    lost = np.isinf(view)
    lost &= np.isfinite(array)
    if lost.any():
        raise FileError(
            f"{name} in {file} holds {array[lost][0]:.3g}, too large for {view.dtype}, which reaches "
            f"{np.finfo(view.dtype).max:.1e}"
        )
