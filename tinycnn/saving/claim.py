"""What a file claims of one of its arrays, before any of it is read."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tinycnn.errors import CheckpointError

MOST_TEXT = 1 << 24  # bytes of a text in a file
KINDS = "biuf"  # of dtypes: real numbers; never an object, which would be a pickle


class Claim(NamedTuple):
    """An array's shape and dtype, and how many bytes the file has for it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    held: int

    @property
    def size(self) -> int:
        """Bytes that the array takes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def expect_whole(self, name: str, file: str) -> None:
        """Raise CheckpointError unless the file holds as many bytes as the array takes."""
        if min(self.shape, default=0) < 0 or self.held < self.size:
            raise CheckpointError(f"{name} in {file} ends too early")
        if self.held > self.size:
            raise CheckpointError(f"{name} in {file} is larger than its header says")
