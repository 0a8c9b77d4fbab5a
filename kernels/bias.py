"""What remains of a convolution after the product: the bias and the rectifier, in one pass."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel


@kernel
def add_bias(y: Any, b: Any, relu: bool) -> None:
    """Add ``b`` (F,) to each row of ``y`` (rows, F), in place.

    With ``relu`` what is then below zero becomes zero; NaN stays.
    """
    for row in range(y.shape[0]):
        for f in range(y.shape[1]):
            z = y[row, f] + b[f]
            y[row, f] = 0 if relu and z <= 0 else z
