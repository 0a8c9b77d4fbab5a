"""What an op takes: arrays that fit each other, options, and a dy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinycnn.arrays import Array
from tinycnn.layers import Shape
from tinycnn.testing.strategies.drawn_arrays import arrays
from tinycnn.testing.strategies.operations import convolutions, pools


@dataclass(frozen=True)
class Arguments:
    """Arrays that fit each other, and the keyword arguments that go with them.

    ``f(*arrays, **options)`` gives an output of ``dy``'s shape.
    """

    arrays: tuple[Array, ...]
    options: dict[str, Any]
    dy: Array


@st.composite
def conv_arguments(
    draw: st.DrawFn, *, values: str = "separated", dtype: Any = np.float64
) -> Arguments:
    """What `ops.conv2d` takes: x, W and b (or x and W), its options, and a dy of its output's shape."""
    case = draw(convolutions())
    shapes = [case.x_shape, case.W_shape, *[(case.filters,)] * case.bias, case.y_shape]
    *given, dy = (draw(arrays(shape, values=values, dtype=dtype)) for shape in shapes)
    return Arguments(tuple(given), case.options, dy)


@st.composite
def pool_arguments(
    draw: st.DrawFn, *, max_dilation: int = 2, values: str = "separated", dtype: Any = np.float64
) -> Arguments:
    """What `ops.max_pool2d` takes; `ops.avg_pool2d` with ``max_dilation=1``."""
    case = draw(pools(max_dilation))
    shapes = [case.geometry.shape, case.geometry.out_shape]
    x, dy = (draw(arrays(shape, values=values, dtype=dtype)) for shape in shapes)
    return Arguments((x,), case.options, dy)


@st.composite
def dense_arguments(
    draw: st.DrawFn, *, values: str = "separated", dtype: Any = np.float64
) -> Arguments:
    """What `ops.dense` takes: x (N, D) or images to be flattened, W (D, F) and perhaps b (F,)."""
    N, F = draw(st.integers(0, 4)), draw(st.integers(1, 5))
    cells = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    D = int(np.prod(cells))
    shapes: list[Shape] = [(N, *cells), (D, F), *[(F,)] * draw(st.booleans()), (N, F)]
    *given, dy = (draw(arrays(shape, values=values, dtype=dtype)) for shape in shapes)
    activation = draw(st.sampled_from([None, "relu"]))
    return Arguments(tuple(given), {"activation": activation}, dy)
