"""Local response normalisation across channels, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel

# Numbers of some rows side by side, as one: of few channels each would be a loop of its own. Between two rows
# are as many zeros as a neighbourhood reaches, beyond the last channel of one and the first of the next.
_NUMBERS = 512


@kernel
def local_response_norm(
    x: Any, first: int, last: int, size: int, a: float, beta: float, k: float, y: Any
) -> None:
    """Divide each channel by a power of its neighbourhood's energy, for rows ``first`` to ``last``.

    ``x`` and ``y`` are (rows, C); with the sum over the ``size`` channels around c (size is odd)

        s[c] = k + a * sum(x[c']**2),    y[c] = x[c] * s[c]**-beta
    """
    C, half = x.shape[1], size // 2
    step, together = C + half, max(_NUMBERS // (C + half), 1)
    squares = np.zeros(half + together * step, x.dtype)
    power = np.empty(together * step, x.dtype)
    for start in range(first, last, together):
        rows = min(together, last - start)
        used = power[: rows * step - half]
        for row in range(rows):
            for c in range(C):
                squares[half + row * step + c] = x[start + row, c] * x[start + row, c]
        _sum_neighbours(squares, size, used)
        for e in range(used.size):
            used[e] = k + a * used[e]
        _raise(used, beta)
        for row in range(rows):
            for c in range(C):
                y[start + row, c] = x[start + row, c] / used[row * step + c]


@kernel
def local_response_norm_backward(
    dy: Any, x: Any, first: int, last: int, size: int, a: float, beta: float, k: float, dx: Any
) -> None:
    """Carry ``dy`` back through `local_response_norm` for rows ``first`` to ``last``.

    A channel acts on its own output and, through the sums s, on every neighbour's:

        dx[c] = dy[c] * s[c]**-beta - 2*a*beta*x[c] * sum(dy[c'] * x[c'] * s[c']**(-beta - 1))
    """
    C, half = x.shape[1], size // 2
    step, together = C + half, max(_NUMBERS // (C + half), 1)
    terms = np.zeros(half + together * step, x.dtype)
    sums, powers = np.empty(together * step, x.dtype), np.empty(together * step, x.dtype)
    totals = np.empty(together * step, x.dtype)
    for start in range(first, last, together):
        rows = min(together, last - start)
        count = rows * step - half
        s, power, total = sums[:count], powers[:count], totals[:count]
        for row in range(rows):
            for c in range(C):
                terms[half + row * step + c] = x[start + row, c] * x[start + row, c]
        _sum_neighbours(terms, size, s)
        for e in range(count):
            s[e] = k + a * s[e]
            power[e] = s[e]
        _raise(power, beta)
        for row in range(rows):
            for c in range(C):
                e = row * step + c
                slope = dy[start + row, c] * x[start + row, c]
                terms[half + e] = slope / (power[e] * s[e])
        _sum_neighbours(terms, size, total)
        for row in range(rows):
            for c in range(C):
                e, cell = row * step + c, x[start + row, c]
                dx[start + row, c] = dy[start + row, c] / power[e] - 2 * a * beta * cell * total[e]


@kernel
def _sum_neighbours(padded: Any, size: int, total: Any) -> None:
    """total[e] is the sum of padded[e] and the ``size`` - 1 cells behind it."""
    for e in range(total.size):
        total[e] = 0
    for offset in range(size):
        for e in range(total.size):
            total[e] += padded[e + offset]


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
