"""Which cells of a kernel lie inside an image, along one axis."""

from __future__ import annotations

from math import gcd

from tinycnn.kernels.jit import kernel


@kernel
def taps_inside(
    output: int, end: int, size: int, begin: int, stride: int, taps: int, dilation: int
) -> tuple[int, int, int]:
    """Outputs from ``output`` on, before ``end``, that see the same: (last, i, i_end), neither last included.

    Output o's cell i is cell begin + o*stride + i*dilation of an axis of ``size``; inside it are cells ``i``
    to ``i_end`` of the ``taps``, the same for all outputs up to ``last``.
    """
    first, after = _inside(begin + output * stride, size, taps, dilation)
    last = output + 1
    while last < end and (first, after) == _inside(begin + last * stride, size, taps, dilation):
        last += 1
    return last, first, after


@kernel
def _inside(at: int, size: int, taps: int, dilation: int) -> tuple[int, int]:
    """Cells of a window that begins at ``at``."""
    first = min(max(-(at // dilation), 0), taps)
    after = min(max((size - 1 - at) // dilation + 1, first), taps)
    return (first, after) if after > first else (0, 0)


@kernel
def phase_taps(start: int, taps: int, stride: int, dilation: int) -> tuple[int, int, int, int, int]:
    """Cells of a kernel that met input ``start``, counted with the padding before it, as a convolution of dz.

    Gives (cell, step, count, output, further): the last such cell, the step to the one before it, how many
    there are, the output by which the last one met it, and how much further on the output of each next one
    lies; where no cell met it, zeros, and 1 further on, for a dilation. Output o meets it by cell i where
    o*stride = start - i*dilation, and so does the next input of the phase, ``stride`` further on, with the
    next output.
    """
    cell = taps - 1
    while cell >= 0 and (start - cell * dilation) % stride:
        cell -= 1
    if cell < 0:
        return 0, 0, 0, 0, 1
    step = stride // gcd(stride, dilation)
    return (
        cell,
        -step,
        cell // step + 1,
        (start - cell * dilation) // stride,
        step * dilation // stride,
    )
