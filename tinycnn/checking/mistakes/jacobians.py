"""Jacobians with a part left out, of functions whose output has the input's shape.

``diagonal`` is dy_i/dx_i; a function acts on cells ``alone`` where it is the whole Jacobian.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import MistakenArray


def no_derivative(dy: Array) -> MistakenArray:
    """dy itself."""
    words = "dy passed on as it is: the function's own derivative is left out"
    return MistakenArray("no derivative", words, dy, "are equal to dy")


def diagonal_alone(dy: Array, diagonal: Array, name: str = "x") -> MistakenArray:
    """dy_i dy_i/dx_i: softmax's dy p (1 - p)."""
    words = (
        f"the diagonal of the Jacobian alone, dy_i * dy_i/d{name}_i: each output also hangs on other "
        f"cells, whose terms are missing"
    )
    return MistakenArray("diagonal alone", words, dy * diagonal)


def sum_as_constant(dy: Array, y: Array) -> MistakenArray:
    """dy y, where y = exp(x) / sum(exp(x)) and the sum was not differentiated."""
    words = "dy*y: the sum that divides (softmax's) was taken for a constant, and -y*sum(dy*y) is missing"
    return MistakenArray("taken for a constant", words, dy * y)


def scale_as_constant(dy: Array, scale: Array, name: str = "x") -> MistakenArray:
    """dy s, where y = x s(x) and s was not differentiated: LRN's, for one."""
    words = (
        f"dy*(y/{name}): the scale that {name} is multiplied by was taken for a constant, although it "
        f"hangs on {name}"
    )
    return MistakenArray("taken for a constant", words, dy * scale)


def derivative_at_y(dy: Array, diagonal_at_y: Array, name: str = "x") -> MistakenArray:
    """dy f'(y) in place of dy f'(x)."""
    words = f"the derivative worked out at y instead of {name} (the function is applied twice)"
    return MistakenArray("derivative at y", words, dy * diagonal_at_y)


def softmax_summed_over(dy: Array, y: Array, axis: int | None) -> Array:
    """y (dy - sum(dy y)) with the sum over any axis, None: over the whole batch."""
    wrong: Array = y * (dy - (dy * y).sum(axis, keepdims=True))
    return wrong


def softmax_axes(dy: Array, y: Array) -> Iterator[MistakenArray]:
    """Softmax's gradient with the sum over another axis than that over which y adds up to 1."""
    right = [axis for axis in range(y.ndim) if np.allclose(y.sum(axis), 1)]
    for axis in range(y.ndim):
        if right and axis not in right:
            words = (
                f"y*(dy - sum(dy*y)) with the sum over axis {axis}, while y adds up to 1 over axis "
                f"{right[-1]}"
            )
            yield MistakenArray("softmax axis", words, softmax_summed_over(dy, y, axis))
