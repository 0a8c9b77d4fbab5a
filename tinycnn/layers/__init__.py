"""Layers: configuration, and a few lines over the ops. A layer never owns arrays.

`Layer` is the door for built-in layers and for yours alike: shapes without the batch axis at
construction, ``params`` (a dict of arrays) and a context at every pass. A `Registry` finds what the
rest of the house knows of a layer.
"""

# Below the docstring written by `python -m tools`, from the files' __all__; do not edit.

from tinycnn.layers.activation import IDENTITY, RELU, SOFTMAX, Activation
from tinycnn.layers.average_pool2d import AveragePool2D
from tinycnn.layers.base import Layer
from tinycnn.layers.batch_normalization import BatchNormalization
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.layers.conv2d import Conv2D
from tinycnn.layers.dense import Dense
from tinycnn.layers.dropout import Dropout
from tinycnn.layers.flatten import Flatten
from tinycnn.layers.global_average_pool2d import GlobalAveragePool2D
from tinycnn.layers.local_response_norm import LocalResponseNorm
from tinycnn.layers.max_pool2d import MaxPool2D
from tinycnn.layers.registry import Registry
from tinycnn.layers.relu import ReLU
from tinycnn.layers.softmax import Softmax

__all__ = [
    "IDENTITY",
    "RELU",
    "SOFTMAX",
    "Activation",
    "AveragePool2D",
    "BackwardContext",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "ForwardContext",
    "GlobalAveragePool2D",
    "Layer",
    "LocalResponseNorm",
    "MaxPool2D",
    "Params",
    "ReLU",
    "Registry",
    "Shape",
    "Softmax",
]
