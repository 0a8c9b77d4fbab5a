"""An epoch of pictures to train on, the same for everybody: drawn, augmented, cut into batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench.work import Workload
from tinycnn.data import Batches, Dataset, Mirror, RandomCrop, Standardize, batches
from tinycnn.model import Sequential

STEPS = 100  # batches of an epoch, so that its beginning and end weigh as little as in a real one
_PADDING = 2


def pictures(workload: Workload, model: Sequential) -> Batches:
    """Batches of random pixels and labels for ``model``, shifted, mirrored and standardized."""
    rng, count = np.random.default_rng(5), STEPS * workload.batch
    images = rng.integers(0, 256, (count, *model.input_shape), np.uint8)
    data = Dataset(images, rng.integers(0, model.shapes[-1][0], count))
    H, W, _ = data.image_shape
    augment: list[Callable[..., Array]] = [
        RandomCrop((H, W), padding=_PADDING),
        Mirror(),
        Standardize.of(data),
    ]
    return batches(data, workload.batch, augment=augment)
