"""Waiting for another thread without sleeping: what takes microseconds must not cost a wake-up."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels._jit import kernel
from tinycnn.kernels.simd import pause


@kernel
def wait_while(signal: Any, value: int, most: int) -> None:
    """Return once ``signal[0]`` is not ``value``, or after ``most`` looks at it."""
    for _ in range(most):
        if signal[0] != value:
            return
        pause()
