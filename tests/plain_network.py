"""A network's forward pass by the operations' naive twins, in float64."""

import math

import numpy as np
from twins import convolved

from tinycnn.kernels import reference
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)


def answers(trace, params, x):
    """What the last layer gives for x (N, ...), before a softmax; dropout's masks are the trace's."""
    for record in trace.records:
        if record is trace.records[-1] and isinstance(record.layer, Softmax):
            return x
        mine = {name: params[f"{record.name}.{name}"] for name in record.params}
        x = _ACTIVATIONS[_activation(trace, record)](_layer(record, mine, x))
    return x


def objective(trace, params, x):
    """The mean cross-entropy against the trace's labels, or the sum of dy * y."""
    y = answers(trace, params, x)
    if trace.labels is None:
        last = trace.records[-1].layer
        return float((trace.dy * (_softmax(y) if last.activation.name == "softmax" else y)).sum())
    losses = [
        math.log(sum(math.exp(value) for value in row)) - row[label]
        for row, label in zip(y, trace.labels, strict=True)
    ]
    return sum(losses) / len(losses)


def slope(trace, name, index, h=1e-6):
    """d(objective)/d(parameter ``name``, or the input "x") by a central difference."""
    wide = {key: np.array(array, np.float64) for key, array in trace.model.parameters().items()}
    wide["x"] = np.array(trace.x, np.float64)
    moved = []
    for move in (h, -h):
        arrays = dict(wide)
        arrays[name] = wide[name].copy()
        arrays[name][index] += move
        x = arrays.pop("x")
        moved.append(objective(trace, arrays, x))
    return (moved[0] - moved[1]) / (2 * h)


def _activation(trace, record):
    """Softmax at the end belongs to the objective."""
    activation = record.layer.activation.name if isinstance(record.layer, Conv2D | Dense) else None
    return None if activation == "softmax" and record is trace.records[-1] else activation


def _softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


_ACTIVATIONS = {None: lambda z: z, "relu": lambda z: np.maximum(z, 0), "softmax": _softmax}


def _layer(record, params, x):
    layer = record.layer
    if isinstance(layer, Conv2D):
        return _convolution(layer, params["W"], params["b"], x)
    if isinstance(layer, Dense):
        return x.reshape(len(x), -1) @ params["W"] + params["b"]
    if isinstance(layer, MaxPool2D | AveragePool2D):
        return _pool(layer, x)
    if isinstance(layer, LocalResponseNorm):
        return _norm(layer, x)
    if isinstance(layer, BatchNormalization):
        return _normalized(record, params, x)
    if isinstance(layer, Dropout):
        return x if record.saved is None else np.where(record.saved, x / (1 - layer.rate), 0)
    if isinstance(layer, Flatten):
        return x.reshape(len(x), -1)
    simple = {ReLU: "relu", Softmax: "softmax"}
    if type(layer) in simple:
        return _ACTIVATIONS[simple[type(layer)]](x)
    # The user's layers of `small_nets`.
    return x * params["scale"] if params else x * x


def _convolution(layer, W, b, x):
    win = layer.window(x.shape[1:])
    pads = [(axis.before, axis.after) for axis in (win.height, win.width)]
    return convolved(
        x, W, b, stride=win.stride, pads=pads, dilation=win.dilation, groups=layer.groups
    )


def _pool(layer, x):
    win = layer.window(x.shape[1:])
    y = np.empty((len(x), *layer.output_shape(x.shape[1:])))
    window = 0, len(x) * len(y[0]), win.kernel, win.stride, win.pad_top_left
    if isinstance(layer, MaxPool2D):
        reference.max_pool2d(x, *window, win.dilation, y, np.empty(y.shape, int))
    else:
        limit = tuple(axis.input + axis.after for axis in (win.height, win.width))
        reference.avg_pool2d(x, *window, limit, layer.count_include_pad, y)
    return y


def _normalized(record, params, x):
    axes, state = tuple(range(x.ndim - 1)), record.context.state
    mean, variance = (np.array(state[name], np.float64) for name in ("mean", "variance"))
    if record.context.training:
        mean, variance = x.mean(axes), x.var(axes)
    return params["gamma"] * (x - mean) / np.sqrt(variance + record.layer.epsilon) + params["beta"]


def _norm(layer, x):
    size, alpha, beta, k, alpha_over_size = layer.options.values()
    rows, y = x.reshape(-1, x.shape[3]), np.empty(x.shape)
    a = alpha / size if alpha_over_size else alpha
    reference.local_response_norm(rows, 0, len(rows), size, a, beta, k, y.reshape(rows.shape))
    return y
