"""What calls each kernel with the arguments of a row that was recorded, see `recorded_calls`."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.direct import direct_convolution
from tinycnn.kernels.direct_gradient import direct_input_gradient
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.max_pool_maps import max_pool
from tinycnn.kernels.microkernels import products_2, products_3, products_4
from tinycnn.kernels.packed_dense import dense
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.simd import read_only
from tinycnn.kernels.slots import floats_of
from tinycnn.kernels.softmax import softmax
from tinycnn.kernels.space_to_depth import space_to_depth
from tinycnn.kernels.window_convolution import window_convolution, window_input_gradient
from tinycnn.kernels.window_weight_gradient import window_weight_gradient
from tinycnn.kernels.winograd import input_transform, output_transform
from tinycnn.kernels.winograd_gradient import output_gradient_transform, weight_gradient_transform


@kernel
def _panels(slots: Any, slot: int, image: int, K: int) -> Any:
    """A slot's numbers as panels of packed weights."""
    panels = read_only(floats_of(slots, slot, image))
    return panels.reshape(panels.size // (K * PANEL), K, PANEL)


@kernel
def _products(c: Any, jobs: Any, slots: Any, image: int) -> Any:
    """The arguments of a call of products."""
    a, b = read_only(floats_of(slots, c[3], image)), read_only(floats_of(slots, c[6], image))
    y, add = floats_of(slots, c[9], image), c[11] != 0
    return jobs[c[1] : c[2]], a, c[4], c[5], b, c[7], c[8], y, c[10], add


@kernel
def _products_2(c: Any, jobs: Any, slots: Any, image: int) -> None:
    products_2(*_products(c, jobs, slots, image))


@kernel
def _products_3(c: Any, jobs: Any, slots: Any, image: int) -> None:
    products_3(*_products(c, jobs, slots, image))


@kernel
def _products_4(c: Any, jobs: Any, slots: Any, image: int) -> None:
    products_4(*_products(c, jobs, slots, image))


@kernel
def _output_transform(c: Any, jobs: Any, slots: Any, image: int) -> None:
    output_transform(
        floats_of(slots, c[1], image), c[2], (c[3], c[4], c[5], c[6], c[7], c[8], c[9]), c[10], c[11],
        read_only(floats_of(slots, c[12], image)), c[13] != 0,
        floats_of(slots, c[14], image), c[15], c[16], c[17], c[18], c[19], c[20],
        floats_of(slots, c[21], image),
    )  # fmt: skip


@kernel
def _input_transform(c: Any, jobs: Any, slots: Any, image: int) -> None:
    input_transform(
        read_only(floats_of(slots, c[1], image)), c[2], c[3], c[4], c[5],
        (c[6], c[7], c[8], c[9], c[10], c[11], c[12]), c[13], c[14], c[15], c[16], c[17], c[18],
        floats_of(slots, c[19], image), c[20], floats_of(slots, c[21], image), c[22] != 0,
    )  # fmt: skip


@kernel
def _max_pool(c: Any, jobs: Any, slots: Any, image: int) -> None:
    max_pool(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4], c[5]), (c[6], c[7]), c[8], c[9],
        (c[10], c[11]), (c[12], c[13]), (c[14], c[15]), (c[16], c[17]), c[18],
        floats_of(slots, c[19], image), (c[20], c[21], c[22], c[23]), (c[24], c[25]),
    )  # fmt: skip


@kernel
def _space_to_depth(c: Any, jobs: Any, slots: Any, image: int) -> None:
    space_to_depth(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4], c[5]), (c[6], c[7]), c[8], c[9],
        c[10], (c[11], c[12]), (c[13], c[14]), floats_of(slots, c[15], image),
        (c[16], c[17], c[18], c[19]), (c[20], c[21]),
    )  # fmt: skip


@kernel
def _dense(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dense(
        read_only(floats_of(slots, c[1], image)), c[2], c[3], c[4],
        read_only(floats_of(slots, c[5], image)), slots[c[6], 3],
        read_only(floats_of(slots, c[7], image)), c[8] != 0, c[9], c[10],
        floats_of(slots, c[11], image), c[12],
    )  # fmt: skip


@kernel
def _softmax(c: Any, jobs: Any, slots: Any, image: int) -> None:
    softmax(
        read_only(floats_of(slots, c[1], image)), c[2], c[3], c[4], floats_of(slots, c[5], image)
    )


@kernel
def _direct_convolution(c: Any, jobs: Any, slots: Any, image: int) -> None:
    panels = _panels(slots, c[15], image, c[9] * c[10] * c[6])
    direct_convolution(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4], c[5]), c[6], c[7], c[8],
        (c[9], c[10]), (c[11], c[12]), (c[13], c[14]), panels,
        read_only(floats_of(slots, c[16], image)), c[17] != 0, c[18], c[19],
        floats_of(slots, c[20], image), (c[21], c[22], c[23], c[24]), (c[25], c[26]), c[27],
    )  # fmt: skip


