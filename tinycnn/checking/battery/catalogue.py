"""Where each operation enters its cases: those of its function, and those of its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

import numpy as np

from tinycnn.checking.battery.case import GradientCase

Draw = Callable[[np.random.Generator], Iterable[GradientCase]]


class Catalogue:
    """Entries that draw cases, in the order in which a report shows them."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, Draw]] = []

    def register(self, position: float = inf) -> Callable[[Draw], Draw]:
        """Decorate an entry; those of no position come last, in the order of their files."""

        def enter(draw: Draw) -> Draw:
            self._entries.append((position, draw))
            return draw

        return enter

    def cases(self, seed: int = 0) -> list[GradientCase]:
        """Every case, the numbers of all drawn one after the other from ``seed``."""
        rng = np.random.default_rng(seed)
        ordered = sorted(self._entries, key=lambda entry: entry[0])
        return [case for _, draw in ordered for case in draw(rng)]


OPS = Catalogue()
"""Each function of `tinycnn.ops` that has a gradient, in all its configurations."""
LAYERS = Catalogue()
"""Each built-in layer: at values well apart, with ties where it has kinks, with its loss."""
