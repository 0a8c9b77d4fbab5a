"""1,200 written digits of 8 x 8 pixels: to learn from, and held out to be judged by.

Drawn from the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, UCI
Machine Learning Repository, 1998, doi 10.24432/C50P49, CC BY 4.0), as scikit-learn's load_digits has it:
every pixel a number from 0 to 16.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

import numpy as np

from tinycnn.arrays import Array

_LEARNT_FROM = 700  # the others, 500, are held out


@cache
def _everything() -> tuple[Array, Array]:
    with (
        as_file(files("tinycnn.classroom.exercises") / "digits.npz") as path,
        np.load(path) as data,
    ):
        return data["images"][..., None] / 16, data["labels"].astype(np.int64)


def digits(count: int = _LEARNT_FROM) -> tuple[Array, Array]:
    """Give the first images to learn from, (count, 8, 8, 1), from 0 to 1, and their labels."""
    images, labels = _everything()
    return images[:count], labels[:count]


def held_out() -> tuple[Array, Array]:
    """Give the 500 images that nobody learns from, and their labels."""
    images, labels = _everything()
    return images[_LEARNT_FROM:], labels[_LEARNT_FROM:]
