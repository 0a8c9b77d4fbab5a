"""The one-dimensional transforms of Winograd's convolution, as straight-line code on vectors.

Written by `python -m tools.winograd_kernels` from the matrices of
tinycnn/ops/convolution/winograd/matrices.py; do not edit.
Each function multiplies its matrix with ``count`` columns of vectors:

    target[to + t*target_stride + i*target_step] = sum over j of
                                    matrix[i, j] * source[at + t*stride + j*step]     for t < count

Rows (or columns) of the matrix for points p and -p share their even and odd parts. Those that give
outputs add the vector ``add`` (a bias) to each result, and give ``bound`` where it is below that.
"""

# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import at_least, fma, keep_rolled, load, splat, store


@kernel
def input_n4(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """B^T: 4 inputs to 4 frequencies."""
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        e = x2
        o = x1
        y2 = e + o
        y3 = e - o
        y0 = x3 - x1
        y1 = x2 - x0
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        at += stride
        to += target_stride


@kernel
def input_n5(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """B^T: 5 inputs to 5 frequencies."""
    minus_1_2 = splat(-0.5)
    plus_1_2 = splat(0.5)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        e = fma(x2, minus_1_2, x3)
        o = fma(x1, minus_1_2, x2)
        y2 = e + o
        y3 = e - o
        y0 = fma(x3, minus_1_2, fma(x1, plus_1_2, x4)) - x2
        y1 = fma(x2, minus_1_2, fma(x0, plus_1_2, x3)) - x1
        y4 = x3 - x1
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        at += stride
        to += target_stride


@kernel
def input_n6(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """B^T: 6 inputs to 6 frequencies."""
    minus_1_2 = splat(-0.5)
    minus_1_4 = splat(-0.25)
    minus_5_4 = splat(-1.25)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        e = fma(x2, minus_1_4, x4)
        o = fma(x1, minus_1_4, x3)
        y2 = e + o
        y3 = e - o
        e = x4 - x2
        o = fma(x3, plus_1_2, x1 * minus_1_2)
        y4 = e + o
        y5 = e - o
        y0 = fma(x3, minus_5_4, fma(x1, plus_1_4, x5))
        y1 = fma(x2, minus_5_4, fma(x0, plus_1_4, x4))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        store(target, to + 5 * target_step, y5)
        at += stride
        to += target_stride


@kernel
def input_n7(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """B^T: 7 inputs to 7 frequencies."""
    minus_1_2 = splat(-0.5)
    minus_1_4 = splat(-0.25)
    minus_2 = splat(-2.0)
    minus_5_4 = splat(-1.25)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_2 = splat(2.0)
    plus_5_2 = splat(2.5)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        x6 = load(source, at + 6 * step)
        e = fma(x4, minus_2, fma(x3, minus_1_4, fma(x2, plus_1_2, x5)))
        o = fma(x3, minus_2, fma(x2, minus_1_4, fma(x1, plus_1_2, x4)))
        y2 = e + o
        y3 = e - o
        e = fma(x4, minus_2, fma(x2, plus_2, x5)) - x3
        o = fma(x4, plus_1_2, fma(x2, minus_1_2, x1)) - x3
        y4 = e + o
        y5 = e - o
        y0 = fma(x5, minus_2, fma(x4, minus_5_4, fma(x3, plus_5_2, fma(x2, plus_1_4, fma(x1, minus_1_2, x6)))))
        y1 = fma(x4, minus_2, fma(x3, minus_5_4, fma(x2, plus_5_2, fma(x1, plus_1_4, fma(x0, minus_1_2, x5)))))
        y6 = fma(x3, minus_5_4, fma(x1, plus_1_4, x5))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        store(target, to + 5 * target_step, y5)
        store(target, to + 6 * target_step, y6)
        at += stride
        to += target_stride


@kernel
def input_n8(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """B^T: 8 inputs to 8 frequencies."""
    minus_17_4 = splat(-4.25)
    minus_21_4 = splat(-5.25)
    minus_5 = splat(-5.0)
    minus_5_2 = splat(-2.5)
    minus_5_4 = splat(-1.25)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_2 = splat(2.0)
    plus_21_4 = splat(5.25)
    plus_4 = splat(4.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        x6 = load(source, at + 6 * step)
        x7 = load(source, at + 7 * step)
        e = fma(x4, minus_17_4, x2 + x6)
        o = fma(x3, minus_17_4, x1 + x5)
        y2 = e + o
        y3 = e - o
        e = fma(x4, minus_5, fma(x2, plus_4, x6))
        o = fma(x5, plus_1_2, fma(x3, minus_5_2, x1 * plus_2))
        y4 = e + o
        y5 = e - o
        e = fma(x4, minus_5_4, fma(x2, plus_1_4, x6))
        o = fma(x5, plus_2, fma(x3, minus_5_2, x1 * plus_1_2))
        y6 = e + o
        y7 = e - o
        y0 = fma(x5, minus_21_4, fma(x3, plus_21_4, x7)) - x1
        y1 = fma(x4, minus_21_4, fma(x2, plus_21_4, x6)) - x0
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        store(target, to + 5 * target_step, y5)
        store(target, to + 6 * target_step, y6)
        store(target, to + 7 * target_step, y7)
        at += stride
        to += target_stride


@kernel
def output_k3_m5_n7(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
    add: Any, bound: Any,
) -> None:
    """A^T: 7 frequencies to 5 outputs of a 3-kernel."""
    plus_16 = splat(16.0)
    plus_1_16 = splat(0.0625)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_1_8 = splat(0.125)
    plus_2 = splat(2.0)
    plus_4 = splat(4.0)
    plus_8 = splat(8.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        x6 = load(source, at + 6 * step)
        e2 = x2 + x3
        o2 = x2 - x3
        e4 = x4 + x5
        o4 = x4 - x5
        y0 = e2 + e4 + x1 + x6
        y1 = fma(x6, plus_2, fma(o4, plus_1_2, o2))
        y2 = fma(x6, plus_4, fma(e4, plus_1_4, e2))
        y3 = fma(x6, plus_8, fma(o4, plus_1_8, o2))
        y4 = fma(x6, plus_16, fma(e4, plus_1_16, e2 + x0))
        store(target, to + 0 * target_step, at_least(y0 + add, bound))
        store(target, to + 1 * target_step, at_least(y1 + add, bound))
        store(target, to + 2 * target_step, at_least(y2 + add, bound))
        store(target, to + 3 * target_step, at_least(y3 + add, bound))
        store(target, to + 4 * target_step, at_least(y4 + add, bound))
        at += stride
        to += target_stride


@kernel
def output_k3_m4_n7(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
    add: Any, bound: Any,
) -> None:
    """A^T: 6 of 7 frequencies to 4 outputs of a 3-kernel."""
    minus_1 = splat(-1.0)
    minus_2 = splat(-2.0)
    minus_3 = splat(-3.0)
    minus_3_2 = splat(-1.5)
    minus_5_2 = splat(-2.5)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_1_8 = splat(0.125)
    plus_3 = splat(3.0)
    plus_5_2 = splat(2.5)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        f2 = x2 * minus_1
        e2 = fma(x3, minus_3, f2)
        o2 = fma(x3, plus_3, f2)
        f4 = x4 * minus_3_2
        e4 = fma(x5, minus_5_2, f4)
        o4 = fma(x5, plus_5_2, f4)
        y0 = fma(x1, minus_2, e2 + e4)
        y1 = fma(o4, plus_1_2, o2)
        y2 = fma(e4, plus_1_4, e2)
        y3 = fma(o4, plus_1_8, o2 + x0)
        store(target, to + 0 * target_step, at_least(y0 + add, bound))
        store(target, to + 1 * target_step, at_least(y1 + add, bound))
        store(target, to + 2 * target_step, at_least(y2 + add, bound))
        store(target, to + 3 * target_step, at_least(y3 + add, bound))
        at += stride
        to += target_stride


@kernel
def output_k3_m4_n6(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
    add: Any, bound: Any,
) -> None:
    """A^T: 6 frequencies to 4 outputs of a 3-kernel."""
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_1_8 = splat(0.125)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        e2 = x2 + x3
        o2 = x2 - x3
        e4 = x4 + x5
        o4 = x4 - x5
        y0 = e2 + e4 + x1
        y1 = fma(o4, plus_1_2, o2)
        y2 = fma(e4, plus_1_4, e2)
        y3 = fma(o4, plus_1_8, o2 + x0)
        store(target, to + 0 * target_step, at_least(y0 + add, bound))
        store(target, to + 1 * target_step, at_least(y1 + add, bound))
        store(target, to + 2 * target_step, at_least(y2 + add, bound))
        store(target, to + 3 * target_step, at_least(y3 + add, bound))
        at += stride
        to += target_stride


@kernel
def output_k3_m3_n6(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
    add: Any, bound: Any,
) -> None:
    """A^T: 5 of 6 frequencies to 3 outputs of a 3-kernel."""
    minus_1_2 = splat(-0.5)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_3_2 = splat(1.5)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        f2 = x2 * plus_3_2
        e2 = fma(x3, minus_1_2, f2)
        o2 = fma(x3, plus_1_2, f2)
        y0 = fma(x1, plus_1_2, e2 + x4)
        y1 = fma(x4, plus_1_2, o2)
        y2 = fma(x4, plus_1_4, e2 + x0)
        store(target, to + 0 * target_step, at_least(y0 + add, bound))
        store(target, to + 1 * target_step, at_least(y1 + add, bound))
        store(target, to + 2 * target_step, at_least(y2 + add, bound))
        at += stride
        to += target_stride


@kernel
def output_k3_m3_n5(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
    add: Any, bound: Any,
) -> None:
    """A^T: 5 frequencies to 3 outputs of a 3-kernel."""
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        e2 = x2 + x3
        o2 = x2 - x3
        y0 = e2 + x1 + x4
        y1 = fma(x4, plus_1_2, o2)
        y2 = fma(x4, plus_1_4, e2 + x0)
        store(target, to + 0 * target_step, at_least(y0 + add, bound))
        store(target, to + 1 * target_step, at_least(y1 + add, bound))
        store(target, to + 2 * target_step, at_least(y2 + add, bound))
        at += stride
        to += target_stride


@kernel
def output_k3_m2_n5(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
    add: Any, bound: Any,
) -> None:
    """A^T: 4 of 5 frequencies to 2 outputs of a 3-kernel."""
    minus_1_2 = splat(-0.5)
    minus_3_2 = splat(-1.5)
    plus_1_2 = splat(0.5)
    plus_3_2 = splat(1.5)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        f2 = x2 * plus_1_2
        e2 = fma(x3, minus_3_2, f2)
        o2 = fma(x3, plus_3_2, f2)
        y0 = fma(x1, minus_1_2, e2)
        y1 = o2 + x0
        store(target, to + 0 * target_step, at_least(y0 + add, bound))
        store(target, to + 1 * target_step, at_least(y1 + add, bound))
        at += stride
        to += target_stride


@kernel
def output_k5_m4_n8(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
    add: Any, bound: Any,
) -> None:
    """A^T: 8 frequencies to 4 outputs of a 5-kernel."""
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_1_8 = splat(0.125)
    plus_2 = splat(2.0)
    plus_4 = splat(4.0)
    plus_8 = splat(8.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        x6 = load(source, at + 6 * step)
        x7 = load(source, at + 7 * step)
        e2 = x2 + x3
        o2 = x2 - x3
        e4 = x4 + x5
        o4 = x4 - x5
        e6 = x6 + x7
        o6 = x6 - x7
        y0 = e2 + e4 + e6 + x1
        y1 = fma(o6, plus_2, fma(o4, plus_1_2, o2))
        y2 = fma(e6, plus_4, fma(e4, plus_1_4, e2))
        y3 = fma(o6, plus_8, fma(o4, plus_1_8, o2 + x0))
        store(target, to + 0 * target_step, at_least(y0 + add, bound))
        store(target, to + 1 * target_step, at_least(y1 + add, bound))
        store(target, to + 2 * target_step, at_least(y2 + add, bound))
        store(target, to + 3 * target_step, at_least(y3 + add, bound))
        at += stride
        to += target_stride


@kernel
def output_k5_m3_n8(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
    add: Any, bound: Any,
) -> None:
    """A^T: 7 of 8 frequencies to 3 outputs of a 5-kernel."""
    minus_3_2 = splat(-1.5)
    plus_16 = splat(16.0)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_2 = splat(2.0)
    plus_3 = splat(3.0)
    plus_3_2 = splat(1.5)
    plus_4 = splat(4.0)
    plus_5_2 = splat(2.5)
    plus_8 = splat(8.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        x6 = load(source, at + 6 * step)
        f2 = x2 * plus_3
        e2 = f2 + x3
        o2 = f2 - x3
        f4 = x4 * plus_5_2
        e4 = fma(x5, plus_3_2, f4)
        o4 = fma(x5, minus_3_2, f4)
        y0 = fma(x6, plus_4, fma(x1, plus_2, e2 + e4))
        y1 = fma(x6, plus_8, fma(o4, plus_1_2, o2))
        y2 = fma(x6, plus_16, fma(e4, plus_1_4, e2 + x0))
        store(target, to + 0 * target_step, at_least(y0 + add, bound))
        store(target, to + 1 * target_step, at_least(y1 + add, bound))
        store(target, to + 2 * target_step, at_least(y2 + add, bound))
        at += stride
        to += target_stride


@kernel
def spread_k3_m5_n7(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """A: 5 outputs' gradients to 7 frequencies of a 3-kernel."""
    plus_16 = splat(16.0)
    plus_1_16 = splat(0.0625)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_1_8 = splat(0.125)
    plus_2 = splat(2.0)
    plus_4 = splat(4.0)
    plus_8 = splat(8.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        e = x0 + x2 + x4
        o = x1 + x3
        y2 = e + o
        y3 = e - o
        e = fma(x4, plus_1_16, fma(x2, plus_1_4, x0))
        o = fma(x3, plus_1_8, x1 * plus_1_2)
        y4 = e + o
        y5 = e - o
        y0 = x4
        y1 = x0
        y6 = fma(x4, plus_16, fma(x3, plus_8, fma(x2, plus_4, fma(x1, plus_2, x0))))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        store(target, to + 5 * target_step, y5)
        store(target, to + 6 * target_step, y6)
        at += stride
        to += target_stride


@kernel
def spread_k3_m4_n7(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """A: 4 outputs' gradients to 6 of 7 frequencies of a 3-kernel."""
    minus_1 = splat(-1.0)
    minus_2 = splat(-2.0)
    minus_3 = splat(-3.0)
    minus_3_2 = splat(-1.5)
    minus_5_2 = splat(-2.5)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_1_8 = splat(0.125)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        e = x0 + x2
        o = x1 + x3
        y2 = (e + o) * minus_1
        y3 = (e - o) * minus_3
        e = fma(x2, plus_1_4, x0)
        o = fma(x3, plus_1_8, x1 * plus_1_2)
        y4 = (e + o) * minus_3_2
        y5 = (e - o) * minus_5_2
        y0 = x3
        y1 = x0 * minus_2
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        store(target, to + 5 * target_step, y5)
        at += stride
        to += target_stride


@kernel
def spread_k3_m4_n6(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """A: 4 outputs' gradients to 6 frequencies of a 3-kernel."""
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_1_8 = splat(0.125)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        e = x0 + x2
        o = x1 + x3
        y2 = e + o
        y3 = e - o
        e = fma(x2, plus_1_4, x0)
        o = fma(x3, plus_1_8, x1 * plus_1_2)
        y4 = e + o
        y5 = e - o
        y0 = x3
        y1 = x0
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        store(target, to + 5 * target_step, y5)
        at += stride
        to += target_stride


@kernel
def spread_k3_m3_n6(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """A: 3 outputs' gradients to 5 of 6 frequencies of a 3-kernel."""
    minus_1_2 = splat(-0.5)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_3_2 = splat(1.5)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        e = x0 + x2
        o = x1
        y2 = (e + o) * plus_3_2
        y3 = (e - o) * minus_1_2
        y0 = x2
        y1 = x0 * plus_1_2
        y4 = fma(x2, plus_1_4, fma(x1, plus_1_2, x0))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        at += stride
        to += target_stride


@kernel
def spread_k3_m3_n5(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """A: 3 outputs' gradients to 5 frequencies of a 3-kernel."""
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        e = x0 + x2
        o = x1
        y2 = e + o
        y3 = e - o
        y0 = x2
        y1 = x0
        y4 = fma(x2, plus_1_4, fma(x1, plus_1_2, x0))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        at += stride
        to += target_stride


@kernel
def spread_k3_m2_n5(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """A: 2 outputs' gradients to 4 of 5 frequencies of a 3-kernel."""
    minus_1_2 = splat(-0.5)
    minus_3_2 = splat(-1.5)
    plus_1_2 = splat(0.5)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        e = x0
        o = x1
        y2 = (e + o) * plus_1_2
        y3 = (e - o) * minus_3_2
        y0 = x1
        y1 = x0 * minus_1_2
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        at += stride
        to += target_stride


@kernel
def spread_k5_m4_n8(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """A: 4 outputs' gradients to 8 frequencies of a 5-kernel."""
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_1_8 = splat(0.125)
    plus_2 = splat(2.0)
    plus_4 = splat(4.0)
    plus_8 = splat(8.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        e = x0 + x2
        o = x1 + x3
        y2 = e + o
        y3 = e - o
        e = fma(x2, plus_1_4, x0)
        o = fma(x3, plus_1_8, x1 * plus_1_2)
        y4 = e + o
        y5 = e - o
        e = fma(x2, plus_4, x0)
        o = fma(x3, plus_8, x1 * plus_2)
        y6 = e + o
        y7 = e - o
        y0 = x3
        y1 = x0
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        store(target, to + 5 * target_step, y5)
        store(target, to + 6 * target_step, y6)
        store(target, to + 7 * target_step, y7)
        at += stride
        to += target_stride


@kernel
def spread_k5_m3_n8(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """A: 3 outputs' gradients to 7 of 8 frequencies of a 5-kernel."""
    plus_16 = splat(16.0)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_2 = splat(2.0)
    plus_3 = splat(3.0)
    plus_3_2 = splat(1.5)
    plus_4 = splat(4.0)
    plus_5_2 = splat(2.5)
    plus_8 = splat(8.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        e = x0 + x2
        o = x1
        y2 = (e + o) * plus_3
        y3 = e - o
        e = fma(x2, plus_1_4, x0)
        o = x1 * plus_1_2
        y4 = (e + o) * plus_5_2
        y5 = (e - o) * plus_3_2
        y0 = x2
        y1 = x0 * plus_2
        y6 = fma(x2, plus_16, fma(x1, plus_8, x0 * plus_4))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        store(target, to + 5 * target_step, y5)
        store(target, to + 6 * target_step, y6)
        at += stride
        to += target_stride


@kernel
def collect_k3_n5(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """G^T: 5 frequencies' gradients to 3 weights."""
    minus_1_3 = splat(-0.3333333333333333)
    minus_2_3 = splat(-0.6666666666666666)
    minus_4_3 = splat(-1.3333333333333333)
    minus_8_3 = splat(-2.6666666666666665)
    plus_1_3 = splat(0.3333333333333333)
    plus_2 = splat(2.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        f2 = x2
        e2 = fma(x3, minus_1_3, f2)
        o2 = fma(x3, plus_1_3, f2)
        y0 = fma(x4, minus_8_3, fma(x1, plus_2, e2))
        y1 = fma(x4, minus_4_3, o2)
        y2 = fma(x4, minus_2_3, e2 + x0)
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        at += stride
        to += target_stride


@kernel
def collect_k3_n6(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """G^T: 6 frequencies' gradients to 3 weights."""
    minus_2_3 = splat(-0.6666666666666666)
    minus_4_3 = splat(-1.3333333333333333)
    minus_8_3 = splat(-2.6666666666666665)
    plus_2_3 = splat(0.6666666666666666)
    plus_4 = splat(4.0)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        e2 = x2 + x3
        o2 = x2 - x3
        e4 = x4 + x5
        o4 = x4 - x5
        y0 = fma(x1, plus_4, fma(e4, minus_8_3, e2 * plus_2_3))
        y1 = fma(o4, minus_4_3, o2 * plus_2_3)
        y2 = fma(e4, minus_2_3, fma(e2, plus_2_3, x0))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        at += stride
        to += target_stride


@kernel
def collect_k3_n7(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """G^T: 7 frequencies' gradients to 3 weights."""
    minus_16_15 = splat(-1.0666666666666667)
    minus_2 = splat(-2.0)
    minus_2_3 = splat(-0.6666666666666666)
    minus_2_9 = splat(-0.2222222222222222)
    plus_16_15 = splat(1.0666666666666667)
    plus_16_9 = splat(1.7777777777777777)
    plus_1_2 = splat(0.5)
    plus_1_4 = splat(0.25)
    plus_2_45 = splat(0.044444444444444446)
    plus_2_9 = splat(0.2222222222222222)
    plus_4_45 = splat(0.08888888888888889)
    plus_8_45 = splat(0.17777777777777778)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        x6 = load(source, at + 6 * step)
        f2 = x2 * minus_2_3
        e2 = fma(x3, minus_2_9, f2)
        o2 = fma(x3, plus_2_9, f2)
        f4 = x4 * plus_16_9
        e4 = fma(x5, plus_16_15, f4)
        o4 = fma(x5, minus_16_15, f4)
        y0 = fma(x6, plus_2_45, fma(x1, minus_2, e2 + e4))
        y1 = fma(x6, plus_4_45, fma(o4, plus_1_2, o2))
        y2 = fma(x6, plus_8_45, fma(e4, plus_1_4, e2 + x0))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        at += stride
        to += target_stride


@kernel
def collect_k5_n8(
    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
) -> None:
    """G^T: 8 frequencies' gradients to 5 weights."""
    minus_2_9 = splat(-0.2222222222222222)
    plus_16_45 = splat(0.35555555555555557)
    plus_1_45 = splat(0.022222222222222223)
    plus_1_90 = splat(0.011111111111111112)
    plus_2_45 = splat(0.044444444444444446)
    plus_32_45 = splat(0.7111111111111111)
    plus_4_45 = splat(0.08888888888888889)
    plus_8_45 = splat(0.17777777777777778)
    for _ in range(count):
        keep_rolled()
        x0 = load(source, at + 0 * step)
        x1 = load(source, at + 1 * step)
        x2 = load(source, at + 2 * step)
        x3 = load(source, at + 3 * step)
        x4 = load(source, at + 4 * step)
        x5 = load(source, at + 5 * step)
        x6 = load(source, at + 6 * step)
        x7 = load(source, at + 7 * step)
        e2 = x2 + x3
        o2 = x2 - x3
        e4 = x4 + x5
        o4 = x4 - x5
        e6 = x6 + x7
        o6 = x6 - x7
        y0 = fma(e6, plus_1_90, fma(e4, plus_32_45, e2 * minus_2_9)) - x1
        y1 = fma(o6, plus_1_45, fma(o4, plus_16_45, o2 * minus_2_9))
        y2 = fma(e6, plus_2_45, fma(e4, plus_8_45, e2 * minus_2_9))
        y3 = fma(o6, plus_4_45, fma(o4, plus_4_45, o2 * minus_2_9))
        y4 = fma(e6, plus_8_45, fma(e4, plus_2_45, fma(e2, minus_2_9, x0)))
        store(target, to + 0 * target_step, y0)
        store(target, to + 1 * target_step, y1)
        store(target, to + 2 * target_step, y2)
        store(target, to + 3 * target_step, y3)
        store(target, to + 4 * target_step, y4)
        at += stride
        to += target_stride