@kernel
def _window_convolution(c: Any, jobs: Any, slots: Any, image: int) -> None:
    window_convolution(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4]),
        read_only(floats_of(slots, c[5], image)), read_only(floats_of(slots, c[6], image)), c[7], c[8] != 0,
        c[9] != 0, c[10], c[11], (c[12], c[13]), (c[14], c[15]), (c[16], c[17]), (c[18], c[19]),
        floats_of(slots, c[20], image), (c[21], c[22], c[23], c[24]), (c[25], c[26]), c[27],
    )  # fmt: skip


@kernel
def _copy_with_border(c: Any, jobs: Any, slots: Any, image: int) -> None:
    copy_with_border(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4]), c[5], c[6], (c[7], c[8]),
        (c[9], c[10]), c[11], floats_of(slots, c[12], image),
    )  # fmt: skip


@kernel
def _output_gradient_transform(c: Any, jobs: Any, slots: Any, image: int) -> None:
    output_gradient_transform(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4]), c[5], c[6], c[7],
        (c[8], c[9], c[10], c[11], c[12], c[13], c[14]), c[15],
        floats_of(slots, c[16], image), c[17], c[18], c[19], c[20], floats_of(slots, c[21], image),
    )  # fmt: skip


@kernel
def _weight_gradient_transform(c: Any, jobs: Any, slots: Any, image: int) -> None:
    weight_gradient_transform(
        read_only(floats_of(slots, c[1], image)), c[2], c[3], read_only(floats_of(slots, c[4], image)),
        read_only(floats_of(slots, c[5], image)), (c[6], c[7], c[8]), c[9], c[10],
        floats_of(slots, c[11], image), floats_of(slots, c[12], image),
    )  # fmt: skip


@kernel
def _window_weight_gradient(c: Any, jobs: Any, slots: Any, image: int) -> None:
    window_weight_gradient(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4]),
        read_only(floats_of(slots, c[5], image)), (c[6], c[7], c[8]), c[9], c[10] != 0, c[11], c[12],
        (c[13], c[14]), (c[15], c[16]), (c[17], c[18]), (c[19], c[20]), c[21], c[22],
        floats_of(slots, c[23], image), c[24],
    )  # fmt: skip


@kernel
def _window_input_gradient(c: Any, jobs: Any, slots: Any, image: int) -> None:
    window_input_gradient(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4]),
        read_only(floats_of(slots, c[5], image)), c[6], c[7] != 0, c[8], c[9],
        (c[10], c[11]), (c[12], c[13]), (c[14], c[15]), (c[16], c[17]),
        floats_of(slots, c[18], image), (c[19], c[20], c[21]),
    )  # fmt: skip


@kernel
def _direct_input_gradient(c: Any, jobs: Any, slots: Any, image: int) -> None:
    direct_input_gradient(
        read_only(floats_of(slots, c[1], image)), (c[2], c[3], c[4]), _panels(slots, c[5], image, c[4]),
        c[6], c[7], c[8], c[9], (c[10], c[11]), (c[12], c[13]), (c[14], c[15]), (c[16], c[17]),
        floats_of(slots, c[18], image), (c[19], c[20], c[21]),
    )  # fmt: skip


# By kernel.
CALLERS = {
    products_2: _products_2, products_3: _products_3, products_4: _products_4,
    output_transform: _output_transform, input_transform: _input_transform, max_pool: _max_pool,
    space_to_depth: _space_to_depth, dense: _dense, softmax: _softmax,
    direct_convolution: _direct_convolution,
    window_convolution: _window_convolution, copy_with_border: _copy_with_border,
    window_weight_gradient: _window_weight_gradient, window_input_gradient: _window_input_gradient,
    direct_input_gradient: _direct_input_gradient,
    output_gradient_transform: _output_gradient_transform,
    weight_gradient_transform: _weight_gradient_transform,
}  # fmt: skip
