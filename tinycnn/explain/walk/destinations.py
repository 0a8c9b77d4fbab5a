"""Where the numbers of an opened sum lead: to the cell, the gradient or the weight that each is."""

from __future__ import annotations

from typing import NamedTuple

from tinycnn.explain.values.sums import Source
from tinycnn.explain.walk.lesson_cache import LessonCache

Target = tuple[str, tuple[int, ...] | None]  # what `explain` is asked for


class Destination(NamedTuple):
    """A number of the network: ``place`` on the map at ``position``, of ``part``, forward or backward.

    ``asked`` is what opens it where the map's own numbers are others: of a layer with an activation, dz.
    """

    position: int
    part: str
    backward: bool
    place: tuple[int, ...]
    asked: Target | None = None

    @property
    def is_given(self) -> bool:
        """Whether nothing made the number: a pixel, or a weight. It is shown on its map."""
        return bool(self.part) or (self.position == 0 and not self.backward)


def destination(cache: LessonCache, what: str, position: int, source: Source) -> Destination:
    """Where a number of the sum leads by which ``what`` was opened at ``position``."""
    layer = _layer_of(cache, what, position)
    record, place = cache.record(layer), source.place
    if source.array == "x":
        return Destination(layer - 1, "", False, place)
    if source.array in ("y", "z"):
        return Destination(layer, "", False, place)
    if source.array in record.params:
        return Destination(layer, source.array, False, place)
    if source.array == "dy" or record.dy is None:
        return Destination(layer, "", True, place)
    return Destination(layer, "", True, place, (f"{record.name}.z", place))


def _layer_of(cache: LessonCache, what: str, position: int) -> int:
    """The layer whose sum it is: of dL/dy the layer after, of the loss the last one."""
    if position == cache.last:
        return position - 1
    after = what == f"{cache.names[position]}.y" or position == 0
    return min(position + after, cache.last - 1)
