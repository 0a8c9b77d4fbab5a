"""What is measured: a piece of work on a network or a layer, with the same numbers for everybody."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench.small_networks import SMALL_NETWORKS
from tinycnn.errors import UnknownNameError
from tinycnn.layers import Conv2D, Dropout, Layer, MaxPool2D
from tinycnn.model import Sequential
from tinycnn.networks import alexnet

RATE, MOMENTUM, WEIGHT_DECAY = 0.001, 0.9, 0.0005  # of the timed training steps
CHECK_RATE = 1.0  # of the checked step, so that its change is not lost beside the weights
CHECKED_IMAGES = 4  # distinct images of the checked training step


@dataclass(frozen=True)
class Workload:
    """One piece of work.

    ``work`` is "forward" (probabilities, or a layer's output), "training" (a whole step), "epoch" (as many
    of them as `tinycnn.bench.epochs` has batches),
    "backward" (one layer's gradients), "pool" and "pool backward" (with winners). ``network`` is a
    key of `tinycnn.networks.VARIANTS` or of `SMALL_NETWORKS`, one of the former's layers
    ("one-tower/conv3"), or a layer by its sizes: "conv H W C F kernel stride padding groups" (1, if
    left out), "pool H W C kernel stride padding". For "op forward" and "op backward" it is one of
    `tinycnn.bench.operations` with its sizes.
    """

    work: str
    network: str
    batch: int


def _convolution(filters: int, kernel: int, stride: int, padding: int, groups: int = 1) -> Layer:
    return Conv2D(
        filters,
        kernel,
        stride=stride,
        padding=padding,
        groups=groups,
        activation="relu",
        name="conv",
    )


def _pool(kernel: int, stride: int, padding: int) -> Layer:
    return MaxPool2D(kernel, stride=stride, padding=padding, name="pool")


_BY_SIZES: dict[str, Callable[..., Layer]] = {"conv": _convolution, "pool": _pool}


def build(network: str, *, dropout: bool = True, dtype: str = "float32") -> Sequential:
    """The network that a workload names, its weights drawn from seed 0; without ``dropout``, none drops."""
    kind, *numbers = network.split()
    if kind in _BY_SIZES:
        H, W, C, *sizes = map(int, numbers)
        return Sequential([_BY_SIZES[kind](*sizes)], (H, W, C), dtype=dtype, name=network)
    if network in SMALL_NETWORKS:
        layers, shape = SMALL_NETWORKS[network]()
        return Sequential(layers, shape, dtype=dtype, name=network)
    variant, _, name = network.partition("/")
    model = alexnet(variant=variant, trained=False, dtype=dtype)
    if name:
        position = position_of(model, name)
        one = [deepcopy(model.layers[position])]
        return Sequential(one, model.shapes[position], dtype=dtype, name=network)
    if dropout:
        return model
    layers = [
        Dropout(0.0, name=layer.name) if layer.draws else deepcopy(layer) for layer in model.layers
    ]
    return Sequential(layers, model.input_shape, dtype=dtype, name=model.name)


def position_of(model: Sequential, name: str) -> int:
    """The place of the layer called ``name``."""
    names = [str(layer.name) for layer in model.layers]
    if name not in names:
        raise UnknownNameError(f"no layer is named {name!r}; there are {', '.join(names)}")
    return names.index(name)


def images(batch: int, shape: tuple[int, ...]) -> Array:
    """Inputs (batch, *shape), standard normal, the same for everybody who asks."""
    return np.random.default_rng(1).standard_normal((batch, *shape), np.float32)


def labels(batch: int, classes: int) -> Array:
    """A label for each input."""
    return np.random.default_rng(2).integers(0, classes, batch)


def repeated(batch: int) -> Array:
    """Which of the `CHECKED_IMAGES` stands at each place of the checked training batch.

    Each stands there as often as the others (where their number divides ``batch``), in a drawn order:
    so the gradient of the mean loss is that of these few, which a slow reference can work out.
    """
    return np.random.default_rng(3).permutation(np.arange(batch) % min(CHECKED_IMAGES, batch))


def upstream(shape: tuple[int, ...]) -> Array:
    """A gradient that comes from the next layer."""
    return np.random.default_rng(4).standard_normal(shape, np.float32)


def sample(array: Array) -> Array:
    """Every 61st number of a large parameter: what is compared of it."""
    flat = array.reshape(-1)
    return flat[::61] if flat.size > 1 << 16 else flat
