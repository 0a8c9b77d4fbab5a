"""Which images go to which part: dealt out by a seed, class by class or as chance has it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.validation import check_rng
from tinycnn.wording import many


def split_places(
    count: int, parts: Sequence[Any], rng: int | np.random.Generator | None, labels: Array | None
) -> list[Array]:
    """Deal the places 0 .. ``count`` - 1 out to ``parts``; with ``labels`` to each its share of each class.

    Images are put in a random order and, where classes count, sorted by class, which keeps that order within
    each. Of this row each part takes every so-maniest image of what the parts before it left: of n images in
    a row, n times its share, rounded up or down.
    """
    sizes = _sizes(count, parts)
    row = check_rng(rng).permutation(count)
    if labels is not None:
        _expect_enough(labels, len(sizes))
        row = row[np.argsort(labels[row], kind="stable")]
    places = []
    for size in sizes:
        step = np.arange(len(row) + 1) * size // max(len(row), 1)
        taken = np.diff(step) > 0
        places.append(np.sort(row[taken]))
        row = row[~taken]
    return places


def _sizes(count: int, parts: Sequence[Any]) -> list[int]:
    """Of shares or numbers, how many images each part has; what is left over goes where most was cut off."""
    if not parts or not all(_is_number(part) and part > 0 for part in parts):
        raise ArgumentError(
            f"parts must be shares that add up to 1, as in split(0.8, 0.2), or numbers of images that add up "
            f"to {count:,}, got {', '.join(map(repr, parts)) or 'none'}"
        )
    if all(isinstance(part, (int, np.integer)) for part in parts) and sum(parts) == count:
        return [int(part) for part in parts]
    if abs(math.fsum(parts) - 1) > 1e-9:
        raise ArgumentError(
            f"parts must add up to 1 as shares, or to {count:,} as numbers of images, got "
            f"{' + '.join(f'{part:g}' for part in parts)} = {math.fsum(parts):g}"
        )
    exact = [part * count for part in parts]
    sizes = [math.floor(size + 1e-9) for size in exact]
    most_cut = sorted(range(len(parts)), key=lambda i: sizes[i] - exact[i])
    for i in most_cut[: count - sum(sizes)]:
        sizes[i] += 1
    if 0 in sizes:
        raise ArgumentError(f"of {many(count, 'image')} a part of {min(parts):g} is empty")
    return sizes


def _is_number(part: Any) -> bool:
    return isinstance(part, (int, float, np.integer, np.floating)) and not isinstance(part, bool)


def _expect_enough(labels: Array, parts: int) -> None:
    counts = np.bincount(labels)
    few = [label for label in np.flatnonzero(counts) if counts[label] < parts]
    if few:
        raise ArgumentError(
            f"class {few[0]} has {many(int(counts[few[0]]), 'image')}, fewer than the {parts} parts; merge "
            f"or leave out such classes, or split with stratified=False"
        )
