"""Comparing a kernel with its twin, and numbers by the project's one measure."""

from copy import deepcopy

import numpy as np

from tinycnn.kernels import reference
from tinycnn.runtime import memory


def against_twin(kernel, *arguments, bound=0.0, scratch=0):
    """Run a kernel and its twin on copies of ``arguments``, which must end equal; return them.

    Every array is compared whole: what was handed in for reading, and cells that were not to be
    written, must be as they were. With ``bound``, by `error`; without, bit for bit. The last ``scratch``
    arguments are room to work in, and not compared.
    """
    ours, theirs = _copies(arguments), _copies(arguments)
    kernel(*ours)
    getattr(reference, kernel.__name__)(*theirs)
    compared = len(arguments) - scratch
    for mine, expected in zip(ours[:compared], theirs[:compared], strict=True):
        if bound and isinstance(mine, np.ndarray):
            assert error(mine, expected) <= bound
        else:
            np.testing.assert_array_equal(mine, expected)
    return ours


def _copies(arguments):
    """Copies of everything; what is read-only stays so, for Numba compiles anew for what is not.

    Arrays of float32 begin at a cache line, as kernels that stream to them ask.
    """
    copies = list(deepcopy(arguments))
    for place, given in enumerate(arguments):
        if isinstance(given, np.ndarray):
            if given.flags.c_contiguous and given.dtype == np.float32:
                copies[place] = memory.aligned(given.shape, given.dtype)
                copies[place][...] = given
            copies[place].flags.writeable = given.flags.writeable
    return copies


def error(value, expected):
    """max|value - expected| / max|expected|: an element's own size, near zero, means nothing."""
    if not np.size(expected):
        return 0.0
    difference = np.abs(np.subtract(value, expected, dtype=np.float64)).max()
    return difference / max(np.abs(expected).max(), np.finfo(np.float64).tiny)
