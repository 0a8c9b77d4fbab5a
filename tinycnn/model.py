"""Sequential: layers in order, their shapes, and their parameters."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arguments import one_of, whole
from tinycnn.arrays import Array, tensor
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.layers import Context, Layer, naming
from tinycnn.parameters import FlatArrays
from tinycnn.shapes import times
from tinycnn.summary import Summary
from tinycnn.trace import Trace, record


class Sequential:
    """A chain of layers over inputs of ``input_shape`` (H, W, C) or (D,).

    Shapes are worked out and checked here; parameters are drawn when first needed, seeded by ``rng``
    (an int, a Generator to draw the seed from, or None for a fresh one). ``dtype`` is "float32" or
    "float64". A forward pass leaves nothing behind, so one model serves many threads at once.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: Sequence[int],
        *,
        rng: int | np.random.Generator | None = 0,
        dtype: str = "float32",
        name: str | None = None,
    ) -> None:
        one_of(dtype, ("float32", "float64"), "dtype")
        self.layers = tuple(layers)
        self.input_shape = tuple(whole(size, "input_shape's sizes") for size in input_shape)
        self.dtype = np.dtype(dtype)
        self.name = name
        self.version = 0
        self._seed = _seed(rng)
        self._parameters: FlatArrays | None = None
        self._lock = threading.Lock()
        self._adopt()
        self.shapes = [self.input_shape]  # of layer i's input; the last is the model's output
        self._parameter_shapes: dict[str, tuple[int, ...]] = {}
        for layer in self.layers:
            with naming(layer):
                output = tuple(layer.output_shape(self.shapes[-1]))
                for parameter, shape in layer.parameter_shapes(self.shapes[-1]).items():
                    self._parameter_shapes[f"{layer.name}.{parameter}"] = shape
            self.shapes.append(output)

    def _adopt(self) -> None:
        """Name the layers that have no name, and refuse names and layers that are taken."""
        if not self.layers:
            raise ArgumentError("a model needs at least one layer")
        taken: set[str] = set()
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise ArgumentError(
                    f"layer {position} must be a tinycnn.layers.Layer, got {layer!r}"
                )
            owner = _owners.get(layer)
            if layer in self.layers[:position] or (owner is not None and owner() is not None):
                raise ArgumentError(
                    f"{layer!r} is already part of a model; make a layer of its own for each place"
                )
            if layer.name is None:
                names = (f"{layer.stem}{i}" for i in range(1, len(self.layers) + 1))
                chosen = {other.name for other in self.layers}
                layer.name = next(name for name in names if name not in chosen)
            if layer.name in taken:
                raise ArgumentError(f"two layers are named {layer.name!r}; names must differ")
            taken.add(layer.name)
        for layer in self.layers:
            _owners[layer] = weakref.ref(self)

    # ------------------------------------------------------------------------------- parameters

    def parameters(self) -> FlatArrays:
        """The parameters as read-only views: {"conv1.W": array, ...} in layer order."""
        return self._weights().read_only()

    @contextmanager
    def edit(self) -> Iterator[FlatArrays]:
        """Give the parameters for writing; `version` goes up when the ``with`` block ends."""
        weights = self._weights()
        try:
            yield weights
        finally:
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

    def predict(self, x: ArrayLike, batch_size: int = 32) -> Array:
        """What the last layer gives for ``x`` (N, ...), in batches, with training off: (N, ...)."""
        x = self.batch(x)
        step = whole(batch_size, "batch_size")
        params = self.parameters()
        result = np.empty((len(x), *self.shapes[-1]), self.dtype)
        for first in range(0, len(x), step):
            y = x[first : first + step]
            for position, layer in enumerate(self.layers):
                context = Context(layer=position, first_sample=first)
                y = self.forward_layer(position, params.of(str(layer.name)), y, context)[0]
            result[first : first + step] = y
        return result

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
        do not write to it before ``backward``.
        """
        return record(self, x, training, rng, first_sample, algorithm)

    def batch(self, x: ArrayLike) -> Array:
        """Read a batch of inputs in the model's dtype."""
        x = tensor(x, "x", "N...", self.dtype)
        if x.shape[1:] != self.input_shape:
            raise ShapeError(
                f"x must have shape (N, {', '.join(map(str, self.input_shape))}), a batch of inputs "
                f"{times(self.input_shape)}, got shape {x.shape}"
                + ("; for one input, pass x[None]" if x.shape == self.input_shape else "")
            )
        return x

    def forward_layer(
        self, position: int, params: Mapping[str, Array], x: Array, context: Context
    ) -> tuple[Array, Any]:
        """Run one layer; a mistake's text names it."""
        layer = self.layers[position]
        with naming(layer):
            y, saved = layer.forward(params, x, context)
            if y.shape != (len(x), *self.shapes[position + 1]):
                raise ShapeError(
                    f"forward returned shape {y.shape}, but output_shape says (N, "
                    f"{', '.join(map(str, self.shapes[position + 1]))}) with N = {len(x)}"
                )
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
        del state["_lock"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
        for layer in self.layers:
            _owners[layer] = weakref.ref(self)


# Which model a layer belongs to; kept outside the layer, so that layers copy and pickle freely.
_owners: weakref.WeakKeyDictionary[Layer, weakref.ref[Sequential]] = weakref.WeakKeyDictionary()


def _seed(rng: int | np.random.Generator | None) -> int:
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if rng is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    return whole(rng, "rng", least=0)
