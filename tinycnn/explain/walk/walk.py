"""The walk with the keys as a value: where one stands, and where a key leads from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.tensor_layout import Spot, TensorLayout

Target = tuple[str, tuple[int, ...] | None]  # what `explain` is asked for

_JUMP = 10**9  # further than any list is long


@dataclass(frozen=True)
class Walk:
    """Where one stands: at the list of layers, on a map, or at an opened number.

    ``position`` is that of `LessonCache`, ``part`` is "" for an output or the name of a parameter;
    ``spots`` remembers the cell last visited on each map.
    """

    level: Literal["layers", "map", "opened"] = "layers"
    position: int = 1
    part: str = ""
    backward: bool = False
    spots: Mapping[tuple[int, str], Spot] = field(default_factory=dict)
    scroll: int = 0  # of an opened number
    help: int | None = None  # how far the page of keys is scrolled, None while it is closed
    notice: str = ""  # what the last key has to say
    left: bool = False


@dataclass(frozen=True)
class Room:
    """What the screen has room for: lines of a page, and how far the text there scrolls."""

    page: int = 10
    most: int = 0


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


def press(walk: Walk, key: str, cache: LessonCache, room: Room) -> Walk:
    """Where ``key`` leads. Keys are "up", "enter", "back", ... and characters as they are."""
    walk = replace(walk, notice="")
    if key == "q":
        return replace(walk, left=True)
    if walk.help is not None:
        moved = _scrolled(walk.help, key, room)
        return replace(walk, help=moved)
    if key == "?":
        return replace(walk, help=0)
    return {"layers": _at_layers, "map": _on_map, "opened": _at_number}[walk.level](
        walk, key, cache, room
    )


def _scrolled(scroll: int, key: str, room: Room) -> int | None:
    """Where a key scrolls a text to; None if it is no key for scrolling."""
    by = _vertical(key, room)
    return None if by is None else min(max(min(scroll, room.most) + by, 0), room.most)


def _vertical(key: str, room: Room) -> int | None:
    page = max(room.page - 1, 1)
    keys = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "home": -_JUMP, "end": _JUMP}
    return keys.get(key)


# ------------------------------------------------------------------------------------- the levels


def _at_layers(walk: Walk, key: str, cache: LessonCache, room: Room) -> Walk:
    by = _vertical(key, room)
    if by is not None:
        moved = walk.position + (-by if walk.backward else by)  # backward begins with the loss
        return replace(walk, position=min(max(moved, 0), cache.last))
    if key in ("enter", "right"):
        level: Literal["map", "opened"] = "opened" if walk.position == cache.last else "map"
        return replace(walk, level=level, part="", scroll=0)
    if key == "w":
        return _weights(replace(walk, level="map", part=""), cache, walk)
    if key == "b":
        return replace(walk, backward=not walk.backward)
    return walk


def _on_map(walk: Walk, key: str, cache: LessonCache, room: Room) -> Walk:
    if key == "back":
        return replace(walk, level="layers", part="")
    layout, spot = layout_of(walk, cache), spot_of(walk, cache)
    here = {**walk.spots, (walk.position, walk.part): spot}
    if key == "b":
        return replace(walk, backward=not walk.backward, spots=here)
    if key == "w":
        return _weights(walk, cache, walk)
    if key in ("tab", "backtab"):
        return _next_layer(walk, cache, 1 if key == "tab" else -1)
    if key == "enter":
        return _open(replace(walk, spots=here), walk)
    here[walk.position, walk.part] = _strolled(layout, spot, key, room)
    return replace(walk, spots=here)


def _strolled(layout: TensorLayout, spot: Spot, key: str, room: Room) -> Spot:
    """The spot on a map that a key leads to."""
    steps = {
        "up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1),
        "home": (0, -_JUMP), "end": (0, _JUMP),
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


def _at_number(walk: Walk, key: str, cache: LessonCache, room: Room) -> Walk:
    scroll = _scrolled(walk.scroll, key, room)
    if scroll is not None:
        return replace(walk, scroll=scroll)
    if key in ("back", "left"):
        return replace(walk, level="layers" if walk.position == cache.last else "map", scroll=0)
    if key == "b":
        return _turned(walk, cache)
    return walk


def _turned(walk: Walk, cache: LessonCache) -> Walk:
    """The same cell's gradient, or from there the cell."""
    if walk.position == cache.last:
        return replace(walk, notice="every gradient is one of the loss")
    if walk.part:
        return replace(walk, notice="a weight is given: Esc, then b shows it")
    return _open(replace(walk, backward=not walk.backward), walk)


def _open(walk: Walk, instead: Walk) -> Walk:
    """Open the number that one stands on, of a weight its gradient; else stay with ``instead``."""
    if walk.position == 0 and not walk.backward:
        return replace(instead, notice="a pixel is given: b shows its gradient")
    return replace(walk, level="opened", scroll=0, backward=walk.backward or bool(walk.part))


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
