"""Batch normalisation and its like: a part of what x does to the mean or the variance left out.

With d = x - mean(x) and s^2 = var(x) + eps over N cells, y = gamma d/s + beta, and dz = gamma dy:

    dx = (dz - mean(dz) - d mean(dz d) / s^2) / s

(Ioffe and Szegedy, "Batch normalization", 2015). The second term is the mean's, the third the
variance's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinycnn.arrays import Array


@dataclass(frozen=True)
class NormalizedGroups:
    """x and dz in rows of cells that are normalised together, (groups, N), and how dx is made."""

    d: Array  # x - mean(x)
    dz: Array
    inverse: Array  # 1/s, (groups, 1)
    variance: Array  # the third term's factor: 1/(N s^2), (groups, 1)

    def gradient(self, *, mean: float = 1.0, variance: float | Array = 1.0) -> Array:
        """``dx`` with its second and third term times these."""
        third = self.variance * self.d * (self.dz * self.d).sum(axis=1, keepdims=True)
        own = self.dz - mean * self.dz.mean(axis=1, keepdims=True)
        return np.asarray(self.inverse * (own - variance * third))

    def mistakes(self) -> Iterator[tuple[str, Array]]:
        """The wrong gradients, (groups, N), each after its words."""
        size = self.d.shape[1]
        mean, variance = "the mean taken for a constant", "the variance taken for a constant"
        yield (
            "mean and variance taken for constants (dx = gamma dy/s)",
            self.gradient(mean=0, variance=0),
        )
        yield variance, self.gradient(variance=0)
        yield mean, self.gradient(mean=0)
        for factor, words in (
            (
                size / (size - 1),
                "the variance divided by N - 1 = {less}, where forward has N = {size}",
            ),
            (
                (size - 1) / size,
                "the variance divided by N = {size}, where forward has N - 1 = {less}",
            ),
            (0.5, "a 2 missing in the derivative of the variance"),
            (-1.0, "the variance's term with the wrong sign"),
            (size, "a sum over dy d where their mean is due, N = {size}"),
        ):
            yield words.format(less=size - 1, size=size), self.gradient(variance=factor)
        yield f"a sum over dy where its mean is due, N = {size}", self.gradient(mean=size)
        # eps is what 1/(N s^2) says beyond the variance itself: without it s is smaller.
        larger = 1 / (self.variance * (self.d**2).sum(axis=1, keepdims=True))
        yield (
            "eps forgotten in the standard deviation",
            np.sqrt(larger) * self.gradient(variance=larger),
        )
