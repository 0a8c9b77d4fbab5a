"""Convolution with bias and activation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.errors import ShapeError
from tinycnn.initializers import Initializer
from tinycnn.layers.activation import IDENTITY, RELU, Activation
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.layers.image import ImageLayer, changed, fixed_padding, window_facts
from tinycnn.layers.weighted import WeightedLayer
from tinycnn.shapes import Padding, Window, window
from tinycnn.validation import ALGORITHMS, MOST_CELLS, check_choice, check_int, check_pair
from tinycnn.wording import many

__all__ = ["Conv2D"]


class Conv2D(WeightedLayer, ImageLayer):
    """Convolution of (H, W, C) with ``filters`` kernels, and bias: (OH, OW, filters).

    ``kernel stride dilation`` are an int or (height, width); ``padding`` as in `shapes.window`.
    ``activation`` is None or "relu", ``algorithm`` as in `ops.conv2d`. Parameters: ``W``
    (KH, KW, C // groups, filters), drawn by He's rule, and ``b`` (filters,), zero, unless
    ``weight_initializer`` and ``bias_initializer`` say otherwise; with ``bias=False`` there is no ``b``.
    """

    stem = "conv"
    smooth = True
    activations = (IDENTITY, RELU)

    def __init__(
        self,
        filters: int,
        kernel: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        activation: str | Activation | None = None,
        algorithm: str = "auto",
        bias: bool = True,
        weight_initializer: Initializer | None = None,
        bias_initializer: Initializer | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            bias=bias,
            weight_initializer=weight_initializer,
            bias_initializer=bias_initializer,
            name=name,
        )
        check_choice(algorithm, ALGORITHMS, "algorithm")
        self.filters = check_int(filters, "filters", most=MOST_CELLS)
        self.kernel = check_pair(kernel, "kernel")
        self.stride = check_pair(stride, "stride")
        self.padding = fixed_padding(padding)
        self.dilation = check_pair(dilation, "dilation")
        self.groups = check_int(groups, "groups")
        self.activation = activation  # type: ignore[assignment]
        self.algorithm = algorithm

    def window(self, input_shape: Shape) -> Window:
        """The window that slides over one image of ``input_shape`` (H, W, C)."""
        H, W, _ = self.image_shape(input_shape)
        return window(
            (H, W), self.kernel, stride=self.stride, padding=self.padding, dilation=self.dilation
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        C = self.image_shape(input_shape)[2]
        if C % self.groups or self.filters % self.groups:
            raise ShapeError(
                f"groups must divide the channels and the filters, got "
                f"{many(self.groups, 'group')} for {many(C, 'channel')} and "
                f"{many(self.filters, 'filter')}; use a divisor of "
                f"{math.gcd(C, self.filters)}, or other filters"
            )
        return (*self.window(input_shape).output, self.filters)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        channels = self.image_shape(input_shape)[2] // self.groups
        return self.weights_and_bias((*self.kernel, channels, self.filters))

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        options, activation = self._options(context), self.activation.op_name
        return ops.conv2d(x, params["W"], params.get("b"), **options, activation=activation), x

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        dx, dW, db = ops.conv2d_backward(
            dz,
            saved,
            params["W"],
            **self._options(context),
            need_dx=context.need_dx,
            out=self.places(context),
        )
        return dx, self.named(dW, db)

    def multiply_adds(self, input_shape: Shape) -> int:
        return self.filters * self.im2col_cells(input_shape) // self.groups

    def im2col_cells(self, input_shape: Shape) -> int:
        win = self.window(input_shape)
        return math.prod(win.output) * win.cells * input_shape[2]

    def facts(self) -> dict[str, str]:
        facts = {
            "filters": str(self.filters),
            **window_facts(self.kernel, self.stride, self.padding),
        }
        facts |= {"groups": str(self.groups)} if self.groups > 1 else {}
        return facts | changed(dilation=(self.dilation, (1, 1)))

    def _options(self, context: ForwardContext | BackwardContext) -> dict[str, Any]:
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "algorithm": context.algorithm or self.algorithm,
        }
