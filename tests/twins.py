"""A kernel beside its twin, the convolution's twin in float64, and numbers by the project's one measure."""

from copy import deepcopy

import numpy as np

from tinycnn.kernels import reference
from tinycnn.ops.convolution import naive
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.runtime import memory
from tinycnn.shapes import Axis, Window


def against_twin(kernel, *arguments, bound=0.0, scratch=0):
    """Run a kernel and its twin on copies of ``arguments``, which must end equal; return them.

    Every array is compared whole: what was handed in for reading, and cells that were not to be
    written, must be as they were. With ``bound``, by `error`; without, bit for bit. The last ``scratch``
    arguments are room to work in, and not compared.
    """
    ours, theirs = _copies(arguments), _copies(arguments)
    np.testing.assert_equal(kernel(*ours), getattr(reference, kernel.__name__)(*theirs))
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


# ------------------------------------------------------------------------------------- convolution


def convolved(x, W, b=None, *, relu=False, **options):
    """The convolution by its naive twin, in float64; ``options`` are those of `geometry_of`."""
    geometry = geometry_of(x.shape, W.shape, **options)
    y = np.empty(geometry.y_shape)
    naive.forward(x, W, b, geometry, y, relu=relu)
    return y


def convolution_gradients(dz, x, W, **options):
    """(dx, dW, db) of the same."""
    geometry = geometry_of(x.shape, W.shape, **options)
    assert dz.shape == geometry.y_shape
    dx, dW = np.empty(x.shape), np.empty(W.shape)
    naive.weight_gradient(dz, x, geometry, dW)
    naive.input_gradient(dz, W, geometry, dx)
    return dx, dW, dz.sum(axis=(0, 1, 2), dtype=np.float64)


def geometry_of(
    x_shape, W_shape, *, stride=(1, 1), pads=((0, 0), (0, 0)), dilation=(1, 1), groups=1
):
    """The sizes as the twin reads them, worked out by the textbook's formula."""
    axes = []
    for size, k, s, (before, after), d in zip(
        x_shape[1:3], W_shape[:2], stride, pads, dilation, strict=True
    ):
        output = (size + before + after - d * (k - 1) - 1) // s + 1
        axes.append(Axis(size, k, s, before, after, d, output))
    return Geometry(x_shape[0], x_shape[3], W_shape[3], groups, Window(*axes))
