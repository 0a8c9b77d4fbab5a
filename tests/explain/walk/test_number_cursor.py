"""The cursor over an opened number's sums: where keys lead it, and where its numbers come from."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn as tc
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.pictures import picture
from tinycnn.explain.values.explanation import Maximum
from tinycnn.explain.values.sums import leaves
from tinycnn.explain.walk import number_cursor, view
from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.number_cursor import NumberCursor, part_on
from tinycnn.explain.walk.standing import Room, cursor_of, layout_of, spot_of, target
from tinycnn.explain.walk.styled_text import Look, length
from tinycnn.explain.walk.walk import begin, press
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNorm,
    MaxPool2D,
)

LAYERS = ["conv", "pool", "groups", "norm", "means", "flat", "fc", "drop", "last"]


def network():
    return tc.Sequential(
        [
            Conv2D(4, (5, 3), stride=2, activation="relu", name="conv"),
            MaxPool2D(3, stride=2, padding=1, name="pool"),
            Conv2D(6, 3, padding=1, groups=2, activation="relu", name="groups"),
            LocalResponseNorm(name="norm"),
            AveragePool2D(2, name="means"),
            Flatten(name="flat"),
            Dense(7, activation="relu", name="fc"),
            Dropout(0.5, name="drop"),
            Dense(30, activation="softmax", name="last"),
        ],
        (31, 29, 3),
        name="A small network",
    )  # fmt: skip


@pytest.fixture(scope="module")
def cache():
    model = network()
    return LessonCache(Lesson(model, picture.load(None, model.input_shape), 3, "as drawn", False))


def pressed(walk, cache, *keys):
    """Press keys as on a screen of 24 lines, which is drawn after each."""
    room = Room()
    for key in keys:
        walk = press(walk, key, cache, room)
        room = view.draw(walk, cache, view.Size(24, 80), Look()).room
    return walk


def opened(walk, cache):
    return cache.explanation(*target(walk, cache))


def marked(walk, cache, lines=24, columns=80, look=None):
    """The texts that are drawn in reverse."""
    frame = view.draw(walk, cache, view.Size(lines, columns), look or Look())
    return [text for line in frame.lines for text, style in line if style.reverse]


def shown(walk, cache, lines=24, columns=80):
    frame = view.draw(walk, cache, view.Size(lines, columns), Look())
    return "\n".join("".join(text for text, _ in line).rstrip() for line in frame.lines)


def value_of(walk, cache):
    """The number that a walk has led to."""
    if walk.level == "map":
        return layout_of(walk, cache).value(spot_of(walk, cache))
    return opened(walk, cache).value


# ------------------------------------------------------------------------------------ moving, opening


def test_it_begins_on_the_largest_and_arrows_walk_the_grid(cache):
    walk = begin(cache, "groups", (2, 3, 4))
    sizes = [abs(part.value) for part in opened(walk, cache).trees[0].parts]
    at = int(np.argmax(sizes))
    assert cursor_of(walk, cache).index == at
    row, column = divmod(at, 3)
    walk = pressed(walk, cache, *["up"] * row, *["left"] * column)
    assert walk.cursor.index == 0 and walk.level == "opened"
    seen = []
    for _ in range(3):
        for key in ("right", "right", "left", "left", "down"):
            seen.append(walk.cursor.index)
            walk = pressed(walk, cache, key)
    assert seen == [0, 1, 2, 1, 0, 3, 4, 5, 4, 3, 6, 7, 8, 7, 6]


def test_the_part_under_the_cursor_is_seen_before_it_is_opened(cache):
    walk = pressed(begin(cache, "groups", (2, 3, 4)), cache, *["up"] * 2, *["left"] * 2)
    for index in range(9):
        row, column = divmod(index, 3)
        there = pressed(walk, cache, *["down"] * row, *["right"] * column)
        assert there.cursor.index == index
        text = shown(there, cache, 60)
        assert f"part {row},{column} (0,0 .. 2,2 open)" in text
        assert f": position ({row},{column}), 2 terms" in text


def test_enter_goes_into_a_part_and_escape_comes_back_out(cache):
    """180 cells are added up by place and by channel: three levels, and then the map."""
    first = begin(cache, "conv", (3, 4, 1))
    inside = pressed(first, cache, "enter")
    assert inside.level == "opened" and inside.cursor.path == (cursor_of(first, cache).index,)
    part = part_on(opened(inside, cache), inside.cursor)
    assert part.factors and [part.place] == [
        name for name in ("red", "green", "blue") if name == part.place
    ]
    back = pressed(inside, cache, "back")
    assert back.cursor.path == () and back.cursor.index == cursor_of(first, cache).index
    assert pressed(back, cache, "back").level == "map"
    assert pressed(back, cache, "back").cursor is None


def test_left_and_right_choose_a_factor(cache):
    walk = pressed(begin(cache, "conv", (3, 4, 1)), cache, "enter")
    part = part_on(opened(walk, cache), walk.cursor)
    (a,) = marked(walk, cache)
    (b,) = marked(pressed(walk, cache, "right"), cache)
    assert [float(a), float(b)] == pytest.approx(part.factors, rel=1e-5)
    assert marked(pressed(walk, cache, "right", "right", "left"), cache) == [a]


def test_tab_goes_to_the_next_sum_and_round(cache):
    walk = begin(cache, "last", (2,))
    sections = []
    for _ in range(3):
        sections.append(opened(walk, cache).sections[cursor_of(walk, cache).section].heading)
        walk = pressed(walk, cache, "tab")
    assert "products" in sections[0] and "exponentials" in sections[1]
    assert sections[2] == sections[0]
    assert (
        pressed(walk, cache, "backtab").cursor.section
        == cursor_of(begin(cache, "last", (2,)), cache).section
    )


@pytest.mark.parametrize("columns", [20, 40, 80, 120, 200])
@pytest.mark.parametrize("lines", [5, 12, 24, 60])
def test_what_the_cursor_stands_on_is_seen_on_every_screen(cache, lines, columns):
    walk = begin(cache, "groups", (2, 3, 4))
    size, look = view.Size(lines, columns), Look(256, True)
    frame = view.draw(walk, cache, size, look)
    while not frame.room.has_cursor:  # a small screen begins with the words above
        walk = press(walk, "down", cache, frame.room)
        frame = view.draw(walk, cache, size, look)
    for key in ["right", "enter", "down", "right", "up", "back", "left", "up", "enter"]:
        walk = press(walk, key, cache, frame.room)
        frame = view.draw(walk, cache, size, look)
        assert max(map(length, frame.lines)) <= columns and len(frame.lines) <= lines
        assert frame.room.has_cursor
        assert [t for line in frame.lines for t, style in line if style.reverse], key


def test_over_the_edge_the_text_scrolls_and_comes_back(cache):
    walk = begin(cache, "groups", (2, 3, 4))
    size = view.Size(12, 80)
    frame = view.draw(walk, cache, size, Look())
    firsts, seen = [], []
    for key in [*["down"] * 30, *["up"] * 40]:
        walk = press(walk, key, cache, frame.room)
        frame = view.draw(walk, cache, size, Look())
        firsts.append(frame.room.first)
        seen.append(frame.room.has_cursor)
    assert max(firsts) == frame.room.most > 10 and firsts[-1] == 0
    assert not all(seen) and seen[-1]
    assert all(abs(b - a) <= 4 for a, b in pairwise(firsts))  # lines around the cursor are seen


# ------------------------------------------------------------------------------------------ sources


def numbers(cache):
    """Opened numbers of each layer, forward and backward, as walks."""
    rng = np.random.default_rng(3)
    for name in LAYERS:
        record = cache.lesson.backward[name]
        for _ in range(3):
            place = tuple(int(rng.integers(size)) for size in record.y.shape[1:])
            walk = begin(cache, name, place)
            yield walk
            yield pressed(walk, cache, "b")
        for part, array in record.params.items():
            place = tuple(int(rng.integers(size)) for size in array.shape)
            walk = pressed(
                begin(cache, name), cache, *["w"] * (1 + list(record.params).index(part))
            )
            spot = layout_of(walk, cache).spot(place)
            yield pressed(
                replace(walk, spots={**walk.spots, (walk.position, part): spot}), cache, "enter"
            )
    walk = pressed(begin(cache, "conv"), cache, "backtab", "b", "enter")
    yield walk  # dL/dx of the picture


def paths(tree, above=()):
    """The path and the index of each leaf of a sum."""
    for index, part in enumerate(tree.parts):
        if part.parts:
            yield from paths(part, (*above, index))
        else:
            yield above, index, part


def test_enter_on_a_product_leads_to_the_number_that_it_is_made_of(cache):
    """The number there, as the pass holds it, is the factor, and Escape leads back to the product."""
    led = set()
    for walk in numbers(cache):
        assert walk.level == "opened"
        explanation = opened(walk, cache)
        for place, section in enumerate(explanation.sections):
            if not hasattr(section, "tree"):
                continue
            found = list(paths(section.tree))
            for above, index, leaf in found[:: max(len(found) // 6, 1)]:
                for factor, value in enumerate(leaf.factors or (leaf.value,)):
                    cursor = NumberCursor(place, index, above, factor)
                    there = pressed(replace(walk, cursor=cursor), cache, "enter")
                    if there.level == "opened" and there.trail == walk.trail:
                        assert there.notice
                        continue
                    if getattr(section, "second", "") == "wins" and factor:  # to the window
                        sections = opened(there, cache).sections
                        (window,) = (each for each in sections if isinstance(each, Maximum))
                        i, j = window.argmax
                        winner = window.candidates[i][j].source.place
                        assert value == (winner == explanation.place)
                    elif leaf.source is not None and leaf.source.array == "z" and not factor:
                        assert there.level == "opened"  # exp(z): the cell shows z
                    elif not (leaf.source and leaf.source.array == "y" and not factor):
                        # a window that the cell has lost sends it nothing of its dy
                        assert value in (value_of(there, cache), 0.0), (walk, leaf)
                    names = layout_of(walk, cache).title, layout_of(there, cache).title
                    led.add((*names, factor))
                    assert pressed(there, cache, "back").cursor == cursor
    assert len(led) > 20


def test_a_window_leads_to_its_cells(cache):
    walk = begin(cache, "pool", (1, 1, 2))
    (section,) = (s for s in opened(walk, cache).sections if isinstance(s, Maximum))
    assert marked(walk, cache)[0].startswith("[")
    walk = pressed(walk, cache, "up", "up", "left", "left")
    for i in range(3):
        for j in range(3):
            there = pressed(walk, cache, *["down"] * i, *["right"] * j)
            value = section.rows[i][j]
            source = pressed(there, cache, "enter")
            assert opened(source, cache).value == value
            assert target(source, cache) == ("conv", (1 + i, 1 + j, 2))
            assert pressed(source, cache, "back").cursor == there.cursor
    corner = pressed(begin(cache, "pool", (0, 0, 0)), cache, "up", "up", "left", "left", "enter")
    assert (
        corner.notice == "padding does not compete: there is no cell" and corner.level == "opened"
    )


def test_what_is_given_is_shown_on_its_map(cache):
    product = pressed(begin(cache, "conv", (3, 4, 1)), cache, "enter")
    pixel = pressed(product, cache, "enter")
    assert (pixel.level, pixel.position, pixel.backward) == ("map", 0, False)
    weight = pressed(product, cache, "right", "enter")
    assert (weight.level, weight.part) == ("map", "W")
    gradient = pressed(weight, cache, "enter")
    assert target(gradient, cache)[0] == "conv.W"
    assert pressed(gradient, cache, "back").level == "map"
    assert pressed(gradient, cache, "back", "back").cursor == replace(product.cursor, factor=1)


def test_from_product_to_product_down_to_the_picture_and_back(cache):
    """Upwards from a probability: each Escape is a step of the way back."""
    walk, way = begin(cache, "last", (3,)), []
    for _ in range(40):
        if walk.level == "map":
            break
        way.append(walk)
        walk = pressed(walk, cache, "enter")
    assert walk.position == 0 and len({step.position for step in way}) >= 7
    while walk.trail:
        before = walk
        walk = pressed(walk, cache, "back")
        assert len(before.trail) - len(walk.trail) in (0, 1)
    assert walk.position == cache.position("last")


def test_what_is_no_number_of_the_network_says_so(cache):
    walk = pressed(begin(cache, "groups", (0, 0, 1)), cache, "up", "up", "left", "left", "enter")
    assert walk.notice.startswith("position (0,0), padding: this is no number of the network")
    assert "this is no number" in shown(walk, cache)


def test_the_cursor_needs_no_colours(cache):
    walk = begin(cache, "groups", (2, 3, 4))
    texts = {
        look: marked(walk, cache, look=look) for look in (Look(), Look(8, True), Look(256, True))
    }
    assert len({tuple(found) for found in texts.values()}) == 1 and all(texts.values())


KEYS = ["up", "down", "left", "right", "enter", "back", "tab", "backtab", "b", "pagedown", "home"]


@given(
    layer=st.sampled_from(LAYERS),
    keys=st.lists(st.sampled_from(KEYS), max_size=25),
    lines=st.integers(1, 40),
    columns=st.integers(1, 120),
)
def test_any_way_fits_any_screen(cache, layer, keys, lines, columns):
    record = cache.lesson.backward[layer]
    walk = begin(cache, layer, tuple(size // 2 for size in record.y.shape[1:]))
    size = view.Size(lines, columns)
    frame = view.draw(walk, cache, size, Look())
    for key in keys:
        walk = press(walk, key, cache, frame.room)
        frame = view.draw(walk, cache, size, Look())
        assert len(frame.lines) <= lines and max(map(length, frame.lines)) <= columns
        if walk.level == "opened" and walk.cursor is not None:
            part = number_cursor.part_on(opened(walk, cache), walk.cursor)
            assert part is None or math.isfinite(part.value) or leaves([part])
