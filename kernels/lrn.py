"""Local response normalisation across channels, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel
def local_response_norm(
    x: Any, first: int, last: int, size: int, a: float, beta: float, k: float, y: Any
) -> None:
    """Divide each channel by a power of its neighbourhood's energy, for rows ``first`` to ``last``.

    ``x`` and ``y`` are (rows, C); with the sum over the ``size`` channels around c (size is odd)

        s[c] = k + a * sum(x[c']**2),    y[c] = x[c] * s[c]**-beta
    """
    C = x.shape[1]
    padded = np.zeros(C + size - 1, x.dtype)  # the neighbours beyond the first and last channel: 0
    squares = padded[size // 2 : size // 2 + C]
    power = np.empty(C, x.dtype)
    for row in range(first, last):
        for c in range(C):
            squares[c] = x[row, c] * x[row, c]
        _sum_neighbours(padded, power)
        for c in range(C):
            power[c] = k + a * power[c]
        _raise(power, beta)
        for c in range(C):
            y[row, c] = x[row, c] / power[c]


@kernel
def local_response_norm_backward(
    dy: Any, x: Any, first: int, last: int, size: int, a: float, beta: float, k: float, dx: Any
) -> None:
    """Carry ``dy`` back through `local_response_norm` for rows ``first`` to ``last``.

    A channel acts on its own output and, through the sums s, on every neighbour's:

        dx[c] = dy[c] * s[c]**-beta - 2*a*beta*x[c] * sum(dy[c'] * x[c'] * s[c']**(-beta - 1))
    """
    C = x.shape[1]
    padded = np.zeros(C + size - 1, x.dtype)
    terms = padded[size // 2 : size // 2 + C]
    s, power, total = np.empty(C, x.dtype), np.empty(C, x.dtype), np.empty(C, x.dtype)
    for row in range(first, last):
        for c in range(C):
            terms[c] = x[row, c] * x[row, c]
        _sum_neighbours(padded, s)
        for c in range(C):
            s[c] = k + a * s[c]
            power[c] = s[c]
        _raise(power, beta)
        for c in range(C):
            terms[c] = dy[row, c] * x[row, c] / (power[c] * s[c])
        _sum_neighbours(padded, total)
        for c in range(C):
            dx[row, c] = dy[row, c] / power[c] - 2 * a * beta * x[row, c] * total[c]


@kernel
def _sum_neighbours(padded: Any, total: Any) -> None:
    """total[c] is the sum of padded[c] and as many cells behind it as ``padded`` is longer."""
    for c in range(total.size):
        total[c] = 0
    for offset in range(padded.size - total.size + 1):
        for c in range(total.size):
            total[c] += padded[c + offset]


@kernel
def _raise(s: Any, beta: float) -> None:
    """Raise ``s`` to the power ``beta`` in place; AlexNet's 3/4 by roots, far faster."""
    if beta == 0.75:
        for c in range(s.size):
            root = np.sqrt(s[c])
            s[c] = root * np.sqrt(root)
    else:
        for c in range(s.size):
            s[c] = s[c] ** beta
