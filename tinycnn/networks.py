"""AlexNet and its variants, as data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.initializers import Constant, Gaussian, Initializer
from tinycnn.layers import Conv2D, Dense, Dropout, Layer, LocalResponseNorm, MaxPool2D
from tinycnn.model import Sequential
from tinycnn.validation import MOST_CELLS, check_int


@dataclass(frozen=True)
class Variant:
    """What makes one AlexNet differ from another."""

    input_size: int = 227
    channels: int = 3
    classes: int = 1000
    kernels: tuple[int, int, int, int, int] = (11, 5, 3, 3, 3)
    conv1_stride: int = 4
    conv1_padding: int = 0  # of the others, half their kernel: their maps keep their size
    filters: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256)
    hidden: int = 4096
    groups: int = 1  # of conv2, conv4 and conv5
    norm: LRN | None = None
    dropout: float = 0.5
    dropout_first: bool = True  # dropout before fc1 and fc2; False: after them
    weight_std: float | None = None  # None: He's rule
    hidden_std: float | None = None  # of fc1 and fc2
    bias: float = 0.0  # of conv2, conv4, conv5, fc1 and fc2; all others are 0
    weights: str | None = None  # the file of trained ones, if they come with the package


@dataclass(frozen=True)
class LRN:
    """Local response normalisation of conv1 and conv2, before or after their pools."""

    k: float
    alpha_over_size: bool
    after_pool: bool = False


# "one-tower": the network as most courses print it. "paper": Krizhevsky, Sutskever and Hinton 2012,
# biases of the hidden layers 1. "caffe": bvlc_alexnet. "caffenet": bvlc_reference_caffenet.
# "torchvision": Krizhevsky 2014, "One weird trick", as torchvision has it. "mini": the one-tower's
# rows at an eighth of the widths, for checks and lessons. "fashion": the one-tower's rows for 28 x 28
# pictures of clothing, trained: maps of 28, 13 and 6 cells a side where AlexNet has 55, 27 and 13.
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
    "torchvision": Variant(224, conv1_padding=2, filters=(64, 192, 384, 256, 256)),
    "mini": Variant(99, filters=(12, 32, 48, 48, 32), hidden=512),
    "fashion": Variant(
        28, channels=1, classes=10, kernels=(5, 5, 3, 3, 3), conv1_stride=1, conv1_padding=2,
        filters=(32, 64, 128, 128, 64), hidden=256, dropout=0.25, weights="fashion.npz",
    ),
}  # fmt: skip


def alexnet(
    classes: int | None = None,
    *,
    variant: str = "one-tower",
    trained: bool | None = None,
    rng: int | np.random.Generator | None = 0,
    dtype: str = "float32",
    algorithm: str | None = None,
) -> Sequential:
    """Build AlexNet, ending in a softmax over ``classes``; ``variant`` is a key of `VARIANTS`.

    "fashion" comes with trained weights, for the ten classes of Fashion-MNIST; its input is prepared as
    they were: see `tinycnn.data.Preparation`. ``trained=False`` builds it without them. Other weights are
    random until you load some: He's rule, or for "paper", "caffe" and "caffenet" their own Gaussians and
    biases. ``classes`` None is the variant's own number, 1,000 or 10. ``rng``, of random weights, ``dtype``
    and ``algorithm`` are those of `Sequential`.

    Raises UnknownNameError for a variant that does not exist, ArgumentError for another argument outside
    its range, and for trained weights where there are none.
    """
    chosen = _variant(variant)
    count = chosen.classes if classes is None else check_int(classes, "classes", most=MOST_CELLS)
    if trained is None:
        trained = chosen.weights is not None
    if trained and (chosen.weights is None or count != chosen.classes):
        listed = ", ".join(
            f"{name!r} with {v.classes}" for name, v in VARIANTS.items() if v.weights
        )
        raise ArgumentError(
            f"trained weights come with {listed} classes, got variant={variant!r} with {count:,}; "
            f"trained=False begins with random ones"
        )
    size = (chosen.input_size, chosen.input_size, chosen.channels)
    name = f"AlexNet ({variant})"
    model = Sequential(
        _layers(chosen, count), size, rng=rng, dtype=dtype, algorithm=algorithm, name=name
    )
    if trained:
        with trained_file(variant) as path:
            model.load_weights(path)
    return model


def _variant(name: str) -> Variant:
    if name not in tuple(VARIANTS):
        listed = ", ".join(map(repr, VARIANTS))
        raise UnknownNameError(f"variant must be one of {listed}, got {name!r}")
    return VARIANTS[name]


@contextmanager
def trained_file(variant: str) -> Iterator[Path]:
    """Give the checkpoint with the weights of a ``variant`` that comes trained, while the block lasts."""
    name = _variant(variant).weights
    assert name is not None, f"{variant} does not come trained"
    with resources.as_file(resources.files("tinycnn") / "trained" / name) as path:
        yield path


def _layers(v: Variant, classes: int) -> list[Layer]:
    weights = None if v.weight_std is None else Gaussian(v.weight_std)
    paired = (2, 4, 5)  # the convolutions whose groups and biases are the paper's

    def conv(number: int) -> Conv2D:
        kernel, first = v.kernels[number - 1], number == 1
        return Conv2D(
            v.filters[number - 1], kernel, stride=v.conv1_stride if first else 1,
            padding=v.conv1_padding if first else kernel // 2,
            groups=v.groups if number in paired else 1, activation="relu", weight_initializer=weights,
            bias_initializer=Constant(v.bias if number in paired else 0.0), name=f"conv{number}",
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
            Dropout(v.dropout, name=f"dropout{number}"),
            Dense(
                v.hidden, activation="relu", weight_initializer=initializer,
                bias_initializer=Constant(v.bias), name=f"fc{number}",
            ),
        ]  # fmt: skip
        return layers if v.dropout_first else layers[::-1]

    return [
        conv(1),
        *pool(1),
        conv(2),
        *pool(2),
        *map(conv, (3, 4, 5)),
        *pool(3),
        *hidden(1),
        *hidden(2),
        Dense(classes, activation="softmax", weight_initializer=weights, name="fc3"),
    ]
