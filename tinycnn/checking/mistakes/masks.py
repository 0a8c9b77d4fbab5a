"""Masks of outputs that are off (ReLU's zeros, what dropout drops): missing, inverted, of other arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tinycnn.arrays import Array


def wrong_masks(off: Array, dy: Array, arrays: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """The masks that dy may be multiplied by where it should be 0 at the outputs that are ``off``.

    ``off`` and ``dy`` are flat; ``arrays``, by name, have the output's shape and may be mistaken for it.
    """
    number = int(off.sum())
    yield f"no mask: dy passes {number} of {dy.size} outputs that are off", np.ones(dy.size)
    yield "a mask made of dy (dy > 0) instead of y (y > 0)", dy > 0
    yield "a mask turned round: dy passes where the output is off, and nowhere else", off
    for name, array in arrays.items():
        yield f"a mask made of {name} ({name} > 0) instead of y (y > 0)", array.reshape(-1) > 0
