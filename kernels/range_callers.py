"""What calls kernels that work on ranges of rows with the arguments of a row that was recorded.

As `callers`; a slot of an array with several axes is followed by its shape. See
`tinycnn.runtime.by_ranges`.
"""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.avg_pool_vectors import avg_pool_rows, avg_pool_rows_backward
from tinycnn.kernels.batch_norm import (
    add_gradients,
    moments_of_rows,
    scale_deviations,
    scale_deviations_backward,
)
from tinycnn.kernels.dense import dense_product, dense_weight_gradient, pack_weights
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.max_pool import max_pool2d_backward
from tinycnn.kernels.max_pool_disjoint import max_pool_disjoint_backward
from tinycnn.kernels.max_pool_vectors import max_pool_argmax, max_pool_argmax_backward
from tinycnn.kernels.relu import relu, relu_backward
from tinycnn.kernels.simd import read_only
from tinycnn.kernels.slots import doubles, floats_of, indices_of, maps_of, matrix_of, panels_of
from tinycnn.kernels.softmax import softmax_backward


@kernel
def _read(slots: Any, slot: int) -> Any:
    """A slot's floats, to be read."""
    return read_only(floats_of(slots, slot, 0))


@kernel
def _read_doubles(slots: Any, slot: int) -> Any:
    """The same of float64."""
    return read_only(doubles(slots, slot))


@kernel
def _relu(c: Any, jobs: Any, slots: Any, image: int) -> None:
    relu(_read(slots, c[1]), c[2], c[3], floats_of(slots, c[4], 0))


@kernel
def _relu_backward(c: Any, jobs: Any, slots: Any, image: int) -> None:
    relu_backward(_read(slots, c[1]), _read(slots, c[2]), c[3], c[4], floats_of(slots, c[5], 0))


@kernel
def _moments_of_rows(c: Any, jobs: Any, slots: Any, image: int) -> None:
    x, parts = read_only(matrix_of(slots, c, 1)), doubles(slots, c[6])
    moments_of_rows(x, c[4], c[5], parts.reshape(c[7], c[8], c[9]))


@kernel
def _scale_deviations(c: Any, jobs: Any, slots: Any, image: int) -> None:
    mean, scale, shift = _read_doubles(slots, c[4]), _read_doubles(slots, c[5]), _read(slots, c[6])
    y = matrix_of(slots, c, 9)
    scale_deviations(read_only(matrix_of(slots, c, 1)), mean, scale, shift, c[7], c[8], y)


