"""The usual PNG files, read without Pillow: 8 bits a sample, grey or colours, with opacity or without.

Source: W3C, "Portable Network Graphics (PNG) specification", third edition, sections 5, 7 and 9.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from tinycnn.arrays import Array

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type; 3 is a palette


def decoded(data: bytes, expect_few: Callable[[int, int], None]) -> Array | None:
    """The pixels (H, W, C) uint8 of a file's bytes, C from 1 to 4; None where it is of another kind.

    ``expect_few`` is asked about H and W before they are taken into memory. Raises ValueError for a file
    that is cut short or damaged.
    """
    if not data.startswith(_SIGNATURE):
        return None
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise ValueError("it does not begin with its size")
    W, H, bits, colours, *ways = struct.unpack(">IIBBBBB", chunks[0][1])
    clear = any(kind == b"tRNS" for kind, _ in chunks)
    if bits != 8 or colours not in _CHANNELS or any(ways) or clear:
        return None
    expect_few(H, W)
    packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
    return _unfiltered(_unpacked(packed, H * (1 + W * _CHANNELS[colours])), H, W)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's kind and its content, once its checksum has been compared."""
    place, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        if place + 12 > len(data):
            raise ValueError("it ends too early")
        length, kind = struct.unpack_from(">I4s", data, place)
        body, rest = data[place + 8 : place + 8 + length], data[place + 8 + length :][:4]
        if len(rest) < 4 or zlib.crc32(kind + body) != int.from_bytes(rest):
            raise ValueError(f"its part {kind!r} is damaged")
        yield kind, body
        place += 12 + length


def _unpacked(packed: bytes, size: int) -> Array:
    try:
        unpacked = zlib.decompressobj().decompress(packed, size)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(unpacked) < size:
        raise ValueError("it holds fewer pixels than it claims")
    return np.frombuffer(unpacked, np.uint8)


def _unfiltered(filtered: Array, H: int, W: int) -> Array:
    """Rows that each begin with the number of their filter, as pixels."""
    rows = filtered.reshape(H, -1)
    pixels = rows[:, 1:].reshape(H, W, -1).copy()
    above = np.zeros_like(pixels[:1].reshape(W, -1))
    for number, row in zip(rows[:, 0].tolist(), pixels, strict=True):
        if number > 4:
            raise ValueError(f"its filter {number} is unknown")
        if number == 1:  # sub: sums from the left, modulo 256
            np.add.accumulate(row, axis=0, out=row)
        elif number == 2:  # up
            row += above
        elif number > 2:
            _along(row, above, _average if number == 3 else _paeth)
        above = row
    return pixels


def _along(row: Array, above: Array, guess: Callable[[int, int, int], int]) -> None:
    """Add to each sample what is guessed of its neighbours: left, above, and left above."""
    for channel in range(row.shape[1]):
        left = corner = 0
        found = []
        for sample, up in zip(row[:, channel].tolist(), above[:, channel].tolist(), strict=True):
            left = (sample + guess(left, up, corner)) & 255
            corner = up
            found.append(left)
        row[:, channel] = found


def _average(left: int, above: int, corner: int) -> int:
    return (left + above) // 2


def _paeth(left: int, above: int, corner: int) -> int:
    """The neighbour that is nearest to left + above - corner, the first of them where several are."""
    wanted = left + above - corner
    return min((left, above, corner), key=lambda neighbour: abs(neighbour - wanted))
