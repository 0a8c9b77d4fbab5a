"""What all optimizers share: one pass over flat buffers, settings, factors, and a state to be kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_input_array, expect_shape, read_only
from tinycnn.errors import ArgumentError
from tinycnn.optimizers.factors import Factors, factors_of, undecayed
from tinycnn.parameters import FlatArrays
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import split_range
from tinycnn.trace import Gradients
from tinycnn.validation import check_int, check_number
from tinycnn.wording import a

if TYPE_CHECKING:
    from tinycnn.model import Sequential

# Elements a block: three buffers of them take a few megabytes of memory traffic.
_ELEMENTS = 1 << 19

# Carries out a step on elements of weights and gradients: (weights, gradients, first, last).
Update = Callable[[Array, Array, int, int], None]


class Elements(NamedTuple):
    """Of each parameter (P,): where it ends in the flat buffers, its rate, its decay, what stays of it.

    A decay is added to the gradient, w times that; a decoupled one is what is missing from ``keeps`` to 1.
    """

    ends: Array
    rates: Array
    decays: Array
    keeps: Array


class Optimizer:
    """What `SGD`, `Adam` and `AdamW` share; a subclass gives its settings, its ``buffers`` and an `update`.

    ``rate`` is multiplied by each parameter's factor of ``rate_factors``, ``weight_decay`` by that of
    ``decay_factors``: mappings of names or patterns, ``{"fc3.*": 10, "*.b": 2}``, where the later one holds.
    Without one, rates have factor 1, and decay spares parameters of one axis: biases, and a
    normalisation's scale and shift (``decay_factors={"*": 1}`` decays all).

    Decay is part of the gradient, g + weight_decay * w, or ``decoupled``: then each step takes
    rate * weight_decay * w from w besides. Source: Loshchilov and Hutter, "Decoupled weight decay
    regularization", 2019.

    Settings may be changed between steps, as in ``optimizer.rate = schedule(epoch)``. ``steps`` counts.
    """

    # Each setting that is a number, and what reads it.
    settings: ClassVar[Mapping[str, Callable[[Any, str], float]]] = {
        "rate": check_number,
        "weight_decay": check_number,
    }
    switches: ClassVar[tuple[str, ...]] = ("decoupled",)
    rate: float
    weight_decay: float

    def __init__(
        self,
        model: Sequential,
        *,
        buffers: tuple[str, ...],
        decoupled: bool,
        rate_factors: Factors | None,
        decay_factors: Factors | None,
        **settings: float,
    ) -> None:
        self.model = model
        for name, value in settings.items():
            setattr(self, name, self.settings[name](value, name))
        self.decoupled = decoupled
        shapes = model.parameter_shapes()
        self.rate_factors = factors_of(shapes, rate_factors, "rate_factors", np.ones(len(shapes)))
        self.decay_factors = factors_of(shapes, decay_factors, "decay_factors", undecayed(shapes))
        self.buffers = {name: FlatArrays(shapes, model.dtype, zero=True) for name in buffers}
        self.steps = 0
        self._ends = np.cumsum([math.prod(shape) for shape in shapes.values()], dtype=np.int64)

    def update(self, elements: Elements) -> Update:
        """What the next step does, ``elements`` being each parameter's rate and decay; reads all settings."""
        raise NotImplementedError

    def setting(self, name: str) -> float:
        """The setting ``name`` as it is now; raises ArgumentError if somebody has given it a bad value."""
        return self.settings[name](getattr(self, name), name)

    def step(self, gradients: Mapping[str, ArrayLike]) -> None:
        """Update the model in place with ``gradients``, one for each parameter, by name.

        They are what `Trace.backward` gave, or any mapping of arrays in the parameters' shapes. Raises
        ArgumentError where names are missing or too many, ShapeError and DTypeError for such arrays.
        """
        flat = read_only(self._flat(gradients).flat)
        update = self.update(self._elements())
        with self.model.edit() as weights:
            parallel_for(
                lambda some: update(weights.flat, flat, *some), split_range(flat.size, _ELEMENTS)
            )
        if isinstance(gradients, Gradients) and gradients.next_state:
            self.model.update_state(gradients.next_state)
        self.model.steps += 1
        self.steps += 1

    def _elements(self) -> Elements:
        rates = self.setting("rate") * self.rate_factors
        decays = self.setting("weight_decay") * self.decay_factors
        if self.decoupled:
            return Elements(self._ends, rates, np.zeros_like(decays), 1 - rates * decays)
        return Elements(self._ends, rates, decays, np.ones_like(rates))

    def _flat(self, gradients: Mapping[str, ArrayLike]) -> FlatArrays:
        """Give ``gradients`` as one buffer: as they are if trace.backward made them, else copied."""
        shapes = self.model.parameter_shapes()
        if (
            isinstance(gradients, FlatArrays)
            and gradients.has(shapes)
            and gradients.flat.dtype == self.model.dtype
        ):
            return gradients
        expected = f"gradients must hold {', '.join(shapes)}"
        if not isinstance(gradients, Mapping):
            raise ArgumentError(
                f"{expected} by name, as trace.backward returns them, got {a(type(gradients).__name__)}"
            )
        if set(gradients) != set(shapes):
            raise ArgumentError(f"{expected}, got {', '.join(map(str, gradients)) or 'none'}")
        copied = FlatArrays(shapes, self.model.dtype)
        for name, values in gradients.items():
            copied[name] = values
        return copied

    # --------------------------------------------------------------------------- what a checkpoint keeps

    def state_arrays(self) -> dict[str, Array]:
        """All arrays that the next step depends on, by name, read-only: "velocities.conv1.W" and others."""
        return {name: read_only(array) for name, array in self._arrays().items()}

    def state_numbers(self) -> dict[str, float | int | bool]:
        """All numbers that the next step depends on, as JSON holds them: steps, settings, switches."""
        numbers = {name: self.setting(name) for name in self.settings}
        switches = {name: getattr(self, name) for name in self.switches}
        return {"steps": self.steps, **numbers, **switches}

    def load_state(self, arrays: Mapping[str, ArrayLike], numbers: Mapping[str, Any]) -> None:
        """Put back ``arrays`` and ``numbers`` as `state_arrays` and `state_numbers` gave them.

        The steps after it have the same bits. Nothing changes unless all fits. Raises ArgumentError where
        names are missing or too many, or a number is outside its range, ShapeError and DTypeError for arrays
        that do not fit.
        """
        places = self._arrays()
        _expect_names(arrays, places, "arrays", type(self).__name__)
        _expect_names(numbers, self.state_numbers(), "numbers", type(self).__name__)
        checked = {}
        for name, place in places.items():
            checked[name] = as_input_array(arrays[name], name, "...", place.dtype)
            expect_shape(checked[name], place.shape, name, "its shape here")
        settings = {name: check(numbers[name], name) for name, check in self.settings.items()}
        steps = check_int(numbers["steps"], "steps", least=0)
        for name, place in places.items():
            np.copyto(place, checked[name])
        vars(self).update(settings, steps=steps, **{n: bool(numbers[n]) for n in self.switches})

    def _arrays(self) -> dict[str, Array]:
        buffers = {
            f"{buffer}.{name}": view
            for buffer, arrays in self.buffers.items()
            for name, view in arrays.items()
        }
        factors = {"rate_factors": self.rate_factors, "decay_factors": self.decay_factors}
        return {**buffers, **factors}


def _expect_names(
    given: Mapping[str, Any], expected: Mapping[str, Any], what: str, optimizer: str
) -> None:
    """Raise ArgumentError unless what is ``given`` has the names that are ``expected``, in any order."""
    lacking, excess = [*(set(expected) - set(given))], [*(set(given) - set(expected))]
    if lacking or excess:
        words = f"lacks {min(lacking)}" if lacking else f"has {min(excess)} too many"
        raise ArgumentError(
            f"the state is not that of {a(optimizer)} of this model: of its {what} it {words}"
        )
