"""A strided convolution as one of stride 1 over more channels, which Winograd's algorithm can do.

Squares of stride x stride cells are stacked into channels. A kernel of k cells with stride s, whose
windows begin at multiples of s, sees ceil(k / s) squares in a row, one after the other: AlexNet's
11 x 11 kernel with stride 4 over 3 channels becomes a 3 x 3 kernel over 48, a 3 x 3 kernel with stride 2
a 2 x 2 kernel over four times the channels. Kernel cells beyond the k-th have weight zero, and squares that
hang over the image's edge hold zeros there.

The frequency at infinity sees the last row, or column, of a kernel alone: of what is stacked there, only
cells up to the k-th. Their channels come first, and products end with them (`SpaceToDepth.depths`): so 3 x 3
with stride 2 takes 85 products, not 100, for a tile of 4 x 4 outputs, where the formula has 144.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinycnn.arrays import Array
from tinycnn.kernels import space_to_depth as kernels
from tinycnn.ops.convolution.winograd.convolution import Depths
from tinycnn.ops.convolution.winograd.tiling import LARGEST
from tinycnn.runtime import memory
from tinycnn.runtime.calls import Calls
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.runtime.ranges import Range
from tinycnn.shapes import Window
from tinycnn.validation import Pair


@dataclass(frozen=True)
class SpaceToDepth:
    """The convolution of stride 1 that does the work of ``window`` over C channels.

    ``kernel`` is the side of its kernel; it needs no padding.
    """

    window: Window
    C: int
    kernel: int

    @classmethod
    def offered(cls, window: Window, C: int) -> list[SpaceToDepth]:
        """All that Winograd's algorithm has a kernel for, the smallest kernel first."""
        squares = max(-(-k // s) for k, s in zip(window.kernel, window.stride, strict=True))
        plain = window.dilation == (1, 1)
        return [cls(window, C, kernel) for kernel in sorted(LARGEST) if plain and kernel >= squares]

    @property
    def channels(self) -> int:
        """Channels of the squares, sh*sw*C."""
        return self.window.stride[0] * self.window.stride[1] * self.C

    @property
    def depths(self) -> Depths:
        """Channels up to the last one with weights at a frequency; see `WinogradConvolution.depths`."""
        (sh, sw), (KH, KW) = self.window.stride, self.window.kernel
        below, beside = KH - (self.kernel - 1) * sh, KW - (self.kernel - 1) * sw
        return (
            (self._stacked(sh, sw), self._stacked(sh, beside)),
            (self._stacked(below, sw), self._stacked(below, beside)),
        )

    def _stacked(self, rows: int, columns: int) -> int:
        """Channels up to the last one of so many rows and columns of a square."""
        if rows <= 0 or columns <= 0:
            return 0
        return ((rows - 1) * self.window.stride[1] + columns) * self.C

    @property
    def size(self) -> Pair:
        """Height and width in squares: what all windows together see."""
        OH, OW = self.window.output
        return OH + self.kernel - 1, OW + self.kernel - 1

    def maps(self, calls: Calls, source: FeatureMaps, target: FeatureMaps, rows: Range) -> None:
        """Stack the cells of ``source`` (N, H, W, C) into ``target`` (N, *size, channels).

        Rows ``rows`` of the N * size[0] rows of squares are written, and all their channels, up to
        the next whole vector.
        """
        win = self.window
        _, H, W, C = source.shape
        calls(
            kernels.space_to_depth,
            calls.read(source.flat), source.place, (H, W), C, *rows, win.stride, win.pad_top_left,
            target.flat, target.place, self.size,
        )  # fmt: skip

    def weights(self, W: Array) -> Array:
        """Bring weights (KH, KW, C, F) into (kernel, kernel, channels, F), zero beyond the given ones."""
        sh, sw = self.window.stride
        KH, KW, C, F = W.shape
        k = self.kernel
        padded = memory.zeros((k * sh, k * sw, C, F), W.dtype)
        padded[:KH, :KW] = W
        squares = padded.reshape(k, sh, k, sw, C, F).transpose(0, 2, 1, 3, 4, 5)
        return squares.reshape(k, k, sh * sw * C, F)

    def weight_gradient(self, gradient: Array) -> Array:
        """Pick the gradient (KH, KW, C, F) out of that of `weights` (kernel, kernel, channels, F)."""
        (sh, sw), (KH, KW) = self.window.stride, self.window.kernel
        k, F = self.kernel, gradient.shape[3]
        squares = gradient.reshape(k, k, sh, sw, self.C, F).transpose(0, 2, 1, 3, 4, 5)
        return squares.reshape(k * sh, k * sw, self.C, F)[:KH, :KW]
