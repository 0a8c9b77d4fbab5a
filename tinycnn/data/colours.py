"""Steps on the numbers of images: standardised, and coloured by noise as the training pictures vary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_real_array, cast
from tinycnn.data.dataset import Dataset
from tinycnn.data.statistics import channel_statistics, colour_moments, mean_image
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.validation import check_choice, check_number


class Standardize:
    """Subtract the mean and divide by the standard deviation: x = (images - mean) / deviation.

    ``mean`` and ``deviation`` are numbers, one a channel (C,), or one a pixel (H, W, C). `of` works them out;
    from the training part only, for what is measured on others must not be known from them. Gives float32,
    of float64 images float64. Raises ArgumentError for a deviation that is not above 0.
    """

    def __init__(self, mean: ArrayLike, deviation: ArrayLike = 1.0) -> None:
        self.mean = as_real_array(mean, "mean").astype(np.float64)
        self.deviation = as_real_array(deviation, "deviation").astype(np.float64)
        if not (self.deviation > 0).all() or not np.isfinite(self.mean).all():
            raise ArgumentError(
                f"mean must be finite and deviation above 0, got {mean!r} and {deviation!r}"
            )

    @classmethod
    def of(cls, training: Dataset) -> Standardize:
        """Take each channel's mean and standard deviation over all pixels of ``training``.

        A channel that is the same everywhere becomes 0.
        """
        return cls(*channel_statistics(training))

    @classmethod
    def mean_image(cls, training: Dataset) -> Standardize:
        """Take the mean image of ``training``, to be subtracted and nothing else; put it before any crop.

        Source: Krizhevsky et al. 2012, section 2.
        """
        return cls(mean_image(training))

    def __repr__(self) -> str:
        def shown(value: Array) -> str:
            return f"{value.size} numbers" if value.size > 8 else str(value.round(4).tolist())

        return f"Standardize(mean={shown(self.mean)}, deviation={shown(self.deviation)})"

    def __call__(self, images: Array) -> Array:
        """Give images (..., H, W, C), standardised. Raises ShapeError where they do not fit."""
        x = _floats(images)
        try:
            np.broadcast_shapes(x.shape, self.mean.shape, self.deviation.shape)
        except ValueError:
            raise ShapeError(
                f"the mean's shape is {self.mean.shape}, and the images are {images.shape[1:]}: crop and "
                f"resize after it, not before, or take the statistics of images that are like these"
            ) from None
        standardized: Array = (x - self.mean.astype(x.dtype)) / self.deviation.astype(x.dtype)
        return standardized


class PCANoise:
    """Add to all pixels of an image one colour, drawn as the colours of the training images vary.

        noise = P [a1 s1, a2 s2, a3 s3]^T,   a ~ N(0, sigma^2), new ones for each image

    P, ``vectors`` (3, 3), has the eigenvectors of the covariance of the training pixels' R, G and B as
    columns. s, ``scales`` (3,), are the square roots of its eigenvalues, the standard deviations along them,
    as in the authors' code; ``form="paper"`` has the eigenvalues themselves, as the paper says, of pixels
    from 0 to 1. The authors' code then divides images by 1 + ``sigma``, which is left to you. Normals come of
    uniform numbers by Box and Muller (1958).

    Images are those of the data set, before `Standardize`. Source: Krizhevsky et al. 2012, section 4.1;
    Krizhevsky, cuda-convnet2, 2014. Raises ShapeError for arrays of other shapes, ArgumentError for other
    forms.
    """

    draws = 4

    def __init__(self, vectors: ArrayLike, scales: ArrayLike, sigma: float = 0.1) -> None:
        self.vectors = as_real_array(vectors, "vectors").astype(np.float64)
        self.scales = as_real_array(scales, "scales").astype(np.float64)
        self.sigma = check_number(sigma, "sigma")
        if self.vectors.shape != (3, 3) or self.scales.shape != (3,):
            raise ShapeError(
                f"vectors must be (3, 3) and scales (3,), got {self.vectors.shape} and {self.scales.shape}"
            )

    @classmethod
    def of(cls, training: Dataset, sigma: float = 0.1, form: str = "code") -> PCANoise:
        """Take the eigenvectors and eigenvalues of the pixels of ``training``, largest first."""
        check_choice(form, ("code", "paper"), "form")
        if training.image_shape[2] != 3:
            raise ShapeError(
                f"PCANoise is for images of 3 colours, got {training.image_shape[2]} channels"
            )
        values, vectors = np.linalg.eigh(colour_moments(training)[1])
        values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
        # Of two opposite eigenvectors, the one whose largest part is positive.
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), range(3)])
        white = 255.0 if training.images.dtype == np.uint8 else 1.0
        return cls(vectors, np.sqrt(values) if form == "code" else values / white, sigma)

    def __call__(self, images: Array, numbers: Array) -> Array:
        """Give images (N, H, W, 3), each with its colour added by its ``numbers`` (N, 4)."""
        if images.shape[-1] != 3:
            raise ShapeError(
                f"PCANoise is for images of 3 colours, got shape {images.shape}; leave it out for grey ones"
            )
        x = _floats(images)
        noise = self.noise(numbers).astype(x.dtype)
        noisy: Array = x + noise.reshape(len(x), *[1] * (x.ndim - 2), 3)
        return noisy

    def noise(self, numbers: Array) -> Array:
        """The colours (N, 3) that uniform ``numbers`` (N, 4) lead to."""
        amounts = self.sigma * _normals(numbers)[:, :3] * self.scales
        colours: Array = (amounts[:, None, :] * self.vectors).sum(axis=2)
        return colours


def _normals(uniform: Array) -> Array:
    """Two independent normals of each two uniform numbers in [0, 1), by Box and Muller (1958)."""
    radius = np.sqrt(-2 * np.log1p(-uniform[:, 0::2]))
    angle = 2 * np.pi * uniform[:, 1::2]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _floats(images: Array) -> Array:
    wide: Any = np.float64 if images.dtype == np.float64 else np.float32
    return cast(images, np.dtype(wide))
