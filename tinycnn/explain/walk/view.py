"""The screens of the walk as lines: the layers, a map, an opened number, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from tinycnn.explain.readers.explanation_text import draw_words
from tinycnn.explain.readers.style import WIDTH, Style
from tinycnn.explain.values.explanation import Explanation, ReceptiveField, only
from tinycnn.explain.values.printing import number
from tinycnn.explain.walk import shading
from tinycnn.explain.walk.layer_list import draw_layers, span
from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.number_cursor import NumberCursor, part_on, pointed
from tinycnn.explain.walk.standing import Room, Walk, cursor_of, layout_of, spot_of, target
from tinycnn.explain.walk.styled_text import (
    BOLD,
    DIM,
    PLAIN,
    Line,
    Look,
    cut,
    fitting,
    length,
    read_codes,
    spread,
    wrapped,
)
from tinycnn.explain.walk.tensor_layout import Spot, TensorLayout

_PANEL = 20  # columns that a picture beside a map needs
_MARGIN = 3  # lines that are seen above and below a cursor
_HEAD = 8  # columns of an opened number's headings
_KEYS = (
    ("arrows", "choose a layer; walk from cell to cell, and over the numbers of a sum"),
    ("Enter", "go into a layer, open a number, open a part of its sum"),
    ("", "on a product: to the number that it is made of; left, right: to either factor"),
    ("Esc, Backspace", "back, the way that one came"),
    ("PageUp PageDown", "of an opened number: the text before, after (or up, down over the edge)"),
    ("b", "backward: the gradients; once more: forward"),
    ("w", "on a map: the weights, the bias, the output again"),
    ("[ ]", "the channel, filter or unit before, after (PageUp, PageDown)"),
    ("{ }", "of a convolution's weights: the channel before, after"),
    ("Home End", "the first, last column"),
    ("m M", "to the largest number of this map, of all its maps"),
    ("Tab", "the next layer's map, an opened number's next sum (Shift-Tab: the one before)"),
    ("Ctrl-L", "draw the screen again"),
    ("q", "leave"),
)


@dataclass(frozen=True)
class Frame:
    """A screen: its lines, and what room its page has."""

    lines: list[Line]
    room: Room


@dataclass(frozen=True)
class Size:
    """Lines and columns of a screen."""

    lines: int
    columns: int


def draw(walk: Walk, cache: LessonCache, size: Size, look: Look) -> Frame:
    """Draw where one stands. No line is longer than the screen is wide."""
    lines = max(size.lines - 2, 1)
    if walk.help is not None:
        body, room = _scrolled(_help(size.columns), walk.help, lines)
    elif walk.level == "layers":
        body, room = draw_layers(walk, cache, lines, size.columns), Room(lines)
    elif walk.level == "map":
        body, room = _map(walk, cache, Size(lines, size.columns), look), Room(lines)
    else:
        body, room = _number(walk, cache, Size(lines, size.columns), look)
    body += [[] for _ in range(lines - len(body))]
    drawn = [_title(walk, cache, size.columns), *body, _foot(walk, room, cache, size.columns)]
    return Frame([cut(line, size.columns, look) for line in drawn[: size.lines]], room)


def _scrolled(lines: list[Line], scroll: int, room: int) -> tuple[list[Line], Room]:
    most = max(len(lines) - room, 0)
    first = min(scroll, most)
    return lines[first : first + room], Room(room, most)


def _opened(walk: Walk, cache: LessonCache) -> Explanation:
    found = target(walk, cache)
    assert found is not None
    return cache.explanation(*found)


# ------------------------------------------------------------------------------- title and foot


def _title(walk: Walk, cache: LessonCache, width: int) -> Line:
    """Where one stands, and which way one looks."""
    way = (
        f"backward, label {cache.lesson.class_words(cache.lesson.label)}"
        if walk.backward
        else "forward"
    )
    room = width - len(way) - 2
    if walk.help is not None:
        return [("The keys", BOLD)]
    if walk.level == "layers":
        return spread([(cache.lesson.name, BOLD)], [(way, DIM)], width)
    if walk.level == "map":
        layout, spot = layout_of(walk, cache), spot_of(walk, cache)
        page = layout.pages(spot)
        short = ", ".join(str(at) for at in spot[1:])
        whole = f"{layout.title} › {page}" if page else layout.title
        title = fitting((whole, f"{layout.title} › {short}", layout.title), room)
        return spread([(title, BOLD)], [(way, DIM)], width)
    opened = _opened(walk, cache)
    value = opened.headline
    found = target(walk, cache) or ("", None)
    short = f"{found[0]} {','.join(map(str, found[1] or ()))}"
    width = min(width, WIDTH)
    subject = fitting((opened.subject, short), width - len(value) - 2)
    return spread([(subject, BOLD)], [(value, BOLD)], width)


def _foot(walk: Walk, room: Room, cache: LessonCache, width: int) -> Line:
    """What the last key had to say, or the keys that lead on."""
    if walk.notice:
        return [(walk.notice, BOLD)]
    line: Line = []
    last = [("?", "keys"), ("q", "leave")]
    for key, word in [*_ways(walk, room, cache), *last]:
        item: Line = [(key, BOLD), (f" {word}  ", DIM)]
        rest = 0 if (key, word) in last else sum(len(k) + len(w) + 3 for k, w in last)
        if length(line) + length(item) + rest - 2 <= width:
            line += item
    return line


def _ways(walk: Walk, room: Room, cache: LessonCache) -> Sequence[tuple[str, str]]:
    """Keys and what they do here, the most useful first: a narrow screen shows no others."""
    scroll = (("↑↓", "scroll"),) if room.most else ()
    turn = ("b", "forward" if walk.backward else "backward")
    if walk.help is not None:
        return ("Enter", "back"), *scroll
    if walk.level == "layers":
        return ("Enter", "go in"), turn, ("↑↓", "choose"), ("w", "weights")
    if walk.level == "opened":
        has_other = not walk.part and walk.position != cache.last
        others = (*((turn,) if has_other else ()), *scroll)
        return *_ways_from_number(walk, cache), ("Esc", "back"), *others
    layout = layout_of(walk, cache)
    ways = [("Enter", "open")] if layout.what is not None else []
    ways += [turn, ("Esc", "back")]
    ways += [(keys, axis) for keys, axis in zip(("[ ]", "{ }"), layout.axes[::-1], strict=False)]
    if parts := cache.parameters(walk.position):
        after = (*parts, "")[("", *parts).index(walk.part)]
        ways.append(("w", {"": "output", "W": "weights", "b": "bias"}.get(after, after)))
    return *ways, ("m", "largest"), ("arrows", "move")


def _ways_from_number(walk: Walk, cache: LessonCache) -> Sequence[tuple[str, str]]:
    """Where Enter leads from what one stands on in an opened number."""
    cursor = cursor_of(walk, cache)
    if cursor is None:
        return ()
    part = part_on(_opened(walk, cache), cursor)
    if part is not None and part.parts:
        return ("Enter", "open the part"), ("arrows", "move")
    return ("Enter", "where it comes from"), ("arrows", "move")


def _help(width: int) -> list[Line]:
    label = max(len(key) for key, _ in _KEYS) + 2
    lines: list[Line] = [[]]
    for key, words in _KEYS:
        line: Line = [(f"{key:<{label}}", BOLD), (words, PLAIN)]
        lines += wrapped(line, width, label)
    return lines


# ---------------------------------------------------------------------------------------- a map


def _map(walk: Walk, cache: LessonCache, size: Size, look: Look) -> list[Line]:
    """A map, its cell in words, and the picture beside it where there is room."""
    layout, spot = layout_of(walk, cache), spot_of(walk, cache)
    status = _status(walk, cache, layout, spot, size.columns)
    lines = max(size.lines - len(status) - 2, 1)  # the ruler, and a line between
    field = None if walk.part else cache.field(walk.position, layout, spot)
    pixels = cache.pixels
    pictured = field is not None and pixels is not None
    spare = size.columns // 3 if pictured else 0
    win = shading.viewport(layout, spot, lines, size.columns, look, spare)
    drawn = [shading.ruler(layout, spot, win), *shading.draw_map(layout, spot, win, look)]
    room = size.columns - win.width - 3
    if field is not None and pixels is not None and room >= _PANEL:
        beside = shading.draw_field(pixels, field, lines, room, look)
        drawn = _beside(drawn, [[], *beside], win.width + 3)
    gap: list[Line] = [[]] * (size.lines - len(drawn) - len(status))
    return [*drawn, *gap, *status][: size.lines]


def _beside(left: Sequence[Line], right: Sequence[Line], column: int) -> list[Line]:
    return [
        [*(one or []), (" " * (column - length(one or [])), PLAIN), *(other or [])]
        for one, other in zip_longest(left, right)
    ]


def _status(
    walk: Walk, cache: LessonCache, layout: TensorLayout, spot: Spot, width: int
) -> list[Line]:
    """The number that one stands on, where it stands, and what it sees."""
    value = number(layout.value(spot))
    place = ",".join(map(str, layout.place(spot)))
    words = fitting((layout.words(spot), place), width - len(value) - 2)
    page = layout.page(spot)
    here = f"this map: {span(float(page.min()), float(page.max()))}"
    first = spread([(words, PLAIN), ("  ", PLAIN), (value, BOLD)], [(here, DIM)], width)
    return [first, [(fitting(_seen(walk, cache, layout, spot), width), DIM)]]


def _seen(walk: Walk, cache: LessonCache, layout: TensorLayout, spot: Spot) -> list[str]:
    """Wordings, the longest first, of what the cell sees and what its counterpart is."""
    other = cache.layout(walk.position, walk.part)
    own = f"{other.title} is {number(other.value(spot))} there" if walk.backward else ""
    field = cache.field(walk.position, layout, spot)
    if walk.part:
        return [own or "Enter opens its gradient"]
    if walk.position == 0 or field is None:
        sees = "" if walk.position == 0 else "sees the whole picture"
        return ["; ".join(filter(None, (own, sees)))]
    (top, bottom), (left, right) = field
    long = f"sees rows {top}..{bottom}, columns {left}..{right} of the picture"
    short = f"sees rows {top}..{bottom}, columns {left}..{right}"
    size = f" ({bottom - top + 1} x {right - left + 1})"
    start = f"{own}; " if own else ""
    return [start + long + size, start + short, short, f"sees {top}..{bottom}, {left}..{right}"]


# ----------------------------------------------------------------------------- an opened number


def _number(walk: Walk, cache: LessonCache, size: Size, look: Look) -> tuple[list[Line], Room]:
    """An opened number: its words scroll, and the picture stands beside them, or below."""
    opened = _opened(walk, cache)
    beside = size.columns - WIDTH - 3
    words = _words(opened, cursor_of(walk, cache), size.columns, look)
    seen = next(iter(only(ReceptiveField, opened.sections)), None)
    if opened.picture is None or seen is None or seen.field is None:
        return _following(walk, words, size.lines)
    room = beside if beside >= _PANEL else size.columns
    picture = shading.draw_field(opened.picture, seen.field, size.lines, room, look)
    if beside < _PANEL:
        return _following(walk, [*words, [], *picture], size.lines)
    text, scroll = _following(walk, words, size.lines)
    return _beside(text, picture, WIDTH + 3), scroll


def _following(walk: Walk, lines: list[Line], room: int) -> tuple[list[Line], Room]:
    """The text scrolled as was asked, and where it follows the cursor, so that this is seen."""
    at = next((k for k, line in enumerate(lines) if any(s.reverse for _, s in line)), None)
    first = min(walk.scroll, max(len(lines) - room, 0))
    if walk.follows and at is not None:
        margin = min(_MARGIN, (room - 1) // 2)
        first = max(min(first, at - margin), at + margin + 1 - room)
    shown, scroll = _scrolled(lines, max(first, 0), room)
    first = min(max(first, 0), scroll.most)
    seen = at is not None and first <= at < first + room
    return shown, replace(scroll, first=first, has_cursor=seen)


def _words(opened: Explanation, cursor: NumberCursor | None, width: int, look: Look) -> list[Line]:
    """The lines below the first, which the title shows; wrapped where they must, no number cut."""
    chosen = None if cursor is None else cursor.chosen
    texts = draw_words(pointed(opened, cursor), Style(colour=look.rich), chosen)
    lines = []
    for text in texts[texts.index("") + 1 :]:
        line = read_codes(text)
        if not look.rich and text[:1].isupper():
            line = [(text[:_HEAD], BOLD), (text[_HEAD:], PLAIN)]
        lines += wrapped(line, width, min(_HEAD, width // 4))
    return lines
