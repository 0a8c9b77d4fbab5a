"""Dropout, with a mask that depends on the sample and not on how samples are batched."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_array, as_input_array, common_dtype, expect_shape
from tinycnn.errors import DTypeError
from tinycnn.kernels.dropout import dropout_mask, scale_kept
from tinycnn.runtime import memory
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.validation import check_int, check_number, mask_key

__all__ = ["dropout", "dropout_backward"]

# Cells a block: their mask takes about half a millisecond.
_CELLS = 1 << 18


def dropout(
    x: ArrayLike,
    rate: float,
    rng: int | np.random.Generator | None,
    *,
    first_sample: int = 0,
    layer: int = 0,
) -> tuple[Array, Array]:
    """Drop each cell of ``x`` (N, ...) with probability ``rate`` and scale up what stays.

        y = x * mask / (1 - rate)

    so that y's expected value is x ("inverted" dropout: nothing is left to do at prediction). Returns
    y and the mask (bool, x's shape, True where kept). ``rng`` is the 64-bit key of the mask, or a
    Generator to draw it from; None draws a fresh one. Sample n of the batch gets the mask of (key,
    ``layer``, ``first_sample`` + n) from Philox, a counter-based generator, so a mask does not depend on
    the split into batches. Source: Srivastava et al., "Dropout", JMLR 15, 2014; Philox: Salmon et al.,
    "Parallel random numbers: as easy as 1, 2, 3", 2011.

    Raises ShapeError for an x without a batch axis, DTypeError for what holds no real numbers,
    ArgumentError for a rate outside 0 <= rate < 1 or an ``rng``, ``first_sample`` or ``layer`` that is
    no such number.
    """
    x = as_input_array(x, "x", "N...", common_dtype(x))
    rate = check_number(rate, "rate", below=1)
    layer = check_int(layer, "layer", least=0, most=2**32 - 1)  # Philox counts them in 32 bits
    key, first_row = mask_draw(rng, first_sample, len(x))
    y, mask = memory.output(x.shape, x.dtype), memory.output(x.shape, np.dtype(np.bool_))
    if x.size:
        rows = mask.reshape(len(x), -1)
        threshold = round(rate * 2**32)

        def draw(block: Range) -> None:
            dropout_mask(key, layer, int(first_row), *block, threshold, rows)

        parallel_for(draw, split_range(len(x), _CELLS // rows.shape[1]))
    _scale_kept(x, mask, rate, y)
    return y, mask


def mask_draw(rng: int | np.random.Generator | None, first_sample: int, N: int) -> Array:
    """What masks of N samples are drawn from, uint64 (2,): the key, and the number of the first one."""
    # Philox counts samples in 64 bits; Numba's sums are signed.
    first_sample = check_int(first_sample, "first_sample", least=0, most=2**63 - 1 - N)
    return np.array([mask_key(rng), first_sample], np.uint64)


def dropout_backward(dy: ArrayLike, mask: ArrayLike, rate: float) -> Array:
    """Gradient of `dropout`: dx = dy * mask / (1 - rate), the same cells and the same scale.

    ``mask`` is what `dropout` returned, ``dy`` and dx have its shape, and ``rate`` is the forward
    call's.

    Raises ShapeError where ``dy`` has another shape than ``mask``, DTypeError for a ``dy`` that holds no
    real numbers or a ``mask`` that is not bool, ArgumentError for a rate outside 0 <= rate < 1.
    """
    dy, mask = as_input_array(dy, "dy", "...", common_dtype(dy)), as_array(mask, "mask")
    if mask.dtype != np.bool_:
        raise DTypeError(f"mask must be the bool array that dropout returned, got {mask.dtype}")
    expect_shape(dy, mask.shape, "dy", "the shape of mask")
    dx = memory.output(dy.shape, dy.dtype)
    _scale_kept(dy, mask, check_number(rate, "rate", below=1), dx)
    return dx


def _scale_kept(x: Array, mask: Array, rate: float, y: Array) -> None:
    """Write y = x * mask / (1 - rate), but 0 where x is dropped, whatever it is."""
    cells, kept, target = x.reshape(-1), mask.reshape(-1), y.reshape(-1)
    scale = x.dtype.type(1 / (1 - rate))
    parallel_for(
        lambda block: scale_kept(cells, kept, scale, *block, target), split_range(x.size, _CELLS)
    )
