"""The rectifier and its gradient, each in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel
def relu(x: Any, first: int, last: int, y: Any) -> None:
    """Copy ``x`` to ``y`` where it is above zero or NaN, zero elsewhere.

    Both are flat; numbers ``first`` to ``last`` (not included) are done.
    """
    for e in range(first, last):
        hidden = x[np.uintp(e)] <= 0
        y[np.uintp(e)] = x.dtype.type(0) if hidden else x[np.uintp(e)]


@kernel
def relu_backward(dy: Any, y: Any, first: int, last: int, dz: Any) -> None:
    """Copy ``dy`` to ``dz`` where ``y`` is above zero or NaN, zero elsewhere.

    All are flat; numbers ``first`` to ``last`` (not included) are done.
    """
    for e in range(first, last):
        hidden = y[np.uintp(e)] <= 0
        dz[np.uintp(e)] = dy.dtype.type(0) if hidden else dy[np.uintp(e)]
