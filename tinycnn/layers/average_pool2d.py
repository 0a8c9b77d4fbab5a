"""The mean of each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.layers.image import ImageLayer, changed, fixed_padding, window_facts
from tinycnn.shapes import Padding, Window, pool_window
from tinycnn.validation import check_pair

__all__ = ["AveragePool2D"]


class AveragePool2D(ImageLayer):
    """Mean of each window: (H, W, C) to (OH, OW, C). The stride is the kernel unless given.

    ``padding``, ``ceil_mode`` and ``count_include_pad`` are as in `ops.avg_pool2d`.
    """

    stem = "pool"
    smooth = True

    def __init__(
        self,
        kernel: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        name: str | None = None,
    ) -> None:
        self.kernel = check_pair(kernel, "kernel")
        self.stride = self.kernel if stride is None else check_pair(stride, "stride")
        self.padding = fixed_padding(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.name = name

    def window(self, input_shape: Shape) -> Window:
        """The window that slides over one image of ``input_shape`` (H, W, C)."""
        return pool_window(
            self.image_shape(input_shape)[:2],
            self.kernel,
            stride=self.stride,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self.window(input_shape).output, input_shape[2])

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        return ops.avg_pool2d(x, **self._options()), x.shape

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        if not context.need_dx:
            return None, {}
        return ops.avg_pool2d_backward(dz, saved, **self._options()), {}

    def facts(self) -> dict[str, str]:
        details = changed(
            ceil_mode=(bool(self.ceil_mode), False),
            count_include_pad=(bool(self.count_include_pad), True),
        )
        return window_facts(self.kernel, self.stride, self.padding) | details

    def _options(self) -> dict[str, Any]:
        return {
            "kernel": self.kernel,
            "stride": self.stride,
            "padding": self.padding,
            "ceil_mode": self.ceil_mode,
            "count_include_pad": self.count_include_pad,
        }
