"""An axis of outputs covered by tiles of two neighbouring sizes, the larger ones first.

13 outputs of a 3-kernel are 5 + 4 + 4: no output is worked out twice, none beyond the edge. The
smaller tile takes all points of the larger but the last, so both share one set of transformed weights.
"""

from __future__ import annotations

from dataclasses import dataclass

# The most outputs of a tile, by kernel: beyond, float32's rounding errors grow tenfold.
LARGEST = {2: 4, 3: 6, 5: 4}
_SMALLEST = {2: 3, 3: 2, 5: 3}


@dataclass(frozen=True)
class Tiling:
    """``big`` tiles of ``outputs`` outputs, then ``small`` tiles of one output less."""

    kernel: int
    outputs: int
    big: int
    small: int

    @property
    def count(self) -> int:
        """Tiles of both sizes."""
        return self.big + self.small

    @property
    def length(self) -> int:
        """Outputs of the axis."""
        return self.count * self.outputs - self.small

    @property
    def frequencies(self) -> int:
        """Inputs that a big tile reads, and products that it takes: n. A small one: n - 1."""
        return self.outputs + self.kernel - 1

    def select(self, first: int, last: int) -> Tiling:
        """The tiles ``first`` to ``last`` (not included) alone."""
        big = min(last, self.big) - min(first, self.big)
        return Tiling(self.kernel, self.outputs, big, last - first - big)

    def start(self, tile: int) -> int:
        """The first output of a tile; the axis's length for the tile after the last."""
        return tile * self.outputs - max(tile - self.big, 0)


def tiling(length: int, kernel: int, *, largest: int | None = None) -> Tiling | None:
    """Cover ``length`` outputs with as few near-equal tiles of up to ``largest`` outputs as will do.

    None where that leaves a tile of a size that is not offered (a single output, say).
    """
    if kernel not in LARGEST or length < 1:
        return None
    count = -(-length // (largest or LARGEST[kernel]))
    outputs = -(-length // count)
    small = count * outputs - length
    # Sizes are offered in pairs, so the smallest one exists only as the small one of its pair.
    if outputs == _SMALLEST[kernel] and not small:
        outputs, small = outputs + 1, count
    if outputs - bool(small) < _SMALLEST[kernel]:
        return None
    return Tiling(kernel, outputs, count - small, small)
