"""How pixels become the input of a network that was trained: as its training pictures did."""

from __future__ import annotations

from dataclasses import dataclass

from tinycnn.arrays import Array
from tinycnn.data.preparation import Preparation
from tinycnn.explain.pictures.scaling import USUAL, Input, Scaling, listed
from tinycnn.runs.networks import Network


@dataclass(frozen=True)
class AsTrained(Input):
    """The `Preparation` that a network was trained with, and its formula in words."""

    preparation: Preparation

    def of_pixels(self, pixels: Array) -> tuple[Array, str]:
        """The input (1, H, W, C) that 0 .. 255 become."""
        return self.preparation.of_pixels(pixels), self._words()

    def of_numbers(self, numbers: Array) -> tuple[Array, str]:
        """The same for numbers (H, W, C) that are no pixels: they are the input."""
        return numbers[None], "x = its numbers"

    def _words(self) -> str:
        p = self.preparation
        pixel = "pixel"
        if (p.black, p.white) != (0.0, 255.0):
            added = f"{p.black:g} + " if p.black else ""
            pixel = f"{added}pixel * {p.white - p.black:g} / 255"
        return f"x = ({pixel} - {listed(p.mean)}) / {listed(p.deviation)}, as in its training"


def way_of(network: Network, scaling: Scaling = USUAL) -> Input:
    """How pictures become ``network``'s input: by ``scaling``, or for the usual one as in its training."""
    if scaling == USUAL and network.preparation is not None:
        return AsTrained(network.preparation)
    return scaling
