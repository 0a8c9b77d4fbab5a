"""What the property tests draw besides the package's own `tinycnn.testing.strategies`.

Arrays hold small integers, so that float32 sums are exact and are compared bit for bit.
"""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from tinycnn.kernels.jit import numba
from tinycnn.kernels.rows import rows_side_by_side


def examples(count):
    """Settings for a test of ``count`` examples: of these, a plain run draws a third (see conftest.py).

    A tenth are drawn where kernels run as plain Python, slowly.
    """
    percent = 10 if numba.config.DISABLE_JIT else settings.default.max_examples
    return settings(max_examples=-(-count * percent // 100))


def whole(rng, shape, dtype=np.float64, top=9):
    """Random integers from -top to top as ``dtype``."""
    return rng.integers(-top, top + 1, shape).astype(dtype)


def ranges(total):
    """A half-open range (first, last) within range(total), empty ones included."""
    ends = st.integers(0, total)
    return st.tuples(ends, ends).map(lambda pair: (min(pair), max(pair)))


@st.composite
def row_shapes(draw):
    """Rows and their numbers: a few, or enough for several wide rows of `kernels.rows` and a rest."""
    C = draw(st.integers(1, 20) | st.integers(1, 600))
    side = int(rows_side_by_side(C))
    return draw(st.integers(0, 9) | st.integers(0, 3 * side) | st.integers(4 * side, 6 * side)), C


@st.composite
def rows_of(draw, geometries):
    """A geometry and a range of its output rows."""
    window = draw(geometries)
    rows = window.shape[0] * window.size[0]
    return window, *draw(st.one_of(st.just((0, rows)), ranges(rows)))


@st.composite
def images_of(draw, geometries):
    """A geometry and a range of its images."""
    window = draw(geometries)
    return window, *draw(st.one_of(st.just((0, window.shape[0])), ranges(window.shape[0])))
