"""The keys at an opened number: over the numbers of its sum, into a part, to where a product comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from tinycnn.explain.walk import number_cursor
from tinycnn.explain.walk.destinations import destination
from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.number_cursor import NumberCursor
from tinycnn.explain.walk.standing import Room, Walk, cursor_of, target

JUMP = 10**9  # further than any list is long


def at_number(walk: Walk, key: str, cache: LessonCache, room: Room) -> Walk:
    """Where ``key`` leads from an opened number."""
    if room.first is not None:
        walk = replace(walk, scroll=room.first, follows=False)
    if key == "b":
        return _turned(walk, cache)
    cursor = cursor_of(walk, cache)
    if key == "back" or (key == "left" and cursor is None):
        return _back(walk, cache)
    if cursor is not None:
        if key == "enter":
            return _into(walk, cursor, cache)
        if found := _pointed(walk, cursor, key, cache, room):
            return replace(walk, cursor=found, follows=True)
    scroll = scrolled(walk.scroll, key, room)
    return walk if scroll is None else replace(walk, scroll=scroll)


def _pointed(
    walk: Walk, cursor: NumberCursor, key: str, cache: LessonCache, room: Room
) -> NumberCursor | None:
    """Where a key leads in the opened number; None where it scrolls the text, or means nothing."""
    opened = cache.explanation(*(target(walk, cache) or ("", None)))
    if key in ("tab", "backtab"):
        return number_cursor.turned(opened, cursor, 1 if key == "tab" else -1)
    if key in ("left", "right") or (key in ("up", "down") and room.has_cursor):
        return number_cursor.moved(opened, cursor, key)
    return None


def _into(walk: Walk, cursor: NumberCursor, cache: LessonCache) -> Walk:
    """Open the part of the sum that one stands on, or go to the number that it is made of."""
    what, place = target(walk, cache) or ("", None)
    opened = cache.explanation(what, place)
    if inner := number_cursor.inside(opened, cursor):
        return replace(walk, cursor=inner, follows=True)
    source = number_cursor.source_of(opened, cursor)
    if isinstance(source, str):
        return replace(walk, notice=source)
    goal = destination(cache, what, walk.position, source)
    layout = cache.layout(goal.position, goal.part, backward=goal.backward)
    spots = {**walk.spots, (goal.position, goal.part): layout.spot(goal.place)}
    gone = Walk(
        "map" if goal.is_given else "opened", goal.position, goal.part, goal.backward, spots,
        asked=goal.asked, trail=(*walk.trail, replace(walk, cursor=cursor, follows=True)),
    )  # fmt: skip
    if target(gone, cache) == (what, place):
        return replace(walk, notice="that is this number itself")
    return gone


def _back(walk: Walk, cache: LessonCache) -> Walk:
    """Out of a part of a sum; from the whole to the number that one came from, or to the map."""
    outer = number_cursor.outside(walk.cursor) if walk.cursor else None
    if outer is not None:
        return replace(walk, cursor=outer, follows=True)
    if walk.trail:
        return walk.trail[-1]
    level: Literal["layers", "map"] = "layers" if walk.position == cache.last else "map"
    return replace(walk, level=level, scroll=0, cursor=None, asked=None)


def _turned(walk: Walk, cache: LessonCache) -> Walk:
    """The same cell's gradient, or from there the cell."""
    if walk.position == cache.last:
        return replace(walk, notice="every gradient is one of the loss")
    if walk.part:
        return replace(walk, notice="a weight is given: Esc, then b shows it")
    return open_number(replace(walk, backward=not walk.backward), walk)


def open_number(walk: Walk, instead: Walk) -> Walk:
    """Open the number that one stands on, of a weight its gradient; else stay with ``instead``."""
    if walk.position == 0 and not walk.backward:
        return replace(instead, notice="a pixel is given: b shows its gradient")
    return replace(
        walk, level="opened", scroll=0, cursor=None, asked=None, follows=False,
        backward=walk.backward or bool(walk.part),
    )  # fmt: skip


def scrolled(scroll: int, key: str, room: Room) -> int | None:
    """Where a key scrolls a text to; None if it is no key for scrolling."""
    by = vertical(key, room)
    return None if by is None else min(max(min(scroll, room.most) + by, 0), room.most)


def vertical(key: str, room: Room) -> int | None:
    """How many lines a key leads down; None if it is no key for that."""
    page = max(room.page - 1, 1)
    keys = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "home": -JUMP, "end": JUMP}
    return keys.get(key)
