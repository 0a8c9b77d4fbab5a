"""What calls each kernel of a training step with the arguments of a row, beside those of `callers`.

An array whose shape the kernel asks for stands in a row as its slot's number and the sizes of its axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.bias import add_bias, add_sums, bias_gradient, relu_bias_gradient
from tinycnn.kernels.dense import dense_input_gradient, pack_images
from tinycnn.kernels.dense_gradients import dense_gradients
from tinycnn.kernels.dense_rows import rows_product
from tinycnn.kernels.dropout import dropout_mask, scale_kept
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import read_only
from tinycnn.kernels.slots import (
    doubles_of,
    floats_of,
    integers_of,
    mask_of,
    matrix_of,
    number_of,
    panels_of,
    row_of,
)
from tinycnn.kernels.weights import add_parts, exchange_channels, pack_channels


@kernel
def _add_bias(c: Any, jobs: Any, slots: Any, image: int) -> None:
    add_bias(matrix_of(slots, c, 1), read_only(floats_of(slots, c[4], 0)), c[5] != 0)


@kernel
def _bias_gradient(c: Any, jobs: Any, slots: Any, image: int) -> None:
    bias_gradient(
        read_only(matrix_of(slots, c, 1)), c[4], c[5], doubles_of(slots, c, 6), c[9],
    )  # fmt: skip


@kernel
def _relu_bias_gradient(c: Any, jobs: Any, slots: Any, image: int) -> None:
    relu_bias_gradient(
        read_only(matrix_of(slots, c, 1)), read_only(matrix_of(slots, c, 4)), c[7], c[8],
        matrix_of(slots, c, 9), doubles_of(slots, c, 12), c[15],
    )  # fmt: skip


@kernel
def _add_sums(c: Any, jobs: Any, slots: Any, image: int) -> None:
    add_sums(read_only(doubles_of(slots, c, 1)), row_of(slots, c, 4))


@kernel
def _rows_product(c: Any, jobs: Any, slots: Any, image: int) -> None:
    rows_product(
        read_only(matrix_of(slots, c, 1)), read_only(matrix_of(slots, c, 4)), matrix_of(slots, c, 7)
    )


@kernel
def _dense_gradients(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dense_gradients(
        read_only(matrix_of(slots, c, 1)), read_only(matrix_of(slots, c, 4)),
        read_only(matrix_of(slots, c, 7)), c[10], c[11], matrix_of(slots, c, 12), matrix_of(slots, c, 15),
    )  # fmt: skip


@kernel
def _pack_images(c: Any, jobs: Any, slots: Any, image: int) -> None:
    pack_images(read_only(matrix_of(slots, c, 1)), panels_of(slots, c, 4))


@kernel
def _dense_input_gradient(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dense_input_gradient(
        read_only(panels_of(slots, c, 1)), read_only(matrix_of(slots, c, 5)), c[8], c[9],
        matrix_of(slots, c, 10),
    )  # fmt: skip


@kernel
def _exchange_channels(c: Any, jobs: Any, slots: Any, image: int) -> None:
    exchange_channels(
        read_only(floats_of(slots, c[1], image)),
        c[2],
        (c[3], c[4]),
        c[5],
        floats_of(slots, c[6], image),
    )


@kernel
def _pack_channels(c: Any, jobs: Any, slots: Any, image: int) -> None:
    pack_channels(read_only(panels_of(slots, c, 1)), c[5], c[6], panels_of(slots, c, 7))


@kernel
def _add_parts(c: Any, jobs: Any, slots: Any, image: int) -> None:
    add_parts(
        read_only(floats_of(slots, c[1], image)),
        c[2],
        c[3],
        c[4],
        c[5],
        floats_of(slots, c[6], image),
    )


@kernel
def _dropout_mask(c: Any, jobs: Any, slots: Any, image: int) -> None:
    draw = integers_of(slots, c[1], 2)  # the key, and the number of the first sample: of a run
    dropout_mask(np.uint64(draw[0]), c[2], draw[1], c[3], c[4], c[5], mask_of(slots, c, 6))


@kernel
def _scale_kept(c: Any, jobs: Any, slots: Any, image: int) -> None:
    mask = mask_of(slots, c, 2)
    scale_kept(
        read_only(floats_of(slots, c[1], 0)), read_only(mask.reshape(mask.size)),
        np.float32(number_of(c, 5)), c[6], c[7], floats_of(slots, c[8], 0),
    )  # fmt: skip


# By kernel.
TRAINING_CALLERS = {
    add_bias: _add_bias, bias_gradient: _bias_gradient, relu_bias_gradient: _relu_bias_gradient,
    add_sums: _add_sums, rows_product: _rows_product, dense_gradients: _dense_gradients,
    pack_images: _pack_images, dense_input_gradient: _dense_input_gradient,
    exchange_channels: _exchange_channels, pack_channels: _pack_channels, add_parts: _add_parts,
    dropout_mask: _dropout_mask, scale_kept: _scale_kept,
}  # fmt: skip
