"""Layers: configuration, and a few lines over the ops. A layer never owns arrays.

`Layer` is the door for built-in layers and for yours alike: shapes without the batch axis at
construction, ``params`` (a dict of arrays) and a `Context` at every pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import signature
from types import MappingProxyType
from typing import Any

from tinycnn import initializers, ops
from tinycnn.arguments import ALGORITHMS, MOST_CELLS, lrn_coefficients, number, one_of, pair, whole
from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError, ShapeError, TinyCNNError
from tinycnn.initializers import Initializer
from tinycnn.ownership import owner
from tinycnn.shapes import Padding, Window, pool_window, times, window
from tinycnn.wording import many

Shape = tuple[int, ...]
Params = Mapping[str, Array]


@dataclass(frozen=True)
class Context:
    """What a pass tells its layers besides the data.

    ``training`` turns dropout on, and ``rng``, ``layer`` and ``first_sample`` are what its masks are
    drawn by: the pass's 64-bit key, the layer's place, the number of the batch's first image.
    ``algorithm`` is that of all convolutions, None for each layer's own. Where ``need_dx`` is False,
    backward may return None for dx; ``at_logits`` says that dy is already the gradient before the
    layer's activation; in ``out``, backward may write its gradients.
    """

    training: bool = False
    rng: int = 0  # the 64-bit key of this pass's random masks
    layer: int = 0  # the layer's place in the model, so that masks differ from layer to layer
    first_sample: int = 0  # the number of the batch's first image, so that masks follow the image
    algorithm: str | None = None  # of all convolutions; None: each layer's own
    need_dx: bool = True  # False: backward may return None for dx
    at_logits: bool = False  # True: dy is already the gradient before the layer's activation
    out: Params = field(default_factory=dict)  # where backward may write its gradients


class Layer:
    """Base of all layers. Yours defines `output_shape`, `forward`, `backward`, and what else it has.

    Shapes here are those of one sample: (H, W, C) or (D,). ``forward`` returns its result and
    ``saved``, whatever its ``backward`` needs; nothing is kept in the layer, so one layer serves
    many threads at once.

    ``name`` is that of its records and parameters; None lets the model give one (conv1, conv2, ...).
    Constructors raise ArgumentError for an argument outside its range; where a layer does not fit its
    input, building the model raises ShapeError.

    In a model, what a built-in layer's constructor takes is fixed, and so are the name and the shapes
    of every layer: shapes, parameters and plans are made of these.
    """

    name: str | None = None
    stem = "layer"  # of names given by the model: "conv" for conv1, conv2, ...
    activation: str | None = None
    draws = False  # True: in training, forward draws from context.rng
    batch_independent = (
        True  # in inference; False: the samples of a batch change each other's result
    )

    _fixed = frozenset({"name", "output_shape", "parameter_shapes"})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ == __name__:
            cls._fixed = cls._fixed.union(signature(cls).parameters)

    def __init__(self, *, name: str | None = None) -> None:
        self.name = name

    def __setattr__(self, name: str, value: Any) -> None:
        self._refuse_fixed(name)
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

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        """Result (N, ...) for ``x`` (N, ...) and ``params`` by name, and what backward needs.

        ``context`` says what else there is to know of the pass. Nothing that is given may be written to.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        """Gradient dx of the input, and the gradients of the parameters by name.

        ``dy`` (N, ...) is the gradient of what `forward` returned, ``saved`` what it kept, ``params`` and
        ``context`` are those of its call. Shapes are those of the input and of the parameters.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define backward")

    def logits(self, params: Params, x: Array, saved: Any, context: Context) -> Array | None:
        """What went into the activation, for layers that have one; None for others.

        ``params``, ``x`` and ``context`` are those of `forward`, ``saved`` is what it kept.
        """
        return None

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


@contextmanager
def naming(layer: Layer) -> Iterator[None]:
    """Put the layer's name before the text of an error raised inside."""
    try:
        yield
    except TinyCNNError as error:
        error.args = (f"{layer.name} ({type(layer).__name__}): {error}",)
        raise


def is_built_in(layer: Layer, *kinds: type[Layer]) -> bool:
    """Whether ``layer`` does what one of ``kinds`` does: not if it extends it, or forward is replaced."""
    forward = getattr(layer.forward, "__func__", None)
    return type(layer) in kinds and forward is _FORWARDS[type(layer)]


