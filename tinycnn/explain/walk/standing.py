"""Where one stands in the walk with the keys, and what a screen has room for there, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tinycnn.explain.walk import number_cursor
from tinycnn.explain.walk.destinations import Target
from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.number_cursor import NumberCursor
from tinycnn.explain.walk.tensor_layout import Spot, TensorLayout


@dataclass(frozen=True)
class Walk:
    """Where one stands: at the list of layers, on a map, or at an opened number.

    ``position`` is that of `LessonCache`, ``part`` is "" for an output or the name of a parameter;
    ``spots`` remembers the cell last visited on each map. Of an opened number, ``cursor`` is what one stands
    on (None: where one begins), ``asked`` what opened it where no map has it, and ``trail`` the numbers that
    one came from, each by a product.
    """

    level: Literal["layers", "map", "opened"] = "layers"
    position: int = 1
    part: str = ""
    backward: bool = False
    spots: Mapping[tuple[int, str], Spot] = field(default_factory=dict)
    scroll: int = 0  # of an opened number
    follows: bool = False  # whether the text is scrolled to the cursor
    cursor: NumberCursor | None = None
    asked: Target | None = None
    trail: tuple[Walk, ...] = ()
    help: int | None = None  # how far the page of keys is scrolled, None while it is closed
    notice: str = ""  # what the last key has to say
    left: bool = False


@dataclass(frozen=True)
class Room:
    """What the screen has room for: lines of a page, and how far the text there scrolls.

    ``first`` is the line that it shows first, None if that is what was asked for; ``has_cursor`` says
    whether the cursor is seen.
    """

    page: int = 10
    most: int = 0
    first: int | None = None
    has_cursor: bool = True


def layout_of(walk: Walk, cache: LessonCache) -> TensorLayout:
    """The map that one stands on, or has opened a number of."""
    return cache.layout(walk.position, walk.part, backward=walk.backward)


def spot_of(walk: Walk, cache: LessonCache) -> Spot:
    """The cell that one stands on; on a map not visited before, the number of largest size."""
    known = walk.spots.get((walk.position, walk.part))
    if known is not None:
        return known
    return cache.start(walk.position, walk.part, backward=walk.backward)


def target(walk: Walk, cache: LessonCache) -> Target | None:
    """What Enter opens on a map, or has opened; None where nothing made the number."""
    if walk.position == cache.last:
        return "loss", None
    if walk.asked is not None and walk.level == "opened":
        return walk.asked
    layout = layout_of(walk, cache)
    return None if layout.what is None else (layout.what, layout.place(spot_of(walk, cache)))


def work(walk: Walk, cache: LessonCache) -> str:
    """What must be worked out before ``walk`` can be shown, in words; "" if nothing."""
    opened = walk.level == "opened"
    if (walk.backward or (opened and walk.position == cache.last)) and not cache.has_gradients:
        return "working out the gradients ..."
    if opened:
        found = target(walk, cache)
        if found is not None and not cache.is_open(*found):
            return "opening the number ..."
    return ""


def cursor_of(walk: Walk, cache: LessonCache) -> NumberCursor | None:
    """What one stands on in an opened number; None where there are no numbers to stand on."""
    found = target(walk, cache)
    assert found is not None
    return walk.cursor or number_cursor.start(cache.explanation(*found))
