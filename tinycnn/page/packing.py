"""Plain data and arrays as one line of text, which the page's ``data.js`` reads again."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinycnn import strict_json
from tinycnn.arrays import Array

_ALIGNED = 8  # bytes; a typed array of a browser begins at a multiple of its items' size


class Packer:
    """Collects data: each array once, however often it occurs."""

    def __init__(self) -> None:
        self._arrays: list[bytes] = []
        self._size = 0
        self._known: dict[str, int] = {}
        self._places: list[dict[str, Any]] = []

    def pack(self, data: Any) -> str:
        """One line of text: base 85, with a comma for "<", of what zlib makes of header and arrays.

        The header is JSON behind its length, text of 16 bytes: it has the ``data``, with null for each
        array, and for the ``arrays`` where each belongs (``at``, keys and numbers), its type, its shape, and
        its first byte.
        """
        plain = self._plain(data, ())
        header = strict_json.dumps({"data": plain, "arrays": self._places}).encode()
        header += b" " * (-len(header) % _ALIGNED)
        whole = b"".join((f"{len(header):16d}".encode(), header, *self._arrays))
        return base64.b85encode(zlib.compress(whole, 9)).decode("ascii").replace("<", ",")

    def _plain(self, data: Any, at: tuple[str | int, ...]) -> Any:
        if isinstance(data, np.ndarray):
            self._places.append({"at": at, **self._placed(data)})
            return None
        if isinstance(data, Mapping):
            return {str(key): self._plain(value, (*at, str(key))) for key, value in data.items()}
        if isinstance(data, (list, tuple)):
            return [self._plain(value, (*at, number)) for number, value in enumerate(data)]
        return data

    def _placed(self, array: Array) -> dict[str, Any]:
        """Where an array stands: floating-point numbers as they are, all others as int32."""
        kind = array.dtype.newbyteorder("<") if array.dtype.kind == "f" else np.dtype("<i4")
        content = np.ascontiguousarray(array, kind).tobytes()
        digest = hashlib.sha256(f"{kind} ".encode() + content).hexdigest()
        if digest not in self._known:
            self._known[digest] = self._size
            content += bytes(-len(content) % _ALIGNED)
            self._arrays.append(content)
            self._size += len(content)
        return {"type": kind.str[1:], "shape": array.shape, "first": self._known[digest]}
