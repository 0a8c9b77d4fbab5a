"""The mean of each channel."""

from __future__ import annotations

from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.layers.image import ImageLayer

__all__ = ["GlobalAveragePool2D"]


class GlobalAveragePool2D(ImageLayer):
    """Mean of each channel over the whole image: (H, W, C) to (C,).

        y[n, c] = sum of x[n, h, w, c] over all h and w / (H*W)

    It is `ops.avg_pool2d` with one window, as large as the image. Source: Lin et al., "Network in
    network", 2013, section 3.2.
    """

    stem = "pool"
    smooth = True

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.image_shape(input_shape)[2],)

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        N, H, W, C = x.shape
        return ops.avg_pool2d(x, (H, W)).reshape(N, C), x.shape

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        if not context.need_dx:
            return None, {}
        N, H, W, C = saved
        return ops.avg_pool2d_backward(dz.reshape(N, 1, 1, C), saved, (H, W)), {}
