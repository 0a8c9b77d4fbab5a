"""Messages between two processes: their length, and as many bytes."""

from __future__ import annotations

import struct
from typing import IO

LARGEST = 256 * 2**20  # bytes
_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], data: bytes) -> None:
    """Write a message; raises OSError where nobody reads any more."""
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read a message; None at the end, and for what is none or longer than ``LARGEST`` bytes."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > LARGEST:
        return None
    data = stream.read(length)
    return data if len(data) == length else None