def returned(result: Any, method: str, parts: str) -> tuple[Any, Any]:
    """Give the two parts that a layer's method must return; an array would come apart in silence."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError(f"{method} must return a tuple ({parts}), got {type(result).__name__}")
    return result


class _Image(Layer):
    """A layer that takes images (H, W, C)."""

    def _image(self, input_shape: Shape) -> tuple[int, int, int]:
        if len(input_shape) != 3:
            raise ShapeError(
                f"takes images (H, W, C), but its input has shape {tuple(input_shape)}; put it before "
                f"the layer that flattens them"
            )
        H, W, C = input_shape
        return H, W, C


class Conv2D(_Image):
    """Convolution of (H, W, C) with ``filters`` kernels, and bias: (OH, OW, filters).

    ``kernel stride dilation`` are an int or (height, width); ``padding`` as in `shapes.window`.
    ``activation`` is None or "relu", ``algorithm`` as in `ops.conv2d`. Parameters: ``W``
    (KH, KW, C // groups, filters), drawn by He's rule, and ``b`` (filters,), zero, unless
    ``weight_initializer`` and ``bias_initializer`` say otherwise.
    """

    stem = "conv"

    def __init__(
        self,
        filters: int,
        kernel: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        activation: str | None = None,
        algorithm: str = "auto",
        weight_initializer: Initializer | None = None,
        bias_initializer: Initializer | None = None,
        name: str | None = None,
    ) -> None:
        one_of(activation, (None, "relu"), "activation")
        one_of(algorithm, ALGORITHMS, "algorithm")
        self.filters = whole(filters, "filters", most=MOST_CELLS)
        self.kernel = pair(kernel, "kernel")
        self.stride = pair(stride, "stride")
        self.padding = _fixed_padding(padding)
        self.dilation = pair(dilation, "dilation")
        self.groups = whole(groups, "groups")
        self.activation = activation
        self.algorithm = algorithm
        self.weight_initializer = _initializer(weight_initializer, initializers.He())
        self.bias_initializer = _initializer(bias_initializer, initializers.Constant(0.0))
        self.name = name

    def window(self, input_shape: Shape) -> Window:
        """The window that slides over one image of ``input_shape`` (H, W, C)."""
        H, W, _ = self._image(input_shape)
        return window(
            (H, W), self.kernel, stride=self.stride, padding=self.padding, dilation=self.dilation
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        C = self._image(input_shape)[2]
        if C % self.groups or self.filters % self.groups:
            raise ShapeError(
                f"groups must divide the channels and the filters, got "
                f"{many(self.groups, 'group')} for {many(C, 'channel')} and "
                f"{many(self.filters, 'filter')}; use a divisor of "
                f"{math.gcd(C, self.filters)}, or other filters"
            )
        return (*self.window(input_shape).output, self.filters)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        channels = self._image(input_shape)[2] // self.groups
        return {"W": (*self.kernel, channels, self.filters), "b": (self.filters,)}

    def initializer(self, parameter: str) -> Initializer:
        return self.weight_initializer if parameter == "W" else self.bias_initializer

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        y = self._convolve(params, x, context, self.activation)
        return y, (x, y)

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        x, y = saved
        dx, dW, db = ops.conv2d_backward(
            dy,
            x,
            params["W"],
            **self._options(context),
            activation=self.activation,
            y=y,
            need_dx=context.need_dx,
            out=(context.out["W"], context.out["b"]) if context.out else None,
        )
        return dx, {"W": dW, "b": db}

    def logits(self, params: Params, x: Array, saved: Any, context: Context) -> Array | None:
        return saved[1] if self.activation is None else self._convolve(params, x, context, None)

    def multiply_adds(self, input_shape: Shape) -> int:
        return self.filters * self.im2col_cells(input_shape) // self.groups

    def im2col_cells(self, input_shape: Shape) -> int:
        win = self.window(input_shape)
        return math.prod(win.output) * win.cells * input_shape[2]

    def facts(self) -> dict[str, str]:
        facts = {"filters": str(self.filters), **_window_facts(self)}
        facts |= {"groups": str(self.groups)} if self.groups > 1 else {}
        return facts | _details(dilation=(self.dilation, (1, 1)))

    def _convolve(
        self, params: Params, x: Array, context: Context, activation: str | None
    ) -> Array:
        options = self._options(context)
        return ops.conv2d(x, params["W"], params["b"], **options, activation=activation)

    def _options(self, context: Context) -> dict[str, Any]:
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "algorithm": context.algorithm or self.algorithm,
        }


class MaxPool2D(_Image):
    """Maximum of each window: (H, W, C) to (OH, OW, C). The stride is the kernel unless given.

    ``padding``, ``dilation`` and ``ceil_mode`` are as in `ops.max_pool2d`.
    """

    stem = "pool"

    def __init__(
        self,
        kernel: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> None:
        self.kernel = pair(kernel, "kernel")
        self.stride = self.kernel if stride is None else pair(stride, "stride")
        self.padding = _fixed_padding(padding)
        self.dilation = pair(dilation, "dilation")
        self.ceil_mode = ceil_mode
        self.name = name

    def window(self, input_shape: Shape) -> Window:
        """The window that slides over one image of ``input_shape`` (H, W, C)."""
        return pool_window(self._image(input_shape)[:2], **self._options())

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self.window(input_shape).output, input_shape[2])

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        y, winner = ops.max_pool2d(x, **self._options())
        return y, (winner, x.shape)

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        if not context.need_dx:
            return None, {}
        return ops.max_pool2d_backward(dy, *saved, **self._options()), {}

    def facts(self) -> dict[str, str]:
        details = _details(
            dilation=(self.dilation, (1, 1)), ceil_mode=(bool(self.ceil_mode), False)
        )
        return _window_facts(self) | details

    def _options(self) -> dict[str, Any]:
        return {
            "kernel": self.kernel,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "ceil_mode": self.ceil_mode,
        }


class AveragePool2D(_Image):
    """Mean of each window: (H, W, C) to (OH, OW, C). The stride is the kernel unless given.

    ``padding``, ``ceil_mode`` and ``count_include_pad`` are as in `ops.avg_pool2d`.
    """

    stem = "pool"

    def __init__(
        self,
        kernel: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        name: str | None = None,
    ) -> None:
        self.kernel = pair(kernel, "kernel")
        self.stride = self.kernel if stride is None else pair(stride, "stride")
        self.padding = _fixed_padding(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.name = name

    def window(self, input_shape: Shape) -> Window:
        """The window that slides over one image of ``input_shape`` (H, W, C)."""
        return pool_window(
            self._image(input_shape)[:2],
            self.kernel,
            stride=self.stride,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self.window(input_shape).output, input_shape[2])

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        return ops.avg_pool2d(x, **self._options()), x.shape

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        if not context.need_dx:
            return None, {}
        return ops.avg_pool2d_backward(dy, saved, **self._options()), {}

    def facts(self) -> dict[str, str]:
        details = _details(
            ceil_mode=(bool(self.ceil_mode), False),
            count_include_pad=(bool(self.count_include_pad), True),
        )
        return _window_facts(self) | details

    def _options(self) -> dict[str, Any]:
        return {
            "kernel": self.kernel,
            "stride": self.stride,
            "padding": self.padding,
            "ceil_mode": self.ceil_mode,
            "count_include_pad": self.count_include_pad,
        }


class Dense(Layer):
    """Fully connected: any input, flattened row-major to D cells, to ``units``.

    ``activation`` is None, "relu" or "softmax". Parameters: ``W`` (D, units) and ``b`` (units,),
    drawn as in `Conv2D`.
    """

    stem = "dense"

    def __init__(
        self,
        units: int,
        *,
        activation: str | None = None,
        weight_initializer: Initializer | None = None,
        bias_initializer: Initializer | None = None,
        name: str | None = None,
    ) -> None:
        one_of(activation, (None, "relu", "softmax"), "activation")
        self.units = whole(units, "units", most=MOST_CELLS)
        self.activation = activation
        self.weight_initializer = _initializer(weight_initializer, initializers.He())
        self.bias_initializer = _initializer(bias_initializer, initializers.Constant(0.0))
        self.name = name

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.units,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"W": (math.prod(input_shape), self.units), "b": (self.units,)}

    def initializer(self, parameter: str) -> Initializer:
        return self.weight_initializer if parameter == "W" else self.bias_initializer

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        if self.activation == "softmax":  # the loss wants its logits
            z = ops.dense(x, params["W"], params["b"])
            y = ops.softmax(z)
            return y, (x, y, z)
        y = ops.dense(x, params["W"], params["b"], activation=self.activation)
        return y, (x, y, None if self.activation else y)

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        x, y, _ = saved
        dx, dW, db = ops.dense_backward(
            dy,
            x,
            params["W"],
            activation=None if context.at_logits else self.activation,
            y=y,
            need_dx=context.need_dx,
            out=(context.out["W"], context.out["b"]) if context.out else None,
        )
        return dx, {"W": dW, "b": db}

    def logits(self, params: Params, x: Array, saved: Any, context: Context) -> Array | None:
        kept: Array | None = saved[2]
        return ops.dense(x, params["W"], params["b"]) if kept is None else kept

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(input_shape) * self.units

    def facts(self) -> dict[str, str]:
        return {"filters": str(self.units)}


class Dropout(Layer):
    """Drop cells with probability ``rate`` in training and scale up the rest; else the identity."""

    stem = "dropout"

    def __init__(self, rate: float = 0.5, *, name: str | None = None) -> None:
        self.rate = number(rate, "rate", below=1)
        self.name = name

    @property
    def draws(self) -> bool:  # type: ignore[override]
        return self.rate > 0

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        if not context.training:
            return x, None
        return ops.dropout(
            x, self.rate, context.rng, first_sample=context.first_sample, layer=context.layer
        )

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        return (dy if saved is None else ops.dropout_backward(dy, saved, self.rate)), {}

    def facts(self) -> dict[str, str]:
        return {"filters": f"rate {self.rate:g}"}


class ReLU(Layer):
    """max(0, x) as a layer of its own."""

    stem = "relu"
    activation = "relu"

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        y = ops.relu(x)
        return y, y

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        return ops.relu_backward(dy, saved), {}

    def logits(self, params: Params, x: Array, saved: Any, context: Context) -> Array | None:
        return x


class Softmax(Layer):
    """Probabilities over the last axis."""

    stem = "softmax"
    activation = "softmax"

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        y = ops.softmax(x)
        return y, y

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        return (dy if context.at_logits else ops.softmax_backward(dy, saved)), {}

    def logits(self, params: Params, x: Array, saved: Any, context: Context) -> Array | None:
        return x


class Flatten(Layer):
    """(H, W, C) to ``(H*W*C,)``, row-major. `Dense` does this by itself."""

    stem = "flatten"

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        return dy.reshape(saved), {}


class LocalResponseNorm(_Image):
    """Local response normalisation across channels; arguments as in `ops.local_response_norm`."""

    stem = "norm"

    def __init__(
        self,
        *,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 2.0,
        alpha_over_size: bool = False,
        name: str | None = None,
    ) -> None:
        lrn_coefficients(size, alpha, beta, k, alpha_over_size)
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k
        self.alpha_over_size = alpha_over_size
        self.name = name

    @property
    def options(self) -> Mapping[str, Any]:
        """The arguments of `ops.local_response_norm`."""
        names = ("size", "alpha", "beta", "k", "alpha_over_size")
        return MappingProxyType({name: getattr(self, name) for name in names})

    def output_shape(self, input_shape: Shape) -> Shape:
        return self._image(input_shape)

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        return ops.local_response_norm(x, **self.options), x

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        return ops.local_response_norm_backward(dy, saved, **self.options), {}

    def facts(self) -> dict[str, str]:
        size, alpha, beta, k, alpha_over_size = self.options.values()
        usual = _details(alpha=(alpha, 1e-4), beta=(beta, 0.75)).get("details")
        dialect = "a = alpha/size" if alpha_over_size else "a = alpha"
        details = f"k {k:g}, {dialect}" + (f", {usual}" if usual else "")
        return {"filters": f"n {size}", "details": details}


# As they are written above, whatever is put in their place later.
_FORWARDS: dict[type[Layer], Any] = {
    kind: kind.forward
    for kind in (
        AveragePool2D, Conv2D, Dense, Dropout, Flatten, LocalResponseNorm, MaxPool2D, ReLU, Softmax,
    )
}  # fmt: skip


def _initializer(given: Initializer | None, usual: Initializer) -> Initializer:
    if given is not None and not callable(given):
        raise ArgumentError(f"an initializer is called as f(out, rng), got {given!r}")
    return usual if given is None else given


def _fixed_padding(padding: Padding) -> Padding:
    """The same padding, in tuples: a list could be changed later."""
    if isinstance(padding, Sequence) and not isinstance(padding, str):
        return tuple(map(_fixed_padding, padding))  # type: ignore[return-value]
    return padding


def _details(**given: tuple[object, object]) -> dict[str, str]:
    """The arguments, each (value, usual value), that are not as usual."""
    details = [f"{name} {value}" for name, (value, usual) in given.items() if value != usual]
    return {"details": ", ".join(details)} if details else {}


def _window_facts(layer: Conv2D | MaxPool2D | AveragePool2D) -> dict[str, str]:
    stride = layer.stride
    return {
        "kernel": times(layer.kernel),
        "stride": str(stride[0]) if stride[0] == stride[1] else times(stride),
        "padding": str(layer.padding),
    }
