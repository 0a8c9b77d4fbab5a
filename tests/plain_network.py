"""A network's forward pass in plain NumPy and loops, float64, too simple to be wrong."""

import math

import numpy as np

from tinycnn.layers import (
    AveragePool2D,
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
    OH, OW, F = layer.output_shape(x.shape[1:])
    win, group = layer.window(x.shape[1:]), F // layer.groups
    y = np.zeros((len(x), OH, OW, F))
    for oh in range(OH):
        for ow in range(OW):
            for i in range(win.kernel[0]):
                for j in range(win.kernel[1]):
                    h = oh * win.stride[0] - win.pad_top_left[0] + i * win.dilation[0]
                    w = ow * win.stride[1] - win.pad_top_left[1] + j * win.dilation[1]
                    if 0 <= h < x.shape[1] and 0 <= w < x.shape[2]:
                        for f in range(F):
                            first = f // group * W.shape[2]
                            cells = x[:, h, w, first : first + W.shape[2]]
                            y[:, oh, ow, f] += (cells * W[i, j, :, f]).sum(axis=1)
    return y + b


def _pool(layer, x):
    OH, OW, C = layer.output_shape(x.shape[1:])
    win = layer.window(x.shape[1:])
    y = np.zeros((len(x), OH, OW, C))
    ends = [axis.input + axis.after for axis in (win.height, win.width)]
    for oh in range(OH):
        for ow in range(OW):
            cells, counted = [], 0
            for i in range(win.kernel[0]):
                for j in range(win.kernel[1]):
                    h = oh * win.stride[0] - win.pad_top_left[0] + i * win.dilation[0]
                    w = ow * win.stride[1] - win.pad_top_left[1] + j * win.dilation[1]
                    inside = 0 <= h < x.shape[1] and 0 <= w < x.shape[2]
                    cells += [x[:, h, w]] if inside else []
                    counted += inside or (h < ends[0] and w < ends[1])
            if isinstance(layer, MaxPool2D):
                y[:, oh, ow] = np.max(cells, axis=0)
            else:
                y[:, oh, ow] = sum(cells) / (counted if layer.count_include_pad else len(cells))
    return y


def _norm(layer, x):
    size, alpha, beta, k, alpha_over_size = layer.options.values()
    y = np.empty_like(x)
    for c in range(x.shape[3]):
        near = x[..., max(c - size // 2, 0) : c + size // 2 + 1]
        y[..., c] = (
            x[..., c] * (k + alpha / (size if alpha_over_size else 1) * (near**2).sum(-1)) ** -beta
        )
    return y
