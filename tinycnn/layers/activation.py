"""What follows a layer's sum: y = activation(z). ReLU, softmax, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.validation import check_choice

__all__ = ["IDENTITY", "RELU", "SOFTMAX", "Activation"]


class Activation:
    """y = f(z) and its gradient; one instance serves every layer.

    Yours defines ``forward`` and ``backward``, and a ``name`` to print.
    """

    name: str | None = None  # as users write it; None: no activation
    title = ""  # as a table shows it
    in_op = False  # True: `ops.conv2d` and `ops.dense` apply it in their blocks, by its name
    fuses_with_cross_entropy = False  # True: cross-entropy takes z, and gives the gradient of z

    @property
    def op_name(self) -> str | None:
        """What an op is told: the name, or None where the pass applies it after the op."""
        return self.name if self.in_op else None

    def forward(self, z: Array) -> Array:
        """Give y, of z's shape (N, ...)."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def backward(self, dy: Array, y: Array) -> Array:
        """Give dz, of z's shape, from ``dy`` and from ``y``, what `forward` gave."""
        raise NotImplementedError(f"{type(self).__name__} does not define backward")

    def __repr__(self) -> str:
        return repr(self.name)


class _Constant(Activation):
    """One of those below: a copy of it is the same object."""

    constant: str

    def __reduce__(self) -> str:
        return self.constant


class _Identity(_Constant):
    """y = z."""

    constant = "IDENTITY"
    in_op = True

    def forward(self, z: Array) -> Array:
        return z

    def backward(self, dy: Array, y: Array) -> Array:
        return dy


class _ReLU(_Constant):
    """y = max(0, z)."""

    constant, name, title = "RELU", "relu", "ReLU"
    in_op = True

    def forward(self, z: Array) -> Array:
        return ops.relu(z)

    def backward(self, dy: Array, y: Array) -> Array:
        return ops.relu_backward(dy, y)


class _Softmax(_Constant):
    """y = exp(z) / sum(exp(z)) over the last axis."""

    constant, name, title = "SOFTMAX", "softmax", "Softmax"
    fuses_with_cross_entropy = True

    def forward(self, z: Array) -> Array:
        return ops.softmax(z)

    def backward(self, dy: Array, y: Array) -> Array:
        return ops.softmax_backward(dy, y)


IDENTITY = _Identity()
"""No activation: y = z."""
RELU = _ReLU()
"""y = max(0, z)."""
SOFTMAX = _Softmax()
"""y = exp(z) / sum(exp(z)) over the last axis."""


def find_activation(asked: str | Activation | None, choices: Sequence[Activation]) -> Activation:
    """Give the one of ``choices`` with that name; one of a user's own is taken as it is."""
    if isinstance(asked, Activation):
        return asked
    check_choice(asked, [choice.name for choice in choices], "activation")
    return next(choice for choice in choices if choice.name == asked)
