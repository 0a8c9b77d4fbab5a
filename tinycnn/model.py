"""Sequential: layers in order, their shapes, and their parameters."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn import memory
from tinycnn.arguments import ALGORITHMS, MOST_CELLS, one_of, whole
from tinycnn.arrays import Array, expect_shape, read_only, tensor
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.layers import Context, Layer, naming, returned
from tinycnn.parameters import FlatArrays
from tinycnn.shapes import times
from tinycnn.summary import Summary
from tinycnn.trace import Trace, record

if TYPE_CHECKING:
    from tinycnn.inference import Inference

_ALGORITHMS = (None, *ALGORITHMS)


class Sequential:
    """A chain of layers over inputs of ``input_shape`` (H, W, C) or (D,).

    Shapes are worked out and checked here; parameters are drawn when first needed, seeded by ``rng``
    (an int, a Generator to draw the seed from, or None for a fresh one). ``dtype`` is "float32" or
    "float64". A forward pass leaves nothing behind, so one model serves many threads at once.

    ``algorithm`` is that of all convolutions, as in `ops.conv2d`; None: each layer's own. "im2col" turns
    Winograd's off for the model.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: Sequence[int],
        *,
        rng: int | np.random.Generator | None = 0,
        dtype: str = "float32",
        algorithm: str | None = None,
        name: str | None = None,
    ) -> None:
        one_of(dtype, ("float32", "float64"), "dtype")
        one_of(algorithm, _ALGORITHMS, "algorithm")
        if not isinstance(layers, Iterable):
            raise ArgumentError(f"layers must be a list of layers, got {layers!r}")
        self.layers = tuple(layers)
        self.input_shape = _sizes(input_shape, "input_shape")
        self.dtype = np.dtype(dtype)
        self.algorithm = algorithm
        self.name = name
        self.version = 0
        self._seed = _seed(rng)
        self._parameters: FlatArrays | None = None
        self._lock = threading.Lock()
        self._runner: Inference | None = None  # of `predict`
        self._refuse_taken()
        self._name()
        self.shapes = [self.input_shape]  # of layer i's input; the last is the model's output
        self._parameter_shapes: dict[str, tuple[int, ...]] = {}
        for layer in self.layers:
            with naming(layer):
                output = _sizes(layer.output_shape(self.shapes[-1]), "what output_shape returns")
                for parameter, shape in layer.parameter_shapes(self.shapes[-1]).items():
                    name = f"{layer.name}.{parameter}"
                    self._parameter_shapes[name] = _sizes(shape, f"the shape of {parameter}")
            self.shapes.append(output)
        self._own()  # last: a construction that failed takes nothing

    def _refuse_taken(self) -> None:
        """Refuse what is no layer, and a layer that has its place already."""
        if not self.layers:
            raise ArgumentError("a model needs at least one layer")
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise ArgumentError(
                    f"layer {position} must be a tinycnn.layers.Layer, got {layer!r}"
                )
            twice = any(layer is other for other in self.layers[:position])
            if twice or _owner(layer) is not None:
                raise ArgumentError(
                    f"{layer!r} is already part of a model; make a layer of its own for each place"
                )

    def _name(self) -> None:
        """Name the layers that have no name, and refuse names that are taken."""
        names = [layer.name for layer in self.layers if layer.name is not None]
        for name in names:
            if not isinstance(name, str) or not name or "." in name:
                raise ArgumentError(f"a layer's name must be a text without dots, got {name!r}")
            if names.count(name) > 1:
                raise ArgumentError(f"two layers are named {name!r}; names must differ")
        for layer in self.layers:
            if layer.name is None:
                free = (f"{layer.stem}{i}" for i in range(1, len(self.layers) + 1))
                layer.name = next(name for name in free if name not in names)
                names.append(layer.name)

    def _own(self) -> None:
        for layer in self.layers:
            _owners[id(layer)] = weakref.ref(layer), weakref.ref(self)

    # ------------------------------------------------------------------------------- parameters

    def parameters(self) -> FlatArrays:
        """The parameters as read-only views: {"conv1.W": array, ...} in layer order."""
        return self._weights().read_only()

    @contextmanager
    def edit(self) -> Iterator[FlatArrays]:
        """Give the parameters for writing; `version` goes up when the ``with`` block begins and ends.

        So traces made before it and traces made inside it both turn stale.
        """
        weights = self._weights()
        self._raise_version()
        try:
            yield weights
        finally:
            self._raise_version()

    def _raise_version(self) -> None:
        with self._lock:
            self.version += 1

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters in layer order; draws nothing."""
        return dict(self._parameter_shapes)

    def _weights(self) -> FlatArrays:
        with self._lock:
            if self._parameters is None:
                weights = FlatArrays(self._parameter_shapes, self.dtype)
                sources = np.random.default_rng(self._seed).spawn(len(weights))
                initializers = (
                    layer.initializer(parameter)
                    for layer, shape in zip(self.layers, self.shapes, strict=False)
                    for parameter in layer.parameter_shapes(shape)
                )
                for name, draw, rng in zip(weights, initializers, sources, strict=True):
                    draw(weights[name], rng)
                self._parameters = weights
            return self._parameters

    # ------------------------------------------------------------------------------------ passes

    def predict(self, x: ArrayLike, batch_size: int = 32, *, algorithm: str | None = None) -> Array:
        """What the last layer gives for ``x`` (N, ...), in batches, with training off: (N, ...).

        ``algorithm`` is that of all convolutions, as in `ops.conv2d`; None: the model's. In float32
        these may go by Winograd's algorithm, which gives up exact zeros, signs, counts and the locality
        of a window, and overflows earlier (`ops.conv2d` says where): an impulse through two 3 x 3
        layers then touches more than 25 cells. ``predict(x, algorithm="im2col")`` is without all that.
        """
        x, algorithm = self.batch(x), self._algorithm(algorithm)
        step = whole(batch_size, "batch_size")
        result = memory.empty((len(x), *self.shapes[-1]), self.dtype)
        for first in range(0, len(x), step):
            last = min(first + step, len(x))
            self._inference().run(x[first:last], first, result[first:last], algorithm)
        return result

    def _inference(self) -> Inference:
        with self._lock:
            if self._runner is None:
                # Not at the top of the file: it loads Numba, which a summary never needs.
                self._runner = import_module("tinycnn.inference").Inference(self)
            return self._runner

    def trace(
        self,
        x: ArrayLike,
        *,
        training: bool = False,
        rng: int | np.random.Generator | None = None,
        first_sample: int = 0,
        algorithm: str | None = None,
    ) -> Trace:
        """Run ``x`` (N, ...) forward and record the pass; see `tinycnn.trace.Trace`.

        ``rng`` is the key of this pass's dropout masks (a Generator gives one draw), ``first_sample``
        the number of the batch's first image, which its masks follow. ``x`` is kept by reference:
        do not write to it before ``backward``. ``algorithm`` is as in `predict`, and of the backward
        pass too, where Winograd's gives dx of non-negative x, W and dy down to -1e-4.
        """
        return record(self, x, training, rng, first_sample, self._algorithm(algorithm))

    def _algorithm(self, asked: str | None) -> str | None:
        """Of a pass's convolutions: what is asked for, else the model's."""
        one_of(asked, _ALGORITHMS, "algorithm")
        return self.algorithm if asked is None else asked

    def batch(self, x: ArrayLike) -> Array:
        """Read a batch of inputs in the model's dtype."""
        x = tensor(x, "x", "N...", self.dtype)
        if x.shape[1:] != self.input_shape:
            remedy = ""
            if x.shape == self.input_shape:
                remedy = "; for one input, pass x[None]"
            elif x.ndim == 4 and (*x.shape[2:], x.shape[1]) == self.input_shape:
                remedy = "; channels come last here, pass x.transpose(0, 2, 3, 1)"
            raise ShapeError(
                f"x must have shape (N, {', '.join(map(str, self.input_shape))}), a batch of inputs "
                f"{times(self.input_shape)}, got shape {x.shape}{remedy}"
            )
        return x

    def forward_layer(
        self, position: int, params: Mapping[str, Array], x: Array, context: Context
    ) -> tuple[Array, Any]:
        """Run one layer; a mistake's text names it."""
        layer = self.layers[position]
        with naming(layer):
            result = layer.forward(params, read_only(x), context)
            y, saved = returned(result, "forward", "y, saved")
            y = tensor(y, "y", "N...", self.dtype)
            shape = (len(x), *self.shapes[position + 1])
            expect_shape(y, shape, "y", "N and what output_shape says")
        return y, saved

    def summary(self) -> Summary:
        """The table of layers: ``str``, HTML in notebooks, ``to_dict`` for programs."""
        return Summary.of(self.layers, self.input_shape, self.dtype.name, self.name)

    def __repr__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        shapes = f"{times(self.input_shape)} to {times(self.shapes[-1])}"
        return f"<Sequential{name}: {len(self.layers)} layers, {shapes}>"

    # ---------------------------------------------------------------------- copies and pickles

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_lock"], state["_runner"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
        self._runner = None
        self._own()

    def __copy__(self) -> Sequential:
        """A deep copy, for two models cannot share layers and parameters."""
        return deepcopy(self)


# Which model a layer belongs to. By identity, for a layer of yours may be equal to another or have
# no hash, and outside the layer, so that layers copy and pickle freely.
_owners: dict[int, tuple[weakref.ref[Layer], weakref.ref[Sequential]]] = {}


def _owner(layer: Layer) -> Sequential | None:
    known = _owners.get(id(layer))
    return known[1]() if known is not None and known[0]() is layer else None


def _sizes(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise ArgumentError(f"{name} must be a shape such as (H, W, C) or (D,), got {value!r}")
    return tuple(whole(size, f"each size of {name}", most=MOST_CELLS) for size in value)


def _seed(rng: int | np.random.Generator | None) -> int:
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if rng is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    return whole(rng, "rng", least=0)
