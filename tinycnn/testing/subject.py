"""A layer under test, with what it is handed: parameters, inputs and contexts, drawn from a seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinycnn import passes
from tinycnn.arrays import Array, as_real_array
from tinycnn.checking.targets.layers import state_after_training
from tinycnn.checking.values import separated
from tinycnn.errors import ArgumentError, CheckFailedError
from tinycnn.layers import BackwardContext, ForwardContext, Layer, Params, Shape
from tinycnn.validation import check_int
from tinycnn.wording import format_user_error

MakesLayer = Layer | Callable[[], Layer]


@dataclass(frozen=True)
class Pass:
    """What a forward and its backward gave, by name: "y", "dx", "dW", ..."""

    arrays: dict[str, Array]
    saved: Any


@dataclass(frozen=True)
class Given:
    """What a pass is made of: x (N, ...), dy of the output's shape, and the parameters by name."""

    x: Array
    dy: Array
    params: dict[str, Array]

    def each(self, change: Callable[[Array], Array]) -> Given:
        """The same with ``change`` applied to every array."""
        params = {name: change(array) for name, array in self.params.items()}
        return Given(change(self.x), change(self.dy), params)

    def arrays(self) -> dict[str, Array]:
        """x, dy and the parameters by name."""
        return {"x": self.x, "dy": self.dy, **self.params}


class Subject:
    """One layer for inputs of ``input_shape`` (H, W, C) or (D,), and the passes it is tested with.

    ``layer`` is a layer, or a function without arguments that makes one (its class will do);
    ``batch_independent`` is what the layer says of itself unless given.
    Raises ArgumentError where it is neither, CheckFailedError where its code raises.
    """

    def __init__(
        self,
        layer: MakesLayer,
        input_shape: Sequence[int],
        *,
        batch_independent: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.seed = check_int(seed, "seed", least=0)
        self._given = layer
        self.input_shape: Shape = tuple(
            check_int(n, "each size of input_shape") for n in input_shape
        )
        self.layer = self.make()
        self.name = type(self.layer).__name__
        self.batch_independent = (
            self.layer.batch_independent if batch_independent is None else batch_independent
        )
        self.files = _files(type(self.layer))
        with self.reporting("output_shape"):
            self.output_shape: Shape = tuple(self.layer.output_shape(self.input_shape))
        with self.reporting("parameter_shapes"):
            shapes = self.layer.parameter_shapes(self.input_shape)
            self.parameter_shapes = {name: tuple(shape) for name, shape in shapes.items()}

    def make(self) -> Layer:
        """The layer, made anew if it came as a function."""
        layer = self._given
        if not isinstance(layer, Layer) and callable(layer):
            layer = layer()
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"a layer is a tinycnn.layers.Layer, or a function without arguments that makes "
                f"one, got {layer!r}"
            )
        return layer

    # ------------------------------------------------------------------------- what it is handed

    def given(self, N: int = 3, dtype: DTypeLike = np.float64, draw: int = 0) -> Given:
        """A batch of ``N`` and a dy with separated values, and parameters; another for each ``draw``.

        Parameters are drawn as the layer says, then moved: at gains of 1 and offsets of 0 a wrong
        formula may be right by chance.
        """
        rng = np.random.default_rng([self.seed, draw])
        params = {}
        for name, shape in self.parameter_shapes.items():
            drawn = np.zeros(shape)
            with self.reporting("initializer"):
                self.layer.initializer(name)(drawn, rng)
            moves = separated(rng, shape) / 4
            params[name] = np.where(drawn == 0, moves, drawn * (1 + moves))
        x = separated(rng, (N, *self.input_shape))
        dy = separated(rng, (N, *self.output_shape))
        return Given(x, dy, params).each(lambda array: array.astype(dtype))

    def contexts(self) -> Iterator[tuple[str, ForwardContext]]:
        """A pass of prediction and one of training, the masks of both drawn from one key."""
        for training in (False, True):
            words = "in training" if training else "in inference"
            yield words, self.context(training=training)

    def context(self, *, training: bool = False) -> ForwardContext:
        """That of a pass, with the state that a training pass left."""
        key = 1234 + self.seed
        return ForwardContext(training=training, rng=key, layer=2, state=self._state)

    @cached_property
    def _state(self) -> Params:
        given, rng = self.given(), np.random.default_rng(self.seed)
        with self.reporting("a training pass or next_state"):
            return state_after_training(self.layer, given.params, given.x, rng)

    # -------------------------------------------------------------------------------------- passes

    def run(
        self, given: Given, context: ForwardContext, layer: Layer | None = None, **options: Any
    ) -> Pass:
        """Forward, and backward right after it."""
        y, saved = self.forward(given, context, layer)
        return self.backward(given, y, saved, context, layer, **options)

    def forward(
        self, given: Given, context: ForwardContext, layer: Layer | None = None
    ) -> tuple[Array, Any]:
        """The output, and what the layer saved."""
        with self.reporting("forward"):
            y, _, saved = passes.apply(layer or self.layer, given.params, given.x, context)
            return as_real_array(y, "y"), saved

    def backward(
        self,
        given: Given,
        y: Array,
        saved: Any,
        forward: ForwardContext,
        layer: Layer | None = None,
        **options: Any,
    ) -> Pass:
        """The gradients for what a forward saved, together with its output ``y``.

        ``options`` are those of the backward pass's context.
        """
        context = BackwardContext(training=forward.training, **options)
        with self.reporting("backward"):
            layer = layer or self.layer
            dz = layer.activation.backward(given.dy, y)
            dx, gradients = passes.undo(layer, given.params, dz, saved, context)
            if not isinstance(gradients, Mapping):
                raise ArgumentError(
                    f"backward must return the gradients by name, got {type(gradients).__name__}"
                )
            named: dict[str, Any] = {}
            if context.need_dx:
                named["dx"] = dx
            named |= {f"d{name}": array for name, array in gradients.items()}
            arrays = {name: as_real_array(array, name) for name, array in named.items()}
            return Pass({"y": y, **arrays}, saved)

    @contextmanager
    def reporting(self, method: str) -> Iterator[None]:
        """Turn whatever the layer's code raises into a check's failure that says where."""
        try:
            yield
        except CheckFailedError:
            raise
        except Exception as error:
            raise CheckFailedError(
                f"{method} raises {format_user_error(error, self.files)}"
            ) from error


def _files(kind: type) -> set[str]:
    """The files that a layer's methods stand in."""
    methods = [value for base in kind.__mro__ for value in vars(base).values() if callable(value)]
    codes = [getattr(inspect.unwrap(method), "__code__", None) for method in methods]
    return {code.co_filename for code in codes if code is not None}
