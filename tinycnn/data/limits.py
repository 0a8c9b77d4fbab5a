"""How much a file may unpack to: asked before memory is, for a few bytes may claim anything."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinycnn.errors import DataError

# Bytes that are read into memory. What is larger lies unpacked in a file, and is mapped.
MOST = 1 << 32
# Deflate, which gzip and zip files are packed with, never gives more bytes for one (RFC 1951: 258 bytes for
# a code of 2 bits, which makes 1,032).
_MOST_FOR_ONE = 1032


def expect_plausible(name: str, shape: Sequence[int], itemsize: int, held: int) -> int:
    """The bytes of an array that ``held`` packed bytes claim to hold; DataError where they cannot."""
    claimed = math.prod(shape) * itemsize  # Python's integers: no product wraps
    if claimed > held * _MOST_FOR_ONE:
        raise DataError(
            f"{name} claims an array of shape {tuple(shape)}, {claimed:,} bytes, but its {held:,} packed "
            f"bytes cannot hold more than {held * _MOST_FOR_ONE:,}: it is cut short or no data set"
        )
    if claimed > MOST:
        raise DataError(
            f"{name} holds an array of shape {tuple(shape)}, {claimed:,} bytes, and at most {MOST:,} are "
            f"read into memory; unpack it to an IDX file that is not compressed, which is mapped"
        )
    return claimed
