"""Small networks for the tests of models and traces, two layers of a user's, and a gradient check."""

import numpy as np

import tinycnn as tc
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)


class Scale(Layer):
    """y = scale * x, with a factor for each channel; a user's layer with a parameter."""

    stem = "scale"

    def output_shape(self, input_shape):
        return input_shape

    def parameter_shapes(self, input_shape):
        return {"scale": input_shape[-1:]}

    def initializer(self, parameter):
        return lambda out, rng: out.__setitem__(..., rng.uniform(0.5, 1.5, out.shape))

    def forward(self, params, x, context):
        return x * params["scale"], x

    def backward(self, params, dy, saved, context):
        axes = tuple(range(dy.ndim - 1))
        return dy * params["scale"], {"scale": (dy * saved).sum(axis=axes)}


class Square(Layer):
    """y = x * x; a user's layer without parameters."""

    stem = "square"

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return x * x, x

    def backward(self, params, dy, saved, context):
        return 2 * saved * dy, {}


def without_dense_maps():
    """The layers that `every_layer` has no place for, for `IMAGE`; the last gives 5 classes."""
    return [
        BatchNormalization(),
        Conv2D(4, 3, activation="relu"),
        GlobalAveragePool2D(),
        Dense(5, activation="softmax"),
    ]


def every_layer():
    """Each kind of layer that goes on as images, the user's too, for `IMAGE`; the last gives 5 classes."""
    return [
        Conv2D(4, (3, 2), padding="same", activation="relu"),
        LocalResponseNorm(size=3, alpha=0.1),
        MaxPool2D(3, stride=2),
        Conv2D(6, 3, padding=1, groups=2),
        ReLU(),
        AveragePool2D((2, 1), padding=((0, 1), (0, 0))),
        Scale(),
        Square(),
        Flatten(),
        Dropout(0.3),
        Dense(8, activation="relu"),
        Dense(5),
        Softmax(),
    ]


IMAGE = (11, 9, 3)


def whole_net(**options):
    """A model of `every_layer`."""
    return tc.Sequential(every_layer(), IMAGE, **options)


def plain_net(**options):
    """Convolution, pool and dense softmax: a model as people build it, for `IMAGE`."""
    layers = [
        Conv2D(4, 3, stride=2, activation="relu"),
        MaxPool2D(2),
        Dense(5, activation="softmax"),
    ]
    return tc.Sequential(layers, IMAGE, **options)


def images(count, shape=IMAGE, seed=0, dtype=np.float32):
    """Random inputs."""
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(dtype)


def errors_of_gradients(model, x, *, key=3, step=1e-5, seed=0):
    """How far each gradient lies from central differences along a random direction.

    For every parameter and for "x", of <y, dy> with a random dy: relative to the larger of the two
    slopes. The masks of dropout are those of ``key``.
    """
    rng = np.random.default_rng(seed)
    dy = rng.standard_normal((len(x), *model.shapes[-1]))
    trace = model.trace(x, training=True, rng=key)
    gradients = dict(trace.backward(dy, keep=True))
    gradients["x"] = trace.records[0].dx

    def objective(name, change):
        if name == "x":
            return np.vdot(model.trace(x + change, training=True, rng=key).y, dy)
        with model.edit() as parameters:
            before = parameters[name].copy()
            parameters[name] = before + change
        y = model.trace(x, training=True, rng=key).y
        with model.edit() as parameters:
            parameters[name] = before
        return np.vdot(y, dy)

    errors = {}
    for name, gradient in gradients.items():
        direction = rng.standard_normal(gradient.shape)
        rise = objective(name, step * direction) - objective(name, -step * direction)
        slope, expected = rise / (2 * step), np.vdot(gradient, direction)
        errors[name] = abs(slope - expected) / max(abs(slope), abs(expected))
    return errors
