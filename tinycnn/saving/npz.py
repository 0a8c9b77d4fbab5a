"""Arrays and texts in an .npz file: a zip archive with an .npy file for each array, as NumPy has it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import CheckpointError
from tinycnn.runtime import memory
from tinycnn.saving.claim import MOST_TEXT, Claim
from tinycnn.wording import said_or_kind

_HEADER = 4096  # bytes that an array's header takes at most
_AT_ONCE = 1 << 20  # bytes
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def write(path: Path, arrays: Mapping[str, Array], texts: Mapping[str, str]) -> None:
    """Write the texts, then the arrays, uncompressed; the same content gives the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            archive.writestr(_member(name), text)
        for name, array in arrays.items():
            with archive.open(_member(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _member(name: str) -> zipfile.ZipInfo:
    """Of 1980, zip's beginning, and readable for its owner once unpacked."""
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o600 << 16
    return info


class NpzFile:
    """An .npz file opened to be read: what it claims is known before any of it is taken into memory."""

    def __init__(self, path: Path) -> None:
        self._file, self._size = path.name, path.stat().st_size
        with ExitStack() as opened:  # what fails here leaves nothing open
            stream = opened.enter_context(_Bounded(io.FileIO(path)))
            self._archive = opened.enter_context(zipfile.ZipFile(stream))
            members = [info.filename for info in self._archive.infolist()]
            if len(set(members)) != len(members):
                raise CheckpointError(f"{path.name} holds a name twice")
            self.close = opened.pop_all().close
        self.names = {name.removesuffix(".npy") for name in members if name.endswith(".npy")}
        self.texts = {name for name in members if not name.endswith(".npy")}
        self._starts: dict[str, tuple[Claim, bool, int]] = {}

    def text(self, name: str) -> str:
        """The text of that name, one of `texts`."""
        info = self._archive.getinfo(name)
        if info.file_size > MOST_TEXT:
            raise CheckpointError(f"{name} in {self._file} is larger than {MOST_TEXT:,} bytes")
        return self._archive.read(self._expect_usual(info)).decode()

    def claim(self, name: str) -> Claim:
        """What an array claims to be, read from its header."""
        info = self._expect_usual(self._archive.getinfo(f"{name}.npy"))
        with self._archive.open(info) as member:
            head = io.BytesIO(member.read(_HEADER))
        try:
            shape, fortran, dtype = _READERS[np.lib.format.read_magic(head)](head)
        except Exception as error:  # whatever a damaged header makes NumPy's parser raise
            raise CheckpointError(
                f"{name} in {self._file} has a damaged header: {said_or_kind(error)}"
            ) from error
        claim = Claim(shape, dtype, info.file_size - head.tell())
        self._starts[name] = claim, fortran, head.tell()
        return claim

    def packed(self, name: str) -> int:
        """The bytes that an array takes in the file, at most those of the file."""
        return min(self._archive.getinfo(f"{name}.npy").compress_size, self._size)

    def array(self, name: str) -> Array:
        """The array, once its `claim` has been found to be what is wanted."""
        claim, fortran, start = self._starts[name]
        array = memory.empty(claim.shape[::-1] if fortran else claim.shape, claim.dtype)
        unread = array.reshape(-1).view(np.uint8).data
        with self._archive.open(f"{name}.npy") as member:
            member.read(start)
            while unread and (part := member.read(min(len(unread), _AT_ONCE))):
                unread[: len(part)] = part
                unread = unread[len(part) :]
            if unread:
                raise CheckpointError(f"{name} in {self._file} ends too early")
            member.read(1)  # to the end: there the zip's checksum is compared
        return array.T if fortran else array

    def _expect_usual(self, info: zipfile.ZipInfo) -> zipfile.ZipInfo:
        """Refuse other compressions than NumPy's: they know no bound on what they unpack at a time."""
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            name = info.filename.removesuffix(".npy")
            raise CheckpointError(
                f"{name} in {self._file} is compressed in another way than np.savez and "
                f"np.savez_compressed do: write it with one of them"
            )
        return info


class _Bounded(io.BufferedReader):
    """A file of which few bytes are read at a time, whatever size the archive's directory claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(_AT_ONCE if size is None or size < 0 else min(size, _AT_ONCE))
