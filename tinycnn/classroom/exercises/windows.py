"""Sizes of images and of the windows on them, drawn for rows and columns apart."""

from __future__ import annotations

from dataclasses import dataclass

from tinycnn.classroom.exercises.exercise import Chooser

Range = tuple[int, int]  # least and most
Pair = tuple[int, int]  # of rows and columns


@dataclass(frozen=True)
class WindowAxis:
    """What the rows or the columns of an image are drawn from."""

    kernel: Range = (1, 1)
    stride: Range = (1, 1)
    padding: Range = (0, 0)
    windows: Range = (1, 1)
    gap: Range | None = None  # cells from one window to the next, in place of the stride

    def draw(self, choose: Chooser) -> tuple[int, int, int, int]:
        """Draw the size of the image along this axis, the kernel's, its stride and its padding."""
        kernel, padding = choose.integer(*self.kernel), choose.integer(*self.padding)
        from_kernel = 0 if self.gap is None else kernel
        stride = from_kernel + choose.integer(*(self.gap or self.stride))
        return self.size(choose, kernel, stride, padding), kernel, stride, padding

    def size(self, choose: Chooser, kernel: int, stride: int, padding: int) -> int:
        """Draw the size alone: the windows fit, and up to stride - 1 cells are left over.

        The largest has all of them left over: a size that is rounded up then has a window more.
        """
        windows, over = choose.integer(*self.windows), choose.integer(0, stride - 1)
        return max(1, (windows - 1) * stride + kernel - 2 * padding + over)


CELL = WindowAxis()


def draw_axes(
    choose: Chooser, rows: WindowAxis, columns: WindowAxis | None
) -> tuple[Pair, Pair, Pair, Pair]:
    """Draw image, kernel, stride and padding; without ``columns`` all of them are square."""
    one = rows.draw(choose)
    other = columns.draw(choose) if columns else one
    size, kernel, stride, padding = zip(one, other, strict=True)
    return size, kernel, stride, padding
