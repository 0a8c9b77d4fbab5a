"""Arrays, their numbers drawn from a seed: a shape shrinks, a random array need not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinycnn.arrays import Array
from tinycnn.checking.values import separated, tied
from tinycnn.layers import Shape

dtypes = st.sampled_from([np.float32, np.float64])
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)

Values = Callable[[np.random.Generator, Shape, Any], Array]
_VALUES: dict[str, Values] = {"separated": separated, "tied": tied}


def arrays(
    shape: Shape, *, values: str = "separated", dtype: Any = np.float64
) -> st.SearchStrategy[Array]:
    """An array of ``shape``.

    ``values`` is "separated" (all different and none zero, so that small steps cross no tie of a
    maximum and no zero of a ReLU) or "tied" (whole numbers from -2 to 2).
    """
    return generators.map(lambda rng: _VALUES[values](rng, shape, dtype))


@st.composite
def images(
    draw: st.DrawFn,
    *,
    max_size: int = 12,
    max_channels: int = 4,
    max_batch: int = 3,
    values: str = "separated",
    dtype: Any = np.float64,
) -> Array:
    """A batch of images, (N, H, W, C), none of the axes empty."""
    N, H, W, C = (
        draw(st.integers(1, most)) for most in (max_batch, max_size, max_size, max_channels)
    )
    return draw(arrays((N, H, W, C), values=values, dtype=dtype))
