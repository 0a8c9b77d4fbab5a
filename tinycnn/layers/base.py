"""Layer: the door for built-in layers and for yours alike."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from inspect import signature
from typing import Any, Self

from tinycnn import initializers
from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError, TinyCNNError
from tinycnn.initializers import Initializer
from tinycnn.layers.activation import IDENTITY, RELU, SOFTMAX, Activation, find_activation
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.ownership import owner

__all__ = ["Layer"]


class Layer:
    """Base of all layers. Yours defines `output_shape`, `forward`, `backward`, and what else it has.

    Shapes here are those of one sample: (H, W, C) or (D,). ``forward`` returns its result and
    ``saved``, whatever its ``backward`` needs; nothing is kept in the layer, so one layer serves
    many threads at once.

    ``name`` is that of its records and parameters; None lets the model give one (conv1, conv2, ...).
    Constructors raise ArgumentError for an argument outside its range; where a layer does not fit its
    input, building the model raises ShapeError.

    ``smooth`` and `channel_map` hold for the class that says them, with the forward it was written with:
    who extends such a layer says it again.

    In a model, what a built-in layer's constructor takes is fixed, and so are the name and the shapes
    of every layer: shapes, parameters and plans are made of these.
    """

    name: str | None = None
    stem = "layer"  # of names given by the model: "conv" for conv1, conv2, ...
    activation: Activation = IDENTITY  # may be given by its name
    activations: Sequence[Activation] = (IDENTITY, RELU, SOFTMAX)  # that it knows by name
    draws = False  # True: in training, forward draws from context.rng
    batch_independent = True  # in inference; False: a batch's samples change each other's result
    smooth = (
        False  # True: differentiable, but for the activation; False: not known, or not everywhere
    )

    _fixed = frozenset({"name", "output_shape", "parameter_shapes"})
    # As they were written, whatever is put in their place later.
    _own_forward: Any = None
    _own_backward: Any = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._own_forward, cls._own_backward = cls.forward, cls.backward
        cls.activation = find_activation(cls.activation, cls.activations)
        if cls.__module__.rpartition(".")[0] == __package__:
            cls._fixed = cls._fixed.union(signature(cls).parameters)

    def __init__(self, *, name: str | None = None) -> None:
        self.name = name

    def __setattr__(self, name: str, value: Any) -> None:
        self._refuse_fixed(name)
        if name == "activation":
            value = find_activation(value, self.activations)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse_fixed(name)
        super().__delattr__(name)

    def _refuse_fixed(self, name: str) -> None:
        if name in self._fixed and owner(self) is not None:
            raise ArgumentError(
                f"{name} of {self!r} is fixed, for the layer is part of a model whose shapes, parameters "
                f"and plans were made of it; build a new model of new layers, and if its parameters "
                f"have the same shapes, `with new.edit() as p: p.flat[...] = old.parameters().flat` "
                f"copies them"
            )

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the output for one sample of ``input_shape``; raises ShapeError where it can't be."""
        raise NotImplementedError(f"{type(self).__name__} does not define output_shape")

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Shapes of the parameters by name, in order, for one sample of ``input_shape``."""
        return {}

    def initializer(self, parameter: str) -> Initializer:
        """How ``parameter`` is drawn: He for "W", zero for all others, unless a layer says otherwise."""
        return initializers.He() if parameter == "W" else initializers.Constant(0.0)

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Shapes of the state by name, for one sample of ``input_shape``.

        State is what training changes though no gradient touches it, such as running statistics. It is
        drawn by `initializer`, a pass finds it in ``context.state``, and an optimizer's step puts
        `next_state` in its place.
        """
        return {}

    def next_state(self, state: Params, saved: Any) -> Params:
        """The state after a training pass that began with ``state`` and saved ``saved``."""
        return state

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        """Result (N, ...) for ``x`` (N, ...) and ``params`` by name, and what backward needs.

        The result is y where ``activation.in_op``, as a ReLU is; else z, and the pass applies the activation.
        ``context`` says what else there is to know of the pass. Nothing that is given may be written to.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        """Gradient dx of the input, and the gradients of the parameters by name.

        ``dz`` (N, ...) is the gradient before the activation: the pass has taken it through that.
        ``saved`` is what `forward` kept, ``params`` are those of its call, ``context`` says what else there
        is to know. Shapes are those of the input and of the parameters.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define backward")

    def without_activation(self) -> Self:
        """A copy that gives z, what goes into the activation."""
        bare = copy(self)
        bare.activation = IDENTITY
        return bare

    def computes_as(self, kind: type[Layer]) -> bool:
        """Whether this is a ``kind`` and its ``forward`` is the one that ``kind`` was written with."""
        forward = getattr(self.forward, "__func__", None)
        return isinstance(self, kind) and forward is kind._own_forward

    def differentiates_as(self, kind: type[Layer]) -> bool:
        """Whether this is a ``kind`` and its ``backward`` is the one that ``kind`` was written with."""
        backward = getattr(self.backward, "__func__", None)
        return isinstance(self, kind) and backward is kind._own_backward

    def says(self, name: str) -> bool:
        """Whether its class itself defines ``name``, and ``forward`` is the one it was written with."""
        return name in vars(type(self)) and self.computes_as(type(self))

    def channel_map(self, arrays: Params) -> tuple[Array, Array, Array]:
        """Center, scale and shift (C,) in float64: y = (x - center) * scale + shift, in inference.

        For a layer whose ``forward`` does that to each of C channels and no more: `predict` then puts it into
        the weights of a convolution or dense layer right before. ``arrays`` are its parameters and state.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define channel_map")

    def multiply_adds(self, input_shape: Shape) -> int:
        """Multiply-adds of one sample's forward pass (``input_shape``), biases not counted."""
        return 0

    def im2col_cells(self, input_shape: Shape) -> int:
        """Cells of one sample's column matrix (``input_shape``), were it built whole."""
        return 0

    def facts(self) -> dict[str, str]:
        """What the summary says of this layer alone: filters, kernel, stride, padding, groups, details.

        Facts of other names are shown by ``repr`` only.
        """
        return {}

    def __repr__(self) -> str:
        facts = "".join(f", {key}={value}" for key, value in self.facts().items())
        return f"<{type(self).__name__} {self.name or '(unnamed)'}{facts}>"


class naming:  # noqa: N801 - it reads as a verb where it is used
    """Put the layer's name before the text of an error raised inside."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TinyCNNError):
            error.args = (f"{self._layer.name} ({type(self._layer).__name__}): {error}",)


def given_initializer(given: Initializer | None, usual: Initializer) -> Initializer:
    """Check an initializer that a layer was given; None is the ``usual`` one."""
    if given is not None and not callable(given):
        raise ArgumentError(f"an initializer is called as f(out, rng), got {given!r}")
    return usual if given is None else given
