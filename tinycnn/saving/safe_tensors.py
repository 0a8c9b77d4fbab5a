"""Arrays and texts in a .safetensors file, by the library of that name (extra ``safetensors``)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import CheckpointError, MissingExtraError
from tinycnn.saving.claim import MOST_TEXT, Claim

_DTYPES = {
    "BOOL": "?", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "I8": "i1", "I16": "<i2", "I32": "<i4",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
_MOST_HEADER = 4 * MOST_TEXT  # bytes: a text is written there with its quotes escaped


def write(path: Path, arrays: Mapping[str, Array], texts: Mapping[str, str]) -> None:
    """Write the arrays, and the texts as the header's metadata."""
    library = _library("safetensors.numpy", path.name)
    try:
        library.save_file(dict(arrays), path, metadata=dict(texts))
    except _library("safetensors", path.name).SafetensorError as error:
        raise OSError(f"{error}") from error


class SafeTensorsFile:
    """A .safetensors file opened to be read; the library has checked that its arrays fill it."""

    def __init__(self, path: Path) -> None:
        library = _library("safetensors", path.name)
        with path.open("rb") as stream:
            head = stream.read(8)
        if len(head) == 8 and struct.unpack("<Q", head)[0] > _MOST_HEADER:
            raise CheckpointError(f"{path.name} has a header larger than {_MOST_HEADER:,} bytes")
        self._name = path.name
        self._file: Any = library.safe_open(path, framework="numpy")
        self._metadata: dict[str, str] = self._file.metadata() or {}
        self.names, self.texts = set(self._file.keys()), set(self._metadata)

    def close(self) -> None:
        """Let go of the file."""
        self._file = None

    def text(self, name: str) -> str:
        """The text of that name, one of `texts`."""
        return self._metadata[name]

    def claim(self, name: str) -> Claim:
        """What an array claims to be, read from the header."""
        piece = self._file.get_slice(name)
        if piece.get_dtype() not in _DTYPES:
            raise CheckpointError(
                f"{name} in {self._name} holds numbers of the kind {piece.get_dtype()}, which NumPy "
                f"has not: write it as float32"
            )
        shape, dtype = tuple(piece.get_shape()), np.dtype(_DTYPES[piece.get_dtype()])
        return Claim(shape, dtype, Claim(shape, dtype, 0).size)

    def array(self, name: str) -> Array:
        """The array, once its `claim` has been found to be what is wanted."""
        array: Array = self._file.get_tensor(name)
        return array


def _library(name: str, file: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"{file} needs safetensors: pip install 'tinycnn[safetensors]' (an .npz file needs nothing)"
        ) from error
