"""What the training images have in common: their mean, and how their colours vary together."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.data.batches import batches
from tinycnn.data.dataset import Dataset
from tinycnn.pictures.fitting import LUMA

_AT_ONCE = 256  # images


def colour_moments(dataset: Dataset) -> tuple[Array, Array]:
    """The mean (C,) and the covariance (C, C) of the pixels of all images, each channel a variable.

        mean = sum x / n;   covariance = sum (x - mean) (x - mean)^T / n

    Of whole numbers up to 255 all sums are exact in float64; others are summed in the images' order.
    """
    return _moments(dataset, "ni,nj->ij")


def channel_statistics(dataset: Dataset, *, grey: bool = False) -> tuple[Array, Array]:
    """The mean and the standard deviation (C,) of each channel over the pixels of all images.

    With ``grey`` those of the luma of 3 colours, w . x, (1,): w . mean, and sqrt(w^T covariance w). Of a
    channel that is the same everywhere the deviation is given as 1, for it divides.
    """
    if grey and dataset.image_shape[2] == 3:
        mean, covariance = colour_moments(dataset)
        mean, variance = LUMA[None] @ mean, LUMA[None] @ covariance @ LUMA
    else:
        mean, variance = _moments(dataset, "ni,ni->i")
    deviation = np.sqrt(np.maximum(variance, 0))
    return mean, np.where(deviation > 0, deviation, 1.0)


def _moments(dataset: Dataset, product: str) -> tuple[Array, Array]:
    """The mean (C,), and that of a ``product`` of how far pixels are off it: each channel, or all pairs."""
    C = dataset.image_shape[2]
    middle, sums, products, count = np.zeros(C), np.zeros(C), np.zeros(()), 0
    for x, _ in batches(dataset, _AT_ONCE, shuffle=False, dtype="float64"):
        pixels = x.reshape(-1, C)
        if not count:  # so that what is subtracted in the end is no large number
            middle = np.rint(pixels.mean(axis=0))
        pixels = pixels - middle
        sums += pixels.sum(axis=0)
        # Without BLAS, whose order has no promise.
        products = products + np.einsum(product, pixels, pixels)
        count += len(pixels)
    shift = sums / count
    return middle + shift, products / count - np.einsum(product, shift[None], shift[None])


def mean_image(dataset: Dataset) -> Array:
    """The mean (H, W, C) of all images, pixel by pixel."""
    total = np.zeros(dataset.image_shape)
    for x, _ in batches(dataset, _AT_ONCE, shuffle=False, dtype="float64"):
        total += x.sum(axis=0)
    return total / len(dataset)
