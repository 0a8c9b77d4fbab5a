"""Networks that predict does by Winograd's algorithm and directly, and their outputs in float64."""

import copy

import numpy as np

import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D

BOUND = 2e-5  # of the largest output: some layers by Winograd's algorithm in float32


def in_float64(model, x):
    """The recorded pass of the same weights in float64, by im2col."""
    wide = tc.Sequential(twin_layers(model), model.input_shape, dtype="float64")
    with wide.edit() as parameters:
        for name, array in model.parameters().items():
            parameters[name] = array.astype(np.float64)
    wide.update_state(model.state())
    return wide.trace(x.astype(np.float64)).y


def twin_layers(model):
    twins = [copy.copy(layer) for layer in model.layers]
    for twin in twins:
        if isinstance(twin, Conv2D):
            twin.algorithm = "im2col"
    return twins


def with_biases(model, seed=5):
    rng = np.random.default_rng(seed)
    with model.edit() as parameters:
        for array in parameters.values():
            if array.ndim == 1:
                array[...] = rng.standard_normal(array.shape)
    return model


def winograd_net(**options):
    """Convolutions of both kernels and of strided squares, pools between, odd numbers of channels."""
    layers = [
        Conv2D(20, 7, stride=2, activation="relu"),
        MaxPool2D(3, stride=2),
        Conv2D(36, 5, padding=2, activation="relu", algorithm="winograd"),
        Conv2D(17, 3, padding=((1, 0), (0, 2)), algorithm="winograd"),
        MaxPool2D((2, 3), padding=(1, 1), ceil_mode=True),
        Dropout(0.5),
        Dense(23, activation="relu"),
        Dense(10, activation="softmax"),
    ]
    return with_biases(tc.Sequential(layers, (47, 41, 3), **options))


def direct_net(**options):
    """Convolutions whose windows are read where they lie, between others: first, last, with no border."""
    layers = [
        Conv2D(20, 3, padding=1, activation="relu", algorithm="direct"),
        Conv2D(9, 1, algorithm="direct"),
        Conv2D(17, 3, padding=1, algorithm="winograd"),
        Conv2D(70, (3, 2), stride=2, padding=((1, 0), (0, 2)), dilation=(1, 2), algorithm="direct"),
        MaxPool2D(2),
        Conv2D(5, 3, padding=2, activation="relu", algorithm="direct"),
    ]
    return with_biases(tc.Sequential(layers, (47, 41, 3), **options))
