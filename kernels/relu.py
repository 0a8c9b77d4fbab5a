"""The rectifier's gradient, masked in one pass."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel


@kernel
def relu_backward(dy: Any, y: Any, dz: Any) -> None:
    """Copy ``dy`` to ``dz`` where ``y`` is above zero or NaN, zero elsewhere; all are (rows, F)."""
    for row in range(dz.shape[0]):
        for f in range(dz.shape[1]):
            dz[row, f] = 0 if y[row, f] <= 0 else dy[row, f]
