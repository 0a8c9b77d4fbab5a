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

ARRAY = "$array"  # the key of what stands in an array's place: its type, shape and first byte
_ALIGNED = 8  # bytes; a typed array of a browser begins at a multiple of its items' size


class Packer:
    """Collects data: each array once, however often it occurs."""

    def __init__(self) -> None:
        self._arrays: list[bytes] = []
        self._size = 0
        self._known: dict[str, dict[str, Any]] = {}

    def pack(self, data: Any) -> str:
        """Base64 of zlib of: the header's length as text in 16 bytes, the header as JSON, the arrays."""
        header = strict_json.dumps(self._plain(data)).encode()
        header += b" " * (-len(header) % _ALIGNED)
        whole = b"".join((f"{len(header):16d}".encode(), header, *self._arrays))
        return base64.b64encode(zlib.compress(whole, 9)).decode("ascii")

    def _plain(self, data: Any) -> Any:
        if isinstance(data, np.ndarray):
            return {ARRAY: self._place(data)}
        if isinstance(data, Mapping):
            return {str(key): self._plain(value) for key, value in data.items()}
        if isinstance(data, (list, tuple)):
            return [self._plain(value) for value in data]
        return data

    def _place(self, array: Array) -> dict[str, Any]:
        """Where an array stands: floating-point numbers as they are, all others as int32."""
        kind = array.dtype.newbyteorder("<") if array.dtype.kind == "f" else np.dtype("<i4")
        content = np.ascontiguousarray(array, kind).tobytes()
        digest = hashlib.sha256(f"{kind} {array.shape}".encode() + content).hexdigest()
        if digest not in self._known:
            self._known[digest] = {
                "type": kind.str[1:], "shape": list(array.shape), "first": self._size,
            }  # fmt: skip
            content += bytes(-len(content) % _ALIGNED)
            self._arrays.append(content)
            self._size += len(content)
        return self._known[digest]
