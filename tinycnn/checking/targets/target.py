"""What is checked, in one form whoever wrote it: a function of named arrays and its claimed gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_real_array, cast
from tinycnn.errors import ArgumentError

Arrays = Mapping[str, Array]
Gradients = dict[str, Array | None]
Seen = tuple[Array, list[Array]]


@dataclass(frozen=True)
class Target:
    """A function of named arrays, and what is claimed to be its gradient.

    ``forward(arrays)`` gives y, ``backward(dy, arrays)`` the gradient of sum(dy * y) for each array
    (None: not differentiable). ``observe(arrays)`` gives y, and what each kink decided in that pass:
    masks and argmaxes, which ``places`` names; where there may be other kinks, ``opaque`` is True.
    """

    name: str  # for the report: "Conv2D conv1", "pair f, g"
    arrays: dict[str, Array]  # private float64 copies, C-contiguous; integers stay what they are
    forward: Callable[[Arrays], Array]
    backward: Callable[[Array, Arrays], Gradients]
    wrt: tuple[str, ...]  # the arrays that are checked
    observe: Callable[[Arrays], Seen] | None = None
    places: tuple[str, ...] = ()
    opaque: bool = False
    # dy, A, B: the gradient of the pass on A, asked for after another forward on B
    delayed: Callable[[Array, Arrays, Arrays], Gradients] | None = None
    single: Callable[[Arrays], Array] | None = None  # forward in float32; None: `forward` does it
    expensive: bool = False  # a pass costs so much that few entries are tried unless asked for
    scalar: bool = False  # y is a loss: its dy is 1

    @property
    def transparent(self) -> bool:
        """Whether every kink is known."""
        return self.observe is not None and not self.opaque

    def look(self, arrays: Arrays) -> Seen:
        """Give y and what the known kinks decided."""
        return (self.forward(arrays), []) if self.observe is None else self.observe(arrays)


def own_copy(value: ArrayLike, name: str) -> Array:
    """A copy of our own: integers as they are, everything else in float64."""
    array = as_real_array(value, name)
    kept = array.dtype if array.dtype.kind in "iub" else np.dtype(np.float64)
    array = np.array(cast(array, kept), order="C")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ArgumentError(f"{name} holds NaN or infinity, where no gradient can be checked")
    return array
