"""One channel in a pass through batch normalisation: its cells, and the sums over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.values.checks import half_epsilon
from tinycnn.explain.values.explanation import Section, Step, SumTree
from tinycnn.explain.values.places import Place, channel_name
from tinycnn.explain.values.printing import factors
from tinycnn.explain.values.sums import Part, Product, Source, Sum, Term, grouped, mapped
from tinycnn.passes import Record
from tinycnn.wording import many

ROUNDINGS = 16  # of a cell that are not those of a sum over its channel


@dataclass(frozen=True)
class NormalizedChannel:
    """The cells of one channel in a pass: of all images in training, else with the running numbers."""

    record: Record
    number: int

    @cached_property
    def cells(self) -> int:
        """M, the number of cells."""
        return self.of(self.record.x).size

    @property
    def mean(self) -> float:
        """The batch's in training, else the running one."""
        return self._sum.value / self.cells if self._training else self._running("mean")

    @property
    def variance(self) -> float:
        """The batch's in training, else the running one."""
        return self._squares.value / self.cells if self._training else self._running("variance")

    @cached_property
    def deviation(self) -> float:
        """(variance + epsilon)^0.5."""
        return float(np.sqrt(self.variance + self._epsilon))

    @property
    def root(self) -> str:
        """`deviation` as arithmetic."""
        return f"({factors(self.variance)[0]} + {self._epsilon:.7g})^0.5"

    @property
    def spread(self) -> float:
        """The numbers that cancel in x - mean, in units of the deviation."""
        x = np.abs(self.of(self.record.x).astype(np.float64))
        return float(x.max() + max(x.mean(), abs(self.mean))) / self.deviation

    def unsure(self, size: float) -> float:
        """Roundings in float64 of sums over the channel, for a check that counts roundings of its dtype."""
        double = half_epsilon(np.dtype(np.float64)) / half_epsilon(self.record.y.dtype)
        return (self.cells + ROUNDINGS) * double * size

    def of(self, array: Array) -> Array:
        """The channel's cells of an array like x."""
        own: Array = array[..., self.number]
        return own

    def xhat(self, index: Place) -> float:
        """x normalised, at a cell."""
        return (float(self.record.x[index]) - self.mean) / self.deviation

    def named(self, what: str) -> str:
        """A sum over the channel in words."""
        return f"{what} over the {many(self.cells, 'cell')} of {channel_name(self.record, self.number)}"

    def sums(self) -> list[Section]:
        """The mean and the variance: in training as sums, else nothing, for they are numbers of the state."""
        if not self._training:
            return []
        return [
            SumTree(f"{self.named('x')}:", self._sum),
            Step("MEAN", f"{factors(self._sum.value)[0]} / {self.cells}", self.mean),
            SumTree(f"{self.named('(x - mean)^2')}:", self._squares),
            Step("VAR", f"{factors(self._squares.value)[0]} / {self.cells}", self.variance),
        ]

    def gradients(self) -> tuple[Sum, Sum]:
        """The sums that are dbeta and dgamma."""
        dy = self.record.dy
        assert dy is not None
        return (
            self._over(lambda name, at: Term(name, float(dy[at]), Source("dy", at[1:]))),
            self._over(
                lambda name, at: Product(name, float(dy[at]), self.xhat(at), Source("dy", at[1:]))
            ),
        )

    @property
    def _training(self) -> bool:
        return self.record.context.training

    @property
    def _epsilon(self) -> float:
        return float(self.record.layer.epsilon)  # type: ignore[attr-defined]

    def _running(self, name: str) -> float:
        return float(self.record.context.state[name][self.number])

    @cached_property
    def _sum(self) -> Sum:
        return self._over(
            lambda name, at: Term(name, float(self.record.x[at]), Source("x", at[1:]))
        )

    @cached_property
    def _squares(self) -> Sum:
        def square(name: str, at: Place) -> Part:
            deviation = float(self.record.x[at]) - self.mean
            return Product(name, deviation, deviation)

        return self._over(square)

    def _over(self, leaf: Callable[[str, Place], Part]) -> Sum:
        """The sum of ``leaf`` (name, index) over the channel, image by image."""
        N, *size = self.record.x.shape[:-1]
        if not size:
            return grouped(
                "sum", [leaf(f"image {n}", (n, self.number)) for n in range(N)], "images"
            )

        def image(n: int) -> Sum:
            def place(i: int, j: int) -> Part:
                name = f"image {n}, place ({i},{j})" if N > 1 else f"place ({i},{j})"
                return leaf(name, (n, i, j, self.number))

            return mapped(f"image {n}", size[0], size[1], place)

        images = [image(n) for n in range(N)]
        return images[0] if N == 1 else grouped("sum", images, "images")