@kernel
def _add_gradients(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dy, x = read_only(matrix_of(slots, c, 1)), read_only(matrix_of(slots, c, 4))
    parts = doubles(slots, c[10]).reshape(c[11], c[12], c[13])
    add_gradients(dy, x, _read_doubles(slots, c[7]), c[8], c[9], parts)


@kernel
def _scale_deviations_backward(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dy, x = read_only(matrix_of(slots, c, 1)), read_only(matrix_of(slots, c, 4))
    dy_mean, mean = _read_doubles(slots, c[7]), _read_doubles(slots, c[8])
    scale, slope = _read_doubles(slots, c[9]), _read_doubles(slots, c[10])
    dx = matrix_of(slots, c, 13)
    scale_deviations_backward(dy, x, dy_mean, mean, scale, slope, c[11], c[12], dx)


@kernel
def _dense_product(c: Any, jobs: Any, slots: Any, image: int) -> None:
    x, W = read_only(matrix_of(slots, c, 1)), read_only(matrix_of(slots, c, 4))
    y = matrix_of(slots, c, 13)
    dense_product(x, W, _read(slots, c[7]), c[8] != 0, c[9], c[10], c[11], c[12], y)


@kernel
def _dense_weight_gradient(c: Any, jobs: Any, slots: Any, image: int) -> None:
    x, panels = read_only(matrix_of(slots, c, 1)), read_only(panels_of(slots, c, 4))
    dW = matrix_of(slots, c, 10)
    dense_weight_gradient(x, panels, c[8], c[9], dW)


@kernel
def _pack_weights(c: Any, jobs: Any, slots: Any, image: int) -> None:
    pack_weights(read_only(matrix_of(slots, c, 1)), c[4], c[5], panels_of(slots, c, 6))


@kernel
def _softmax_backward(c: Any, jobs: Any, slots: Any, image: int) -> None:
    y = _read(slots, c[2])
    softmax_backward(_read(slots, c[1]), y, c[3], c[4], c[5], floats_of(slots, c[6], 0))


@kernel
def _max_pool_argmax(c: Any, jobs: Any, slots: Any, image: int) -> None:
    x = read_only(maps_of(slots, c, 1))
    y = maps_of(slots, c, 16)
    argmax = indices_of(slots, c, 21)
    max_pool_argmax(
        x, c[6], c[7], (c[8], c[9]), (c[10], c[11]), (c[12], c[13]), (c[14], c[15]), y, argmax
    )


@kernel
def _slopes_and_argmax(c: Any, slots: Any) -> tuple[Any, Any]:
    """The first two arguments of a gradient of max-pooling."""
    dy = read_only(maps_of(slots, c, 1))
    return dy, read_only(indices_of(slots, c, 6))


@kernel
def _max_pool_argmax_backward(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dy, argmax = _slopes_and_argmax(c, slots)
    dx = maps_of(slots, c, 20)
    steps = (c[13], c[14]), (c[15], c[16]), (c[17], c[18])
    max_pool_argmax_backward(dy, argmax, c[11], c[12], *steps, c[19] != 0, dx)


@kernel
def _max_pool_disjoint_backward(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dy, argmax = _slopes_and_argmax(c, slots)
    dx = maps_of(slots, c, 20)
    steps = (c[13], c[14]), (c[15], c[16]), (c[17], c[18])
    max_pool_disjoint_backward(dy, argmax, c[11], c[12], *steps, c[19] != 0, dx)


@kernel
def _max_pool2d_backward(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dy, argmax = _slopes_and_argmax(c, slots)
    dx = maps_of(slots, c, 21)
    steps = (c[13], c[14]), (c[15], c[16]), (c[17], c[18]), (c[19], c[20])
    max_pool2d_backward(dy, argmax, c[11], c[12], *steps, dx)


@kernel
def _average(c: Any, slots: Any) -> Any:
    """The arguments of an average over windows, or of its gradient."""
    x = read_only(maps_of(slots, c, 1))
    y = maps_of(slots, c, 17)
    steps = (c[8], c[9]), (c[10], c[11]), (c[12], c[13]), (c[14], c[15])
    return x, c[6], c[7], *steps, c[16] != 0, y


@kernel
def _avg_pool_rows(c: Any, jobs: Any, slots: Any, image: int) -> None:
    avg_pool_rows(*_average(c, slots))


@kernel
def _avg_pool_rows_backward(c: Any, jobs: Any, slots: Any, image: int) -> None:
    avg_pool_rows_backward(*_average(c, slots))


# By kernel.
RANGE_CALLERS = {
    relu: _relu, relu_backward: _relu_backward, moments_of_rows: _moments_of_rows,
    scale_deviations: _scale_deviations, add_gradients: _add_gradients,
    scale_deviations_backward: _scale_deviations_backward, softmax_backward: _softmax_backward,
    dense_product: _dense_product, dense_weight_gradient: _dense_weight_gradient,
    pack_weights: _pack_weights, max_pool_argmax: _max_pool_argmax,
    max_pool_argmax_backward: _max_pool_argmax_backward,
    max_pool_disjoint_backward: _max_pool_disjoint_backward,
    max_pool2d_backward: _max_pool2d_backward,
    avg_pool_rows: _avg_pool_rows, avg_pool_rows_backward: _avg_pool_rows_backward,
}  # fmt: skip
