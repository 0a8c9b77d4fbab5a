"""Sequential: layers in order, their shapes, and their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_input_array
from tinycnn.chain import chain, check_shape
from tinycnn.errors import ArgumentError
from tinycnn.inputs import as_batches, as_inputs
from tinycnn.layers import Layer
from tinycnn.ownership import own
from tinycnn.parameters import Block, Edit, FlatArrays
from tinycnn.repeated_masks import MaskWatch
from tinycnn.runners import Runners
from tinycnn.runtime import memory
from tinycnn.runtime.locks import new_reentrant_lock
from tinycnn.saving import models, weights
from tinycnn.shapes import times
from tinycnn.summary import Summary
from tinycnn.trace import Trace, record
from tinycnn.validation import ALGORITHMS, check_choice, check_int, check_items, check_seed
from tinycnn.wording import many

if TYPE_CHECKING:
    from tinycnn.saving.archive import Archive

_ALGORITHMS = (None, *ALGORITHMS)
_FIXED = {"layers", "input_shape", "dtype"}


class Sequential:
    """A chain of layers over inputs of ``input_shape`` (H, W, C) or (D,).

    Shapes are worked out and checked here; parameters are drawn when first needed, seeded by ``rng``
    (an int, a Generator to draw the seed from, or None for a fresh one). ``dtype`` is "float32" or
    "float64". A forward pass leaves nothing behind, so one model serves many threads at once.

    ``algorithm`` is that of all convolutions, as in `ops.conv2d`; None: each layer's own. "im2col" turns
    Winograd's off for the model. ``name`` is what a summary calls it.

    Raises ShapeError where a layer does not fit its input, and ArgumentError for an option outside its
    range, what is no layer, two layers of one name, or a layer that is part of a model already.
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
        check_choice(dtype, ("float32", "float64"), "dtype")
        check_choice(algorithm, _ALGORITHMS, "algorithm")
        self.layers = check_items(layers, "layers", "a list of layers")
        self.input_shape = check_shape(input_shape, "input_shape")
        self.dtype = np.dtype(dtype)
        self.algorithm = algorithm
        self.name = name
        self.version = 0
        self.steps = 0  # of optimizers
        self._watch = MaskWatch()
        self._seed = check_seed(rng)
        self._parameters: FlatArrays | None = None
        self._state: FlatArrays | None = None
        self._edits: set[Edit] = set()
        self._lock = new_reentrant_lock()
        self._chain = chain(self.layers, self.input_shape)
        self._runners = Runners(self.layers, self._chain, self.dtype)
        own(self.layers, self)  # last: a construction that failed takes nothing

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shape of each layer's input for one sample, and last that of the model's output."""
        return list(self._chain.shapes)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and name in vars(self):
            raise ArgumentError(
                f"a model's {name} is fixed, for its shapes, parameters and plans were made of it; "
                f"build a new model"
            )
        super().__setattr__(name, value)

    # ------------------------------------------------------------------------------- parameters

    def parameters(self) -> FlatArrays:
        """The parameters as read-only views: ``{"conv1.W": array, ...}`` in layer order."""
        return self._weights().read_only()

    @contextmanager
    def edit(self) -> Iterator[FlatArrays]:
        """Give the parameters for writing; `version` goes up when the ``with`` block begins and ends.

        So traces made before it and traces made inside it both turn stale. Inside it, every pass
        takes the parameters as they are at that moment. When the block has ended, what it gave is
        read-only.
        """
        block = Block()
        edit = Edit(self._weights(), block)
        self._edits.add(edit)
        self._raise_version()
        try:
            yield edit.arrays
        finally:
            edit.close()
            self._raise_version()

    @property
    def is_being_edited(self) -> bool:
        """Whether parameters may change while `version` stays: then nothing made of them is kept.

        So it is inside `edit`, and while somebody holds a slice, such as ``p["conv1.W"][0]``, that
        was made there. For "kept for this version", read the version first and ask this afterwards.
        """
        for edit in tuple(self._edits):
            if not edit.may_write():
                self._edits.discard(edit)
        return bool(self._edits)

    def _raise_version(self) -> None:
        with self._lock:
            self.version += 1

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters in layer order; draws nothing."""
        return dict(self._chain.parameters)

    def state(self) -> FlatArrays:
        """What training changes though no gradient touches it, such as running statistics; read-only."""
        with self._lock:
            if self._state is None:
                state = FlatArrays(self._chain.state, self.dtype)
                self._draw(state, self._seed + 1)
                self._state = state.read_only()
            return self._state

    def update_state(self, state: Mapping[str, ArrayLike]) -> None:
        """Put ``state``, or a part of it by name, in place of the present one; `version` goes up."""
        with self._lock:
            old = self.state()
            new = old.on(old.flat.copy())
            for name, values in state.items():
                new[name] = values
            self._state = new.read_only()
            self._raise_version()

    def arrays(self) -> dict[str, Array]:
        """Parameters and state by name, read-only."""
        return {**self.parameters(), **self.state()}

    def save(self, path: str | Path) -> None:
        """Write architecture, parameters and state to ``path``, .npz or .safetensors, for `tinycnn.load`.

        A layer of your own is only named there: build the model again and call `load_weights`. The file is
        put in an old one's place once it is whole. Raises CheckpointError where that fails.
        """
        models.save(self, path)

    def load_weights(self, source: str | Path | Mapping[str, ArrayLike] | Archive) -> None:
        """Take parameters and state from ``source``, a file or arrays by name, as `arrays` gives them.

        The file is one that `save` wrote, or any .npz or .safetensors file of floating-point arrays. All is
        checked before any is taken. A wrong order that fits by shape is not seen: see `tinycnn.weights`.

        Raises CheckpointError for what is wrong with a file or too large for the model's dtype, for a
        mapping UnknownNameError, ShapeError or DTypeError, and ArgumentError for what is neither.
        """
        parameters, state = weights.read(self, source)
        with self._lock:
            if self._parameters is None:  # then nothing is drawn in vain
                self._parameters = parameters
            with self.edit() as own:
                own.flat[...] = parameters.flat
            self.update_state(state)

    def _draw(self, arrays: FlatArrays, seed: int) -> None:
        """Fill arrays as their layers' initializers say, each from a stream of its own."""
        layers = {str(layer.name): layer for layer in self.layers}
        sources = np.random.default_rng(seed).spawn(len(arrays))
        for (name, out), rng in zip(arrays.items(), sources, strict=True):
            layer, _, own = name.partition(".")
            layers[layer].initializer(own)(out, rng)

    def _weights(self) -> FlatArrays:
        with self._lock:
            if self._parameters is None:
                weights = FlatArrays(self._chain.parameters, self.dtype)
                block = Block()
                edit = Edit(weights, block)
                self._draw(edit.arrays, self._seed)
                edit.close()
                self._edits.add(edit)
                self._parameters = weights
            return self._parameters

    # ------------------------------------------------------------------------------------ passes

    def predict(self, x: ArrayLike, batch_size: int = 32, *, algorithm: str | None = None) -> Array:
        """What the last layer gives for ``x`` (N, ...), with training off: (N, ...).

        It goes in batches of ``batch_size``, and no more than one of them is converted at a time, so ``x``
        may be a large mapped file. ``algorithm`` is that of all convolutions, as in `ops.conv2d`; None: the
        model's. In float32 these may go by Winograd's algorithm, which gives up exact zeros, signs, counts
        and the locality of a window, and overflows earlier (`ops.conv2d` says where): an impulse through two
        3 x 3 layers then touches more than 25 cells. ``predict(x, algorithm="im2col")`` is without all that.

        Raises ShapeError where an input has not the model's ``input_shape``, DTypeError for what holds no
        real numbers, and ArgumentError for an option outside its range.
        """
        algorithm, step = self._algorithm(algorithm), check_int(batch_size, "batch_size")
        x = as_batches(x, self.input_shape, step)
        result = memory.output((len(x), *self._chain.shapes[-1]), self.dtype)
        for first in range(0, len(x), step):
            batch: Any = x if len(x) <= step else x[first : first + step]
            if not isinstance(x, np.ndarray):  # else it has been read
                batch = as_inputs(batch, self.input_shape)
            batch = as_input_array(batch, "x", "N...", self.dtype)
            out = result[first : first + step]
            self._runners.inference().run(self, batch, first, out, algorithm)
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
        the number of the batch's first image, which its masks follow. An int gives the same masks
        each time, so a training loop hands on one Generator; `RepeatedMasksWarning` says so once.
        ``x`` is kept by reference: do not write to it before ``backward``. ``algorithm`` is as in
        `predict`, and of the backward pass too, where Winograd's gives dx of non-negative x, W and dy
        down to -1e-4.

        Raises ShapeError where an input has not the model's ``input_shape``, DTypeError for what holds no
        real numbers, and ArgumentError for an option outside its range.
        """
        if training and isinstance(rng, (int, np.integer)):
            self._watch.saw(self, int(rng), first_sample)
        chosen, passes = self._algorithm(algorithm), self._runners.training_pass
        return record(self, x, training, rng, first_sample, chosen, passes)

    def _algorithm(self, asked: str | None) -> str | None:
        """Of a pass's convolutions: what is asked for, else the model's."""
        check_choice(asked, _ALGORITHMS, "algorithm")
        return self.algorithm if asked is None else asked

    def batch(self, x: ArrayLike) -> Array:
        """Read a batch ``x`` of inputs (N, ...) in the model's dtype; raises as `predict` does."""
        return as_input_array(as_inputs(x, self.input_shape), "x", "N...", self.dtype)

    def summary(self) -> Summary:
        """The table of layers: ``str``, HTML in notebooks, ``to_dict`` for programs."""
        return Summary.of(self.layers, self.input_shape, self.dtype.name, self.name)

    def __repr__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        shapes = f"{times(self.input_shape)} to {times(self.shapes[-1])}"
        return f"<Sequential{name}: {many(len(self.layers), 'layer')}, {shapes}>"

    # ---------------------------------------------------------------------- copies and pickles

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_lock"], state["_runners"], state["_edits"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = new_reentrant_lock()
        self._runners = Runners(self.layers, self._chain, self.dtype)
        self._edits = set()
        own(self.layers, self)

    def __copy__(self) -> Sequential:
        """A deep copy, for two models cannot share layers and parameters."""
        return deepcopy(self)
