"""The walk with the keys: where it begins, and where a key leads from the layers and from a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.number_keys import JUMP, at_number, open_number, scrolled, vertical
from tinycnn.explain.walk.standing import Room, Walk, layout_of, spot_of
from tinycnn.explain.walk.tensor_layout import Spot, TensorLayout


def begin(cache: LessonCache, layer: str | None = None, at: Sequence[int] | None = None) -> Walk:
    """Start at the list of layers, at the map of ``layer``, or at its opened cell ``at``."""
    if layer is None:
        return Walk()
    position = cache.position(layer)
    if at is None:
        return Walk("map", position)
    place = cache.explanation(layer, tuple(at)).place
    spot = cache.layout(position).spot(place)
    return Walk("opened", position, spots={(position, ""): spot})


def press(walk: Walk, key: str, cache: LessonCache, room: Room) -> Walk:
    """Where ``key`` leads. Keys are "up", "enter", "back", ... and characters as they are."""
    walk = replace(walk, notice="")
    if key == "q":
        return replace(walk, left=True)
    if walk.help is not None:
        moved = scrolled(walk.help, key, room)
        return replace(walk, help=moved)
    if key == "?":
        return replace(walk, help=0)
    return {"layers": _at_layers, "map": _on_map, "opened": at_number}[walk.level](
        walk, key, cache, room
    )


# ------------------------------------------------------------------------------------- the levels


def _at_layers(walk: Walk, key: str, cache: LessonCache, room: Room) -> Walk:
    by = vertical(key, room)
    if by is not None:
        moved = walk.position + (-by if walk.backward else by)  # backward begins with the loss
        return replace(walk, position=min(max(moved, 0), cache.last))
    if key in ("enter", "right"):
        level: Literal["map", "opened"] = "opened" if walk.position == cache.last else "map"
        return replace(walk, level=level, part="", scroll=0, cursor=None)
    if key == "w":
        return _weights(replace(walk, level="map", part=""), cache, walk)
    if key == "b":
        return replace(walk, backward=not walk.backward)
    return walk


def _on_map(walk: Walk, key: str, cache: LessonCache, room: Room) -> Walk:
    if key == "back":
        return walk.trail[-1] if walk.trail else replace(walk, level="layers", part="")
    layout, spot = layout_of(walk, cache), spot_of(walk, cache)
    here = {**walk.spots, (walk.position, walk.part): spot}
    if key == "b":
        return replace(walk, backward=not walk.backward, spots=here)
    if key == "w":
        return _weights(walk, cache, walk)
    if key in ("tab", "backtab"):
        return _next_layer(walk, cache, 1 if key == "tab" else -1)
    if key == "enter":
        here_walk = replace(walk, spots=here)
        trail = (*walk.trail, here_walk) if walk.trail else ()
        return open_number(replace(here_walk, trail=trail), walk)
    here[walk.position, walk.part] = _strolled(layout, spot, key, room)
    return replace(walk, spots=here)


def _strolled(layout: TensorLayout, spot: Spot, key: str, room: Room) -> Spot:
    """The spot on a map that a key leads to."""
    steps = {
        "up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1),
        "home": (0, -JUMP), "end": (0, JUMP),
    }  # fmt: skip
    turns = {"[": (-1, -1), "]": (-1, 1), "pageup": (-1, -1), "pagedown": (-1, 1),
             "{": (-2, -1), "}": (-2, 1)}  # fmt: skip
    if key in steps:
        return layout.step(spot, *steps[key])
    if key in turns and -turns[key][0] <= len(layout.axes):
        return layout.turn(spot, *turns[key])
    if key in ("pageup", "pagedown"):
        return layout.step(spot, room.page if key == "pagedown" else -room.page, 0)
    if key in ("m", "M"):
        return layout.largest(spot if key == "m" else None)
    return spot


def _weights(walk: Walk, cache: LessonCache, instead: Walk) -> Walk:
    """From an output to the first parameter, to the next, and back to the output."""
    parts = ("", *cache.parameters(walk.position))
    if len(parts) == 1:
        return replace(instead, notice=f"{cache.names[walk.position]} has no weights")
    turned = replace(walk, part=parts[(parts.index(walk.part) + 1) % len(parts)])
    stood = instead.level == "map" or (walk.position, "") in walk.spots
    return _at_same_unit(turned, walk, cache) if stood else turned


def _at_same_unit(walk: Walk, before: Walk, cache: LessonCache) -> Walk:
    """Keep the filter or unit, the last axis of an output, of W and of b alike."""
    old, new = layout_of(before, cache), layout_of(walk, cache)
    if old.shape[-1:] != new.shape[-1:] or not new.shape:
        return walk
    unit = old.place(spot_of(before, cache))[-1]
    known = walk.spots.get((walk.position, walk.part))
    spot = new.largest_of(unit) if known is None else new.spot((*new.place(known)[:-1], unit))
    return replace(walk, spots={**walk.spots, (walk.position, walk.part): spot})


def _next_layer(walk: Walk, cache: LessonCache, by: int) -> Walk:
    """The map of the next layer's output, round at the ends."""
    position = (walk.position + by) % cache.last
    return replace(walk, position=position, part="")
