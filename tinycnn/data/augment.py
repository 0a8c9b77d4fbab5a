"""Steps between images as they are stored and a batch: resized, cut out, mirrored.

A step is called with images (N, H, W, C). One that draws says how many numbers it wants for each image,
``draws``, and is called with these as well: (N, draws), uniform in [0, 1).
"""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import DTypeError, ShapeError
from tinycnn.pictures.resizing import covering, middle
from tinycnn.shapes import times
from tinycnn.validation import Pair, check_number, check_pair


class Resize:
    """Resize images to cover ``size`` (H, W), an int for a square, and cut the middle out.

    Their proportions are kept. A smaller image's pixel is the mean of the area that it covers, a larger one's
    lies on the straight line between the two nearest; of uint8 both are rounded. So do `folder` and ``tinycnn
    step``. Raises DTypeError for numbers that are neither uint8 nor floats.
    """

    def __init__(self, size: int | Pair) -> None:
        self.size = check_pair(size, "size")

    def __call__(self, images: Array) -> Array:
        """Give images (N, H, W, C) in the new size."""
        if images.dtype != np.uint8 and images.dtype.kind != "f":
            raise DTypeError(f"Resize takes images of uint8 or floats, got {images.dtype}")
        size = covering((images.shape[1], images.shape[2]), self.size)
        return np.stack([middle(image, size, self.size) for image in images])


class CenterCrop:
    """Cut the middle ``size`` (H, W) out of each image, an int for a square; an odd pixel is left at the end.

    Raises ShapeError for smaller images, as the other crops do.
    """

    def __init__(self, size: int | Pair) -> None:
        self.size = check_pair(size, "size")

    def __call__(self, images: Array) -> Array:
        """Give images (N, H, W, C), cut."""
        rows, columns = _room(images, self.size)
        return _cut(images, rows // 2, columns // 2, self.size)


class RandomCrop:
    """Cut ``size`` (H, W) out of each image at random, an int for a square, all places being equally likely.

    ``padding`` zeros are put around it first (an int, or rows and columns): behind `Standardize` they are the
    mean. Its place is (floor(u * (H_in + 2 padding - H + 1)), and so for columns) for u uniform in [0, 1).
    Source: Krizhevsky et al. 2012, section 4.1 (224 x 224 out of 256 x 256); with padding, He et al., "Deep
    residual learning for image recognition", 2016, section 4.2.
    """

    draws = 2

    def __init__(self, size: int | Pair, padding: int | Pair = 0) -> None:
        self.size = check_pair(size, "size")
        self.padding = check_pair(padding, "padding", least=0)

    def __call__(self, images: Array, numbers: Array) -> Array:
        """Give images (N, H, W, C), each cut by its ``numbers`` (N, 2)."""
        (rows, columns), (H, W) = self.padding, self.size
        if rows or columns:
            images = np.pad(images, ((0, 0), (rows, rows), (columns, columns), (0, 0)))
        room = _room(images, self.size)
        places = (numbers * (np.array(room) + 1)).astype(np.int64).tolist()
        cut = np.empty((len(images), H, W, images.shape[3]), images.dtype)
        for image, target, (top, left) in zip(images, cut, places, strict=True):
            target[...] = image[top : top + H, left : left + W]
        return cut


class Mirror:
    """Turn each image's left and right with ``probability``: where u < probability, for u uniform in [0, 1).

    Source: Krizhevsky et al. 2012, section 4.1. Not for digits and letters, whose mirror images are others.
    """

    draws = 1

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = check_number(probability, "probability", below=1 + 1e-12)

    def __call__(self, images: Array, numbers: Array) -> Array:
        """Give images (N, H, W, C), some of them turned by their ``numbers`` (N, 1)."""
        turned = numbers[:, 0] < self.probability
        mirrored = images.copy()
        mirrored[turned] = images[turned, :, ::-1]
        return mirrored


class TenCrop:
    """Cut ten ``size`` (H, W) out of each image: corners, middle, and the mirror images of these.

    Images (N, H, W, C) become (N, 10, H, W, C): upper left, upper right, lower left, lower right, middle. A
    network predicts all of them, and `mean` is its answer:

        y = crops.mean(model.predict(x.reshape(-1, *x.shape[2:])))

    Source: Krizhevsky et al. 2012, section 4.1.
    """

    def __init__(self, size: int | Pair) -> None:
        self.size = check_pair(size, "size")

    def __call__(self, images: Array) -> Array:
        """Give (N, 10, H, W, C)."""
        rows, columns = _room(images, self.size)
        corners = [(top, left) for top in (0, rows) for left in (0, columns)]
        places = [*corners, (rows // 2, columns // 2)]
        five = np.stack([_cut(images, *place, self.size) for place in places], axis=1)
        return np.concatenate([five, five[:, :, :, ::-1]], axis=1)

    @staticmethod
    def mean(y: Array) -> Array:
        """The mean (N, K) over each image's ten of ``y`` (10 N, K). Raises ShapeError for other numbers."""
        if y.ndim != 2 or len(y) % 10:
            raise ShapeError(f"y must be (10 N, K), ten rows an image, got shape {y.shape}")
        means: Array = y.reshape(-1, 10, y.shape[1]).mean(axis=1)
        return means


def _room(images: Array, size: Pair) -> Pair:
    """Rows and columns by which images are larger than ``size``."""
    rows, columns = (old - new for old, new in zip(images.shape[1:3], size, strict=True))
    if rows < 0 or columns < 0:
        raise ShapeError(
            f"a crop of {times(size)} does not fit into images of {times(images.shape[1:3])}; resize or pad "
            f"them"
        )
    return rows, columns


def _cut(images: Array, top: int, left: int, size: Pair) -> Array:
    return images[:, top : top + size[0], left : left + size[1]]
