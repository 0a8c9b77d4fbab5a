"""Networks that people train on a processor: data for the part `small`."""

from __future__ import annotations

from collections.abc import Callable

from tinycnn.layers import Conv2D, Dense, Layer, MaxPool2D, Shape

Plan = tuple[list[Layer], Shape]  # the layers, and the shape of one input


def _conv(filters: int, kernel: int = 3, padding: int = 1) -> Layer:
    return Conv2D(filters, kernel, padding=padding, activation="relu")


def _dense(*widths: int) -> list[Layer]:
    hidden: list[Layer] = [Dense(width, activation="relu") for width in widths]
    return [*hidden, Dense(10, activation="softmax")]


def _digits() -> Plan:
    """scikit-learn's digits, 8 x 8."""
    return [_conv(16), MaxPool2D(2), *_dense(64)], (8, 8, 1)


def _lenet5() -> Plan:
    """LeCun et al. 1998, with ReLU and maxima, as it is taught."""
    convolutions = [_conv(6, 5, 2), MaxPool2D(2), _conv(16, 5, 0), MaxPool2D(2)]
    return [*convolutions, *_dense(120, 84)], (28, 28, 1)


def _mnist() -> Plan:
    """The example of PyTorch and Keras."""
    convolutions = [_conv(32, padding=0), _conv(64, padding=0), MaxPool2D(2)]
    return [*convolutions, *_dense(128)], (28, 28, 1)


def _cifar() -> Plan:
    """Three pairs of convolutions, as VGG has them, for CIFAR-10."""
    pairs = [
        layer
        for filters in (32, 64, 128)
        for layer in (_conv(filters), _conv(filters), MaxPool2D(2))
    ]
    return [*pairs, *_dense(256)], (32, 32, 3)


SMALL_NETWORKS: dict[str, Callable[[], Plan]] = {
    "digits 8 x 8": _digits,
    "LeNet-5": _lenet5,
    "MNIST net": _mnist,
    "CIFAR net": _cifar,
}
