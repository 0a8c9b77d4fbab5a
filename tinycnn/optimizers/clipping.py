"""Gradients held below a norm."""

from __future__ import annotations

import math

import numpy as np

from tinycnn.errors import ArgumentError
from tinycnn.parameters import FlatArrays
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import split_range
from tinycnn.validation import check_number
from tinycnn.wording import a

# Elements a block. Its sum of squares is added up by one thread.
_ELEMENTS = 1 << 18


def clip_by_norm(gradients: FlatArrays, most: float = math.inf) -> float:
    """Scale ``gradients`` in place so that their global norm is at most ``most``; gives the norm they had.

        norm = sqrt(sum of g**2 over all parameters);   g = g * most / norm  where norm > most

    They are what `Trace.backward` gave. Without ``most`` nothing is scaled, and where the norm is no finite
    number nothing is either: look at what is returned. Sums are float64 and have the same bits for every
    number of threads. Source: Pascanu et al., "On the difficulty of training recurrent neural networks",
    2013, algorithm 1; PyTorch adds 1e-6 to the norm, which this does not.

    Raises ArgumentError for gradients of another kind and for a ``most`` that is not above 0.
    """
    if not isinstance(gradients, FlatArrays) or not gradients.flat.flags.writeable:
        raise ArgumentError(
            f"gradients must be what trace.backward returned, got {a(type(gradients).__name__)}"
        )
    if most != math.inf:
        most = check_number(most, "most", above=0)
    norm = _norm(gradients)
    if most < norm < math.inf:
        factor = most / norm

        def scale(some: tuple[int, int]) -> None:
            part = gradients.flat[slice(*some)]
            np.multiply(part, factor, out=part)

        parallel_for(scale, split_range(gradients.flat.size, _ELEMENTS))
    return norm


def _norm(gradients: FlatArrays) -> float:
    from tinycnn.kernels.squares import sum_of_squares

    flat = gradients.flat
    blocks = split_range(flat.size, _ELEMENTS)
    sums = np.zeros(len(blocks))

    def add(block: int) -> None:
        sums[block] = sum_of_squares(flat, *blocks[block])

    parallel_for(add, range(len(blocks)))
    return math.sqrt(float(sums.sum()))
