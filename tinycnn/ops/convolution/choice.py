"""Which algorithm does a convolution: where each applies, and which one takes the least counted work.

From shapes and dtype alone, never from values: so the same shapes always go the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.ops.convolution import direct, direct_gradient, grouped, im2col, naive, window_work
from tinycnn.ops.convolution.direct import DirectConvolution
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.grouped import GroupedConvolution
from tinycnn.ops.convolution.winograd import operation as winograd
from tinycnn.ops.convolution.winograd.setup import (
    WinogradSetup,
    counted_forward,
    counted_input_gradient,
    counted_weight_gradient,
    counted_work,
    set_up,
)
from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth
from tinycnn.ops.convolution.winograd.tiling import LARGEST
from tinycnn.runtime.feature_maps import NO_BORDER
from tinycnn.validation import ALGORITHMS, check_choice

_FLOAT32 = np.dtype(np.float32)
# Work of im2col in multiply-adds as Winograd's products take them: of its BLAS product, of a number unrolled.
_BLAS = 1.5
_UNROLLED = 10
# The same of a multiply-add of the grouped kernels.
_GROUPED = 1
# Outputs of a row that make good direct products; fewer do better in im2col's rows, which may be any.
_LEAST_WIDTH = 8
# A map with a border may have so many cells for each cell that a window reads: far strides leave most
# unread, and im2col never makes them.
_MOST_UNREAD = 16


class Algorithm(Protocol):
    """What each algorithm offers. Arrays are C-contiguous and of one dtype; the last one is written to.

    ``x`` is (N, H, W, C), ``W`` (KH, KW, C // groups, F), ``b`` (F,), ``y`` and ``dz`` (N, OH, OW, F).
    """

    def forward(
        self, x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
    ) -> None:
        """Write y = x convolved with W, plus b, rectified if ``relu``."""

    def weight_gradient(self, dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
        """Write dW: for each weight, dz times the cell of x, over all products that it was in."""

    def input_gradient(self, dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
        """Write dx: for each cell of x, dz times the weight, over all products that it was in."""


IMPLEMENTATIONS: dict[str, Algorithm] = {
    "reference": naive,
    "im2col": im2col,
    "direct": direct,
    "grouped": grouped,
    "winograd": winograd,
}


@dataclass(frozen=True)
class Choice:
    """An algorithm, and the sizes that it is set up with for one geometry, where it needs any."""

    name: str  # in `IMPLEMENTATIONS`
    setup: DirectConvolution | GroupedConvolution | WinogradSetup | None = None

    @property
    def algorithm(self) -> Algorithm:
        """What does the work."""
        return IMPLEMENTATIONS[self.name]


def choose(asked: str, geometry: Geometry, dtype: np.dtype[Any], *, packed: bool = False) -> Choice:
    """The algorithm ``asked`` for by name, or for "auto" the fastest by counted work.

    ``packed``: the weights are packed once for many calls, not anew for this one.

    Raises ArgumentError for a name that is none, and where the algorithm does not apply.
    """
    check_choice(asked, ALGORITHMS, "algorithm")
    if asked == "auto":
        return _fastest(geometry, dtype, packed)
    reason = refusal(asked, geometry, dtype)
    if reason is not None:
        raise ArgumentError(
            f'algorithm="{asked}" does not apply: {reason}; algorithm="auto" takes another there'
        )
    return _set_up(asked, geometry, dtype)


def choose_gradients(
    asked: str, geometry: Geometry, dtype: np.dtype[Any]
) -> tuple[Algorithm, Algorithm]:
    """What works out dW, and what dx, for the same words; raises as `choose` does.

    For "auto" each is the faster one by counted work of Winograd's algorithm and of direct products,
    which hold for any window. In float64 and with groups both go as forward does.
    """
    forward = choose(asked, geometry, dtype)
    if asked != "auto" or refusal("direct", geometry, dtype) is not None:
        return forward.algorithm, forward.algorithm
    if refusal("winograd", geometry, dtype) is not None:
        return direct, direct
    pays_dW = counted_weight_gradient(geometry) < window_work.counted_weight_gradient(geometry)
    pays_dx = counted_input_gradient(geometry) < direct_gradient.counted_input_gradient(geometry)
    return winograd if pays_dW else direct, winograd if pays_dx else direct


def refusal(asked: str, geometry: Geometry, dtype: np.dtype[Any]) -> str | None:
    """Why the algorithm ``asked`` for does not apply; None if it does."""
    if asked not in ("direct", "winograd"):
        return None
    if dtype != _FLOAT32:
        return f"it works in float32, and the arguments make this a convolution in {dtype}"
    if asked == "direct":
        return None if geometry.groups == 1 else f"it takes no groups, got {geometry.groups}"
    return _winograd_refusal(geometry)


def _winograd_refusal(geometry: Geometry) -> str | None:
    win = geometry.window
    if win.dilation != (1, 1):
        return f"it takes no dilation, got {win.dilation}"
    if win.stride == (1, 1) and (win.kernel[0] != win.kernel[1] or win.kernel[0] not in LARGEST):
        return f"it takes kernels 2 x 2, 3 x 3 and 5 x 5, got {win.kernel[0]} x {win.kernel[1]}"
    if win.stride != (1, 1) and geometry.groups != 1:
        return f"it takes no groups where it is strided, got {geometry.groups} with stride {win.stride}"
    if win.stride != (1, 1) and not SpaceToDepth.offered(win, geometry.C):
        return f"it takes strided kernels of up to 5 strides, got {win.kernel} with stride {win.stride}"
    if set_up(geometry) is None:
        return f"its tiles do not fit an output of {win.output[0]} x {win.output[1]}"
    return None


def _set_up(name: str, geometry: Geometry, dtype: np.dtype[Any]) -> Choice:
    if name == "winograd":
        return Choice(name, set_up(geometry))
    if name == "direct":
        return Choice(name, DirectConvolution.of(geometry))
    if name == "grouped":
        return Choice(name, GroupedConvolution.of(geometry))
    return Choice(name)


def _fastest(geometry: Geometry, dtype: np.dtype[Any], packed: bool) -> Choice:
    for name, pays in (("winograd", _winograd_pays), ("direct", _direct_pays)):
        if refusal(name, geometry, dtype) is None and pays(geometry, packed):
            return _set_up(name, geometry, dtype)
    return _set_up("im2col" if geometry.groups == 1 else "grouped", geometry, dtype)


def _winograd_pays(geometry: Geometry, packed: bool) -> bool:
    """Whether Winograd's algorithm, which applies, takes less work than im2col, direct or grouped."""
    setup, groups = set_up(geometry), geometry.groups
    if groups == 1 and (not packed or direct.reads_weights_as_they_are(geometry)):
        return counted_forward(geometry) < window_work.counted_products(geometry)
    assert setup is not None
    numbers = geometry.cells_per_image * geometry.window.cells * geometry.C
    each = _BLAS * geometry.F + _UNROLLED if groups == 1 else _GROUPED * geometry.F / groups
    return counted_work(setup.conv, geometry.N) < numbers * each


def _direct_pays(geometry: Geometry, packed: bool) -> bool:
    """Whether direct products, which apply, are faster than im2col."""
    win, border = geometry.window, DirectConvolution.of(geometry).border
    if window_work.by_dots(geometry):
        return True
    any_width = not packed and geometry.weights <= direct_gradient.MOST_WEIGHTS
    if win.output[1] < _LEAST_WIDTH and not any_width:
        return False
    read = geometry.cells_per_image * win.cells * geometry.C
    return border == NO_BORDER or geometry.seen_per_image <= _MOST_UNREAD * read
