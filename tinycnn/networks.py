"""AlexNet and its variants, as data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinycnn.errors import UnknownNameError
from tinycnn.initializers import Constant, Gaussian, Initializer
from tinycnn.layers import Conv2D, Dense, Dropout, Layer, LocalResponseNorm, MaxPool2D
from tinycnn.model import Sequential
from tinycnn.validation import MOST_CELLS, check_int


@dataclass(frozen=True)
class Variant:
    """What makes one AlexNet differ from another."""

    input_size: int = 227
    conv1_padding: int = 0
    filters: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256)
    hidden: int = 4096
    groups: int = 1  # of conv2, conv4 and conv5
    norm: LRN | None = None
    dropout_first: bool = True  # dropout before fc1 and fc2; False: after them
    weight_std: float | None = None  # None: He's rule
    hidden_std: float | None = None  # of fc1 and fc2
    bias: float = 0.0  # of conv2, conv4, conv5, fc1 and fc2; all others are 0


@dataclass(frozen=True)
class LRN:
    """Local response normalisation of conv1 and conv2, before or after their pools."""

    k: float
    alpha_over_size: bool
    after_pool: bool = False


# "one-tower": the network as most courses print it. "paper": Krizhevsky, Sutskever and Hinton 2012,
# biases of the hidden layers 1. "caffe": bvlc_alexnet. "caffenet": bvlc_reference_caffenet.
# "torchvision": Krizhevsky 2014, "One weird trick", as torchvision has it. "mini": the one-tower's
# rows at an eighth of the widths, for checks and lessons.
VARIANTS = {
    "one-tower": Variant(),
    "paper": Variant(
        groups=2, norm=LRN(2.0, False), dropout_first=False,
        weight_std=0.01, hidden_std=0.01, bias=1.0,
    ),
    "caffe": Variant(
        groups=2, norm=LRN(1.0, True), dropout_first=False,
        weight_std=0.01, hidden_std=0.005, bias=0.1,
    ),
    "caffenet": Variant(
        groups=2, norm=LRN(1.0, True, after_pool=True), dropout_first=False,
        weight_std=0.01, hidden_std=0.005, bias=1.0,
    ),
    "torchvision": Variant(224, 2, (64, 192, 384, 256, 256)),
    "mini": Variant(99, 0, (12, 32, 48, 48, 32), hidden=512),
}  # fmt: skip


def alexnet(
    classes: int = 1000,
    *,
    variant: str = "one-tower",
    rng: int | np.random.Generator | None = 0,
    dtype: str = "float32",
    algorithm: str | None = None,
) -> Sequential:
    """Build AlexNet, ending in a softmax over ``classes``; ``variant`` is a key of `VARIANTS`.

    Weights are random until you load some: He's rule, or for "paper", "caffe" and "caffenet"
    their own Gaussians and biases. ``rng``, ``dtype`` and ``algorithm`` are those of `Sequential`.

    Raises UnknownNameError for a variant that does not exist, ArgumentError for another argument outside
    its range.
    """
    if variant not in tuple(VARIANTS):
        listed = ", ".join(map(repr, VARIANTS))
        raise UnknownNameError(f"variant must be one of {listed}, got {variant!r}")
    chosen = VARIANTS[variant]
    size = (chosen.input_size, chosen.input_size, 3)
    layers = _layers(chosen, check_int(classes, "classes", most=MOST_CELLS))
    name = f"AlexNet ({variant})"
    return Sequential(layers, size, rng=rng, dtype=dtype, algorithm=algorithm, name=name)


def _layers(v: Variant, classes: int) -> list[Layer]:
    weights = None if v.weight_std is None else Gaussian(v.weight_std)
    f1, f2, f3, f4, f5 = v.filters

    def conv(
        name: str, filters: int, kernel: int, padding: int, *, stride: int = 1, paired: bool = False
    ) -> Conv2D:
        return Conv2D(
            filters, kernel, stride=stride, padding=padding, groups=v.groups if paired else 1,
            activation="relu", weight_initializer=weights,
            bias_initializer=Constant(v.bias if paired else 0.0), name=name,
        )  # fmt: skip

    def pool(number: int) -> list[Layer]:
        layers: list[Layer] = [MaxPool2D(3, stride=2, name=f"pool{number}")]
        if v.norm is not None and number < 3:
            norm = LocalResponseNorm(
                k=v.norm.k, alpha_over_size=v.norm.alpha_over_size, name=f"norm{number}"
            )
            layers.insert(1 if v.norm.after_pool else 0, norm)
        return layers

    def hidden(number: int) -> list[Layer]:
        initializer: Initializer | None = None if v.hidden_std is None else Gaussian(v.hidden_std)
        layers: list[Layer] = [
            Dropout(0.5, name=f"dropout{number}"),
            Dense(
                v.hidden, activation="relu", weight_initializer=initializer,
                bias_initializer=Constant(v.bias), name=f"fc{number}",
            ),
        ]  # fmt: skip
        return layers if v.dropout_first else layers[::-1]

    return [
        conv("conv1", f1, 11, v.conv1_padding, stride=4),
        *pool(1),
        conv("conv2", f2, 5, 2, paired=True),
        *pool(2),
        conv("conv3", f3, 3, 1),
        conv("conv4", f4, 3, 1, paired=True),
        conv("conv5", f5, 3, 1, paired=True),
        *pool(3),
        *hidden(1),
        *hidden(2),
        Dense(classes, activation="softmax", weight_initializer=weights, name="fc3"),
    ]
