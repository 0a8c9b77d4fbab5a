"""Output sizes and padding: the arithmetic that every window shares and that the lessons print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.remembering import remembered
from tinycnn.validation import Pair, check_pair

Padding = int | str | Sequence[int] | Sequence[Sequence[int]]
AXES = ("height", "width")


@dataclass(frozen=True)
class Axis:
    """One axis of a window that slides over an image; sizes in cells.

    The output size is floor((input + padding - dilation*(kernel - 1) - 1) / stride) + 1, of which the
    textbooks' (input - kernel)/stride + 1 is the case without padding and dilation.
    """

    input: int
    kernel: int
    stride: int
    before: int
    after: int
    dilation: int
    output: int
    ceil_mode: bool = False

    @property
    def effective_kernel(self) -> int:
        """Cells from a window's first to its last, counted with the gaps of dilation."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def formula(self) -> str:
        """The output size worked out, such as ``floor((27+4-5)/1)+1 = 27``.

        With ceil mode it ends in ``+1-1`` where the last window would start in the padding.
        """
        pad = f"+{self.before + self.after}"
        rounding = "ceil" if self.ceil_mode else "floor"
        kernel = (
            f"{self.kernel}" if self.dilation == 1 else f"({self.dilation}*{self.kernel - 1}+1)"
        )
        room = self.input + self.before + self.after - self.effective_kernel
        dropped = "-1" if self.ceil_mode and -(-room // self.stride) == self.output else ""
        return f"{rounding}(({self.input}{pad}-{kernel})/{self.stride})+1{dropped} = {self.output}"

    def seen(self, first: int, last: int) -> tuple[int, int]:
        """First and last input cell that output cells ``first`` to ``last`` see, padding included."""
        start = first * self.stride - self.before
        return start, last * self.stride - self.before + self.effective_kernel - 1

    @property
    def seen_outside(self) -> Pair:
        """Cells before and after the input that windows see."""
        _, last = self.seen(self.output - 1, self.output - 1)
        return self.before, max(last + 1 - self.input, 0)


@dataclass(frozen=True)
class Window:
    """A window over height and width, checked and with its output size worked out."""

    height: Axis
    width: Axis

    @property
    def kernel(self) -> Pair:
        """Kernel (KH, KW)."""
        return self.height.kernel, self.width.kernel

    @property
    def stride(self) -> Pair:
        """Steps (down, right)."""
        return self.height.stride, self.width.stride

    @property
    def dilation(self) -> Pair:
        """Distance between neighbouring kernel cells (down, right)."""
        return self.height.dilation, self.width.dilation

    @property
    def pad_top_left(self) -> Pair:
        """Padding (top, left), which is all of it that a kernel needs besides the output size."""
        return self.height.before, self.width.before

    @property
    def output(self) -> Pair:
        """Output size (OH, OW)."""
        return self.height.output, self.width.output

    @property
    def cells(self) -> int:
        """Cells in the window, KH*KW."""
        return self.height.kernel * self.width.kernel


@remembered
def window(
    size: Sequence[int],
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Window:
    """Check a window over an image of ``size`` (H, W) and work out its output size.

    ``kernel``, ``stride`` and ``dilation`` are an int or (height, width); ``padding`` is an int,
    (height, width), ((top, bottom), (left, right)), "valid" (none) or "same" (the output is
    ceil(input / stride), the odd cell goes to the end). With ``ceil_mode`` the last window may
    overhang the edge, unless it would start in the padding behind the image.

    Raises ArgumentError for an argument out of range, ShapeError where the window does not fit.
    """
    kernels = check_pair(kernel, "kernel")
    strides = check_pair(stride, "stride")
    dilations = check_pair(dilation, "dilation")
    pads = _pads(padding, size, kernels, strides, dilations)
    height, width = (
        _axis(AXES[a], size[a], kernels[a], strides[a], pads[a], dilations[a], ceil_mode)
        for a in range(2)
    )
    return Window(height, width)


@remembered
def pool_window(
    size: Sequence[int],
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Window:
    """Check a pool's `window`: the stride is the kernel unless given.

    No window may lie wholly in the padding, for only cells inside the image compete.
    """
    stride = kernel if stride is None else stride
    result = window(
        size, kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    for name, axis in zip(AXES, (result.height, result.width), strict=True):
        # A window that starts inside the image sees at least its first cell. Of those that start ahead,
        # the first has the farthest to go, and after a period they meet the image in the same way again.
        period = axis.dilation // math.gcd(axis.stride, axis.dilation)
        ahead = range(min(-(-axis.before // axis.stride), axis.output, period))
        for cell in (*ahead, axis.output - 1):
            start, _ = axis.seen(cell, cell)
            i = -(
                min(start, 0) // axis.dilation
            )  # its first kernel cell that is not above the image
            if i >= axis.kernel or start + i * axis.dilation >= axis.input:
                raise ShapeError(
                    f"a pool window lies wholly in the padding: {name} {axis.input} with padding "
                    f"({axis.before}, {axis.after}), kernel {axis.kernel}, dilation "
                    f"{axis.dilation}; use less padding than the kernel reaches"
                )
    return result


def times(sizes: Sequence[int]) -> str:
    """A shape as people write it: ``55 x 55 x 96``."""
    return " x ".join(str(size) for size in sizes)


def _pads(
    padding: Any, size: Sequence[int], kernel: Pair, stride: Pair, dilation: Pair
) -> tuple[Pair, Pair]:
    if isinstance(padding, str):
        if padding == "valid":
            return (0, 0), (0, 0)
        if padding == "same":
            effective_kernel = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
            total = [
                max((-(-n // s) - 1) * s + r - n, 0)
                for n, s, r in zip(size, stride, effective_kernel, strict=True)
            ]
            return (total[0] // 2, -(-total[0] // 2)), (total[1] // 2, -(-total[1] // 2))
        raise ArgumentError(f'padding must be numbers, "valid" or "same", got {padding!r}')
    sides = _twice(padding)
    pairs = [_twice(side) for side in sides] if _is_pair(sides) else []
    if not pairs or not all(_is_pair(both) for both in pairs):
        raise ArgumentError(
            f'padding must be an int, (height, width), ((top, bottom), (left, right)), "valid" or '
            f'"same", got {padding!r}'
        )
    return check_pair(pairs[0], "padding", least=0), check_pair(pairs[1], "padding", least=0)


def _twice(value: Any) -> Any:
    return (value, value) if isinstance(value, (int, np.integer)) else value


def _is_pair(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2


def _axis(
    name: str, size: int, kernel: int, stride: int, pads: Pair, dilation: int, ceil_mode: bool
) -> Axis:
    if size < 1:
        raise ShapeError(f"the image's {name} must be at least 1, got {size}")
    before, after = pads
    room = size + before + after - dilation * (kernel - 1) - 1
    if room < 0:
        raise ShapeError(
            f"the kernel does not fit the padded image: {name} {size} + padding {before + after} = "
            f"{size + before + after} is less than {dilation * (kernel - 1) + 1}, the reach of kernel "
            f"{kernel} with dilation {dilation}; use a smaller kernel or more padding"
        )
    output = room // stride + 1
    if ceil_mode:
        output = -(-room // stride) + 1
        if (output - 1) * stride >= size + before:
            output -= 1
    return Axis(size, kernel, stride, before, after, dilation, output, ceil_mode)
