"""The one loop that runs layers forward, the one that runs them backward, and what they record.

A layer's ``forward`` gives z, or y where its op applies the activation; the loop applies all other
activations. Backward, the loop takes the gradient through the activation once, and hands dz to the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import or_
from typing import Any

import numpy as np

from tinycnn.arrays import Array, as_input_array, expect_shape, read_only
from tinycnn.errors import ArgumentError
from tinycnn.layers import BackwardContext, ForwardContext, Layer, Params, Shape
from tinycnn.layers.activation import IDENTITY
from tinycnn.layers.base import naming
from tinycnn.parameters import FlatArrays


@dataclass
class Record:
    """What happened at one layer. Shapes are (N, ...); what backward has not filled in is None.

    ``name`` and ``layer`` say where, ``context`` what the pass told the layer. ``x`` went in, ``y`` came
    out, ``saved`` is what forward kept for backward, ``kept_z`` what went into an activation that is no
    part of the layer's op. ``dy`` and ``dx`` are the gradients of y and x, ``grads`` those of the
    parameters by name. ``params`` are the layer's parameters; in a trace, reading them once the model
    has changed raises StaleTraceError, as they are no longer those of this pass. ``dz`` is the gradient
    before the activation; without one it is ``dy``. A softmax that is one step with the loss has no
    ``dy``.
    """

    name: str
    layer: Layer
    params: Params
    x: Array
    y: Array
    saved: Any
    context: ForwardContext
    kept_z: Array | None = None
    dy: Array | None = None
    dz: Array | None = None
    dx: Array | None = None
    grads: Params | None = None

    @property
    def z(self) -> Array:
        """What went into the activation; without one, y. For ReLU it is worked out again.

        Raises StaleTraceError where that needs parameters that have changed.
        """
        if self.kept_z is not None:
            return self.kept_z
        if self.layer.activation is IDENTITY:
            return self.y
        return apply(self.layer.without_activation(), self.params, self.x, self.context)[0]

    def forget_gradients(self) -> None:
        """Let go of what a backward pass has filled in."""
        self.dy = self.dz = self.dx = self.grads = None


class LazyRecords(Sequence[Record]):
    """Records of a pass that was carried out as a whole, each made by ``make`` when it is first asked for.

    ``go_back`` carries the gradient of the last layer's y, or of what goes into its softmax, back into a flat
    array of all gradients, and keeps nothing else.
    """

    def __init__(
        self, count: int, make: Callable[[int], Record], go_back: Callable[[Array, Array], None]
    ) -> None:
        self._made: list[Record | None] = [None] * count
        self._make, self._go_back = make, go_back
        self._gradients: Callable[[str], Params | None] = lambda name: None

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return [self[each] for each in range(*position.indices(len(self)))]
        record = self._made[position]
        if record is None:
            record = self._made[position] = self._make(range(len(self))[position])
            record.grads = self._gradients(record.name)
        return record

    def __reduce__(self) -> tuple[type, tuple[list[Record]]]:
        return list, ([*self],)

    def backward(self, upstream: Array, gradients: FlatArrays, *, before_activation: bool) -> None:
        """Do what `backward` does without ``keep``."""
        last = self[-1]
        if not before_activation and not last.layer.activation.in_op:
            upstream = last.layer.activation.backward(read_only(upstream), last.y)
        self._go_back(upstream, gradients.flat)
        self._gradients = gradients.of
        for record in filter(None, self._made):
            record.forget_gradients()
            record.grads = gradients.of(record.name)


def forward(
    layers: Sequence[Layer],
    shapes: Sequence[Shape],
    parameters: Callable[[str], Params],
    x: Array,
    context: ForwardContext,
    *,
    state: Callable[[str], Params] = lambda name: {},
    first: int = 0,
) -> Iterator[Record]:
    """Run ``x`` through the layers from number ``first`` on; give each one's record.

    ``shapes`` are those of one sample before each layer and after the last; ``parameters`` and ``state``
    give those of the layer so called.
    """
    for position, layer in enumerate(layers[first:], first):
        name = str(layer.name)
        own = ForwardContext(
            context.training, context.rng, position, context.first_sample, context.algorithm, state(name)
        )  # fmt: skip
        params = parameters(name)
        y, z, saved = forward_layer(layer, shapes[position + 1], params, x, own)
        yield Record(name, layer, params, x, y, saved, own, z)
        x = y


def forward_layer(
    layer: Layer, shape: Shape, params: Params, x: Array, context: ForwardContext
) -> tuple[Array, Array | None, Any]:
    """Run one layer whose output has ``shape``: y, z if it is kept, and what backward needs.

    What is wrong with the layer is said by its name.
    """
    with naming(layer):
        y, z, saved = apply(layer, params, read_only(x), context)
        y = as_input_array(y, "y", "N...", x.dtype)
        expect_shape(y, (len(x), *shape), "y", "N and what output_shape says")
    return y, z, saved


def apply(
    layer: Layer, params: Params, x: Array, context: ForwardContext
) -> tuple[Array, Array | None, Any]:
    """Run one layer and its activation, its results as they are."""
    y, saved = _pair(layer.forward(params, x, context), "forward", "y, saved")
    if layer.activation.in_op:
        return y, None, saved
    return layer.activation.forward(y), y, saved


def backward(
    records: Sequence[Record],
    upstream: Array,
    gradients: Callable[[str], Params],
    *,
    before_activation: bool = False,
    keep: bool = True,
) -> None:
    """Carry a gradient back through what `forward` recorded, into the records and ``gradients``.

    ``upstream`` is that of the last layer's y, or with ``before_activation`` of its z. ``gradients``
    gives the places for those of the layer so called. Where ``keep`` is false, dy, dz and dx are let go
    once they are used. Where no layer before one has parameters, its dx may be None, as an embedding's
    is; nothing is then carried further.
    """
    for record in records:
        record.forget_gradients()
    last = records[-1]
    # Of each record, whether one before it has parameters.
    useful = accumulate((bool(r.params) for r in records[:-1]), or_, initial=False)
    for record, required in zip(reversed(records), reversed([*useful]), strict=True):
        layer, dy = record.layer, upstream
        is_dz = before_activation and record is last
        dz = dy if is_dz else layer.activation.backward(read_only(dy), record.y)
        context = BackwardContext(
            training=record.context.training,
            need_dx=keep or required,
            out=gradients(record.name),
            algorithm=record.context.algorithm,
        )
        dx = _backward_layer(record, dz, context, required=required)
        record.grads = context.out
        if keep:
            record.dy, record.dz, record.dx = None if is_dz else dy, dz, dx
        if dx is None:
            break
        upstream = dx


def _backward_layer(
    record: Record, dz: Array, context: BackwardContext, *, required: bool
) -> Array | None:
    """Run one layer backward: its gradients into ``context.out``; gives dx."""
    with naming(record.layer):
        params = dict(record.params)
        dx, grads = undo(record.layer, params, read_only(dz), record.saved, context)
        expect_gradients(grads, params)
        for name, view in context.out.items():
            if grads[name] is not view:
                gradient = as_input_array(grads[name], f"d{name}", "...", view.dtype)
                expect_shape(gradient, view.shape, f"d{name}", f"the shape of {name}")
                np.copyto(view, gradient)
        if dx is not None:
            dx = as_input_array(dx, "dx", "N...", record.x.dtype)
            expect_shape(dx, record.x.shape, "dx", "the shape of x")
        elif required:
            raise ArgumentError(
                "backward returned None for dx, which the parameters of the layers before it need; "
                "return the gradient of x"
            )
    return dx


def undo(
    layer: Layer, params: Params, dz: Array, saved: Any, context: BackwardContext
) -> tuple[Array | None, Params]:
    """Run one layer backward from dz, its results as they are: dx and the gradients by name."""
    return _pair(layer.backward(params, dz, saved, context), "backward", "dx, gradients")


def expect_gradients(gradients: Any, params: Params) -> None:
    """Raise ArgumentError unless there is a gradient for each parameter."""
    if not isinstance(gradients, (dict, Mapping)) or gradients.keys() != params.keys():
        listed = (
            ", ".join(map(repr, gradients)) if isinstance(gradients, Mapping) else repr(gradients)
        )
        raise ArgumentError(
            f"backward must return a gradient for each parameter by name, "
            f"{', '.join(map(repr, params)) or 'none'}, got {listed or 'none'}"
        )


def _pair(result: Any, method: str, parts: str) -> tuple[Any, Any]:
    """The two parts that a layer's method must return; an array would come apart in silence."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(f"{method} must return a tuple ({parts}), got {type(result).__name__}")
    return result
