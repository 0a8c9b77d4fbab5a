"""Sums that were not summed, or over other terms: overwritten, one image only, other axes, other means."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.axis_names import output_axes
from tinycnn.checking.mistakes.mistake import MistakenArray


def one_share(shares: Array, reads: Array, *, last: bool) -> Array:
    """Of each cell's sum the last share alone, or the first: assigned in a loop instead of added.

    ``shares`` and ``reads``, which steps of the loop have a share in a cell, are (steps, cells).
    """
    at = len(reads) - 1 - np.argmax(reads[::-1], axis=0) if last else np.argmax(reads, axis=0)
    only: Array = shares[at, np.arange(shares.shape[1])]
    return only


def first_image_only(batch: Array) -> Array:
    """A result (N, ...) filled in for the first image alone."""
    return np.concatenate([batch[:1], np.zeros_like(batch[1:])])


def bias_sums(share: Array, size: int) -> Iterator[MistakenArray]:
    """The gradient of a bias of ``size`` cells, dy (the ``share`` of each output) summed over other axes."""
    names = output_axes(share)
    for number in range(1, share.ndim + 1):
        for axes in combinations(range(share.ndim), number):
            total = share.sum(axis=axes)
            words = f"dy summed over {', '.join(names[axis] for axis in axes)}"
            if total.size in (1, size):
                wrong = np.broadcast_to(total.ravel(), (size,))
                yield MistakenArray("bias axes", words, wrong, "agree")
            elif total.size > size and total.size % size == 0:
                wrong = total.ravel()[:size]
                yield MistakenArray("bias axes", f"{words} only, then cut off", wrong, "agree")
    if share.size % size == 0:
        for call, wrong in (
            (f"reshape({size}, -1).sum(1)", share.reshape(size, -1).sum(1)),
            (f"reshape(-1, {size}).sum(0)", share.reshape(-1, size).sum(0)),
        ):
            words = f"dy.{call}, which adds cells of different channels"
            yield MistakenArray("bias axes", words, wrong, "agree")


def divisors(right: Array, cells: Array) -> Iterator[tuple[str, Array]]:
    """Wrong divisors of means over windows, made of the ``right`` ones and of each window's ``cells``."""
    yield "everywhere by the same, the full window", np.full(right.shape, right.max())
    yield "by the number of cells that each window has inside", cells
