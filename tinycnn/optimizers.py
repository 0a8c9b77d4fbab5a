"""How gradients change parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, read_only
from tinycnn.errors import ArgumentError
from tinycnn.parameters import FlatArrays
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import split_range
from tinycnn.trace import Gradients
from tinycnn.validation import check_number
from tinycnn.wording import a

if TYPE_CHECKING:
    from tinycnn.model import Sequential

# Elements a block: three buffers of them take a few megabytes of memory traffic.
_ELEMENTS = 1 << 19


class SGD:
    """Stochastic gradient descent on ``model``, with momentum and weight decay, as in the AlexNet paper.

        v = momentum * v - rate * (g + weight_decay * w);   w = w + v

    Biases (parameters of one axis) do not decay, as in the paper's code, unless ``decay_biases``.
    ``rate``, ``momentum`` and ``weight_decay`` may be changed between steps.
    Source: Krizhevsky et al. 2012, section 5.

    Raises ArgumentError for a rate, momentum or decay that is no finite number from 0 up.
    """

    def __init__(
        self,
        model: Sequential,
        rate: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0005,
        *,
        decay_biases: bool = False,
    ) -> None:
        self.model = model
        self.rate = check_number(rate, "rate")
        self.momentum = check_number(momentum, "momentum")
        self.weight_decay = check_number(weight_decay, "weight_decay")
        self.decay_biases = decay_biases
        shapes = model.parameter_shapes()
        self.velocities = FlatArrays(shapes, model.dtype, zero=True)
        # Of each parameter, where it ends in the flat buffers, and whether it is a bias.
        self._ends = np.cumsum([math.prod(shape) for shape in shapes.values()], dtype=np.int64)
        self._is_bias = np.array([len(shape) <= 1 for shape in shapes.values()], np.bool_)

    def step(self, gradients: Mapping[str, ArrayLike]) -> None:
        """Update the model in place with ``gradients``, one for each parameter, by name.

        They are what `Trace.backward` gave, or any mapping of arrays in the parameters' shapes. Raises
        ArgumentError where names are missing or too many, ShapeError and DTypeError for such arrays.
        """
        from tinycnn.kernels.sgd import sgd_momentum

        flat = read_only(self._flat(gradients).flat)
        rate = check_number(self.rate, "rate")
        momentum = check_number(self.momentum, "momentum")
        ends, decays = self._ends, self._decays()
        with self.model.edit() as weights:
            buffers = weights.flat, flat, self.velocities.flat
            parallel_for(
                lambda some: sgd_momentum(*buffers, *some, rate, momentum, ends, decays),
                split_range(flat.size, _ELEMENTS),
            )
        if isinstance(gradients, Gradients) and gradients.next_state:
            self.model.update_state(gradients.next_state)
        self.model.steps += 1

    def _decays(self) -> Array:
        """The decay of each parameter."""
        decay = check_number(self.weight_decay, "weight_decay")
        spared: Array = self._is_bias & (not self.decay_biases)
        return np.where(spared, 0.0, decay)

    def _flat(self, gradients: Mapping[str, ArrayLike]) -> FlatArrays:
        """Give ``gradients`` as one buffer: as they are if trace.backward made them, else copied."""
        shapes = self.model.parameter_shapes()
        if (
            isinstance(gradients, FlatArrays)
            and gradients.has(shapes)
            and gradients.flat.dtype == self.model.dtype
        ):
            return gradients
        expected = f"gradients must hold {', '.join(self.velocities)}"
        if not isinstance(gradients, Mapping):
            raise ArgumentError(
                f"{expected} by name, as trace.backward returns them, got {a(type(gradients).__name__)}"
            )
        if set(gradients) != set(self.velocities):
            raise ArgumentError(f"{expected}, got {', '.join(map(str, gradients)) or 'none'}")
        copied = FlatArrays(shapes, self.model.dtype)
        for name, values in gradients.items():
            copied[name] = values
        return copied
