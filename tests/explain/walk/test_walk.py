"""The walk with the keys: where each key leads, and what is then drawn."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinycnn as tc
from tinycnn.errors import UnknownNameError
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.pictures import picture
from tinycnn.explain.readers.explanation_text import draw_words
from tinycnn.explain.readers.style import Style
from tinycnn.explain.values.printing import number
from tinycnn.explain.walk import shading, tensor_layout, view
from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.standing import Room, Walk, layout_of, spot_of, target, work
from tinycnn.explain.walk.styled_text import Look, TextStyle, cut, length, read_codes, wrapped
from tinycnn.explain.walk.walk import begin, press
from tinycnn.layers import Conv2D, Dense, Layer, LocalResponseNorm, MaxPool2D

LOOKS = [Look(0, False), Look(8, True), Look(256, True)]
each_look = pytest.mark.parametrize("look", LOOKS, ids=["plain", "8 colours", "256 colours"])


class Gain(Layer):
    """A layer of one's own, with parameters of unusual shapes."""

    def output_shape(self, input_shape):
        return input_shape

    def parameter_shapes(self, input_shape):
        return {"gain": (), "table": (2, 3, 4)}

    def forward(self, params, x, context):
        return params["gain"] * x, x

    def backward(self, params, dy, saved, context):
        grads = {"gain": np.sum(dy * saved), "table": np.zeros((2, 3, 4))}
        return params["gain"] * dy, grads


def network():
    return tc.Sequential(
        [
            Conv2D(4, (5, 3), stride=2, activation="relu", name="conv"),
            MaxPool2D(3, stride=2, name="pool"),
            Conv2D(6, 3, groups=2, activation="relu", name="groups"),
            LocalResponseNorm(name="norm"),
            Dense(7, activation="relu", name="fc"),
            Gain(name="own"),
            Dense(10, activation="softmax", name="last"),
        ],
        (31, 29, 3),
        name="A small network",
    )  # fmt: skip


def lesson():
    model = network()
    with model.edit() as p:
        p["own.gain"][...] = 1.5
    return Lesson(model, picture.load(None, model.input_shape), 3, "as drawn", False)


@pytest.fixture(scope="module")
def cache():
    return LessonCache(lesson())


def pressed(walk, cache, *keys, room=None):
    for key in keys:
        walk = press(walk, key, cache, Room() if room is None else room)
    return walk


def screen(walk, cache, lines=24, columns=80, look=LOOKS[0]):
    frame = view.draw(walk, cache, view.Size(lines, columns), look)
    return "\n".join("".join(text for text, _ in line).rstrip() for line in frame.lines)


def on(cache, layer, *keys):
    """On the map of a layer, and from there on."""
    return pressed(begin(cache, layer), cache, *keys)


# ------------------------------------------------------------------------------------- the layers


def test_the_list_runs_from_the_input_to_the_loss(cache):
    assert cache.names == ("input", "conv", "pool", "groups", "norm", "fc", "own", "last", "loss")
    walk = pressed(Walk(), cache, "home")
    seen = [cache.names[walk.position]]
    while len(seen) < 9:
        walk = pressed(walk, cache, "down")
        seen.append(cache.names[walk.position])
    assert seen == list(cache.names)
    assert pressed(walk, cache, "down") == walk
    assert pressed(walk, cache, "pageup", room=Room(4)).position == 5


def test_backward_the_list_runs_the_other_way_and_keeps_the_layer(cache):
    walk = pressed(Walk(), cache, "down", "b")
    assert walk.backward and cache.names[walk.position] == "pool"
    assert cache.names[pressed(walk, cache, "down").position] == "conv"
    assert cache.names[pressed(walk, cache, "home").position] == "loss"
    assert cache.names[pressed(walk, cache, "end").position] == "input"
    assert not pressed(walk, cache, "b").backward


def test_the_loss_opens_at_once(cache):
    walk = pressed(Walk(), cache, "end", "enter")
    assert walk.level == "opened" and target(walk, cache) == ("loss", None)
    assert "chance" in screen(walk, cache).lower()
    assert pressed(walk, cache, "b").notice == "every gradient is one of the loss"
    assert pressed(walk, cache, "back").level == "layers"


def test_begin_at_a_layer_or_at_a_cell(cache):
    assert begin(cache) == Walk()
    walk = begin(cache, "groups")
    assert (walk.level, cache.names[walk.position]) == ("map", "groups")
    walk = begin(cache, "groups", (-1, 0, -1))
    H, _, F = cache.record(3).y.shape[1:]
    assert walk.level == "opened" and target(walk, cache) == ("groups", (H - 1, 0, F - 1))
    for layer, at in (("nowhere", None), ("groups", (99, 0, 0)), ("input", None)):
        with pytest.raises(UnknownNameError):
            begin(cache, layer, at)


# ------------------------------------------------------------------------------------------ a map


def test_a_map_begins_at_its_largest_number_and_remembers_where_one_was(cache):
    walk = on(cache, "conv")
    y = cache.record(1).y[0]
    assert layout_of(walk, cache).value(spot_of(walk, cache)) == y.max()
    walk = pressed(walk, cache, "home", "up", "]", "back", "down", "enter", "back", "up", "enter")
    assert cache.names[walk.position] == "conv"
    row, column, channel = layout_of(walk, cache).place(spot_of(walk, cache))
    first = np.unravel_index(y.argmax(), y.shape)
    assert (row, column, channel) == (max(first[0] - 1, 0), 0, (first[2] + 1) % 4)


def test_arrows_stop_at_the_edges_and_channels_go_round(cache):
    walk = pressed(on(cache, "conv"), cache, *["up"] * 40, *["left"] * 40)
    layout, spot = layout_of(walk, cache), spot_of(walk, cache)
    assert layout.place(spot)[:2] == (0, 0)
    walk = pressed(walk, cache, *["down"] * 40, "end")
    assert layout.place(spot_of(walk, cache))[:2] == tuple(
        n - 1 for n in cache.record(1).y.shape[1:3]
    )
    pages = [layout.place(spot_of(pressed(walk, cache, *["]"] * n), cache))[2] for n in range(5)]
    assert sorted(pages[:4]) == [0, 1, 2, 3] and pages[4] == pages[0]
    for there, back in (("]", "["), ("pagedown", "pageup")):
        assert spot_of(pressed(walk, cache, there, back), cache) == spot_of(walk, cache)
    assert spot_of(pressed(walk, cache, "{", "x"), cache) == spot_of(walk, cache)


def test_units_are_folded_and_paged_by_the_screen(cache):
    walk = pressed(on(cache, "last"), cache, *["up"] * 5, "home")
    layout = layout_of(walk, cache)
    assert (layout.rows, layout.columns, layout.folded) == (2, 5, True)
    assert layout.place(spot_of(pressed(walk, cache, "right", "down"), cache)) == (6,)
    assert layout.place(spot_of(pressed(walk, cache, "pagedown"), cache)) == (5,)
    assert layout.place(spot_of(pressed(walk, cache, "pagedown", "pageup"), cache)) == (0,)


def test_m_goes_to_the_largest_of_the_page_and_of_all(cache):
    walk = pressed(on(cache, "conv"), cache, "home", "up", "]", "m")
    y = cache.record(1).y[0]
    place = layout_of(walk, cache).place(spot_of(walk, cache))
    assert y[place] == y[..., place[2]].max()
    walk = pressed(walk, cache, "M")
    assert y[layout_of(walk, cache).place(spot_of(walk, cache))] == y.max()


def test_tab_walks_from_layer_to_layer_and_round(cache):
    walk, seen = on(cache, "conv"), []
    for _ in range(8):
        seen.append(cache.names[walk.position])
        walk = pressed(walk, cache, "tab")
    assert seen == ["conv", "pool", "groups", "norm", "fc", "own", "last", "input"]
    assert cache.names[walk.position] == "conv"
    assert cache.names[pressed(walk, cache, "backtab").position] == "input"


def test_b_keeps_the_cell(cache):
    walk = pressed(on(cache, "pool"), cache, "down", "b")
    assert walk.backward and spot_of(walk, cache) == spot_of(pressed(walk, cache, "b"), cache)
    layout = layout_of(walk, cache)
    assert layout.title == "dL/dy of pool"
    assert np.array_equal(layout.cells.reshape(layout.shape), cache.record(2).dy[0])


def test_before_a_softmax_the_gradient_is_dz_and_before_the_picture_dx(cache):
    last = layout_of(on(cache, "last", "b"), cache)
    assert last.what == "last.z" and np.array_equal(last.cells, cache.record(7).dz[0])
    first = layout_of(pressed(on(cache, "conv"), cache, "backtab", "b"), cache)
    assert first.what == "conv.x"
    assert np.array_equal(first.cells.reshape(first.shape), cache.record(1).dx[0])


def test_w_walks_over_the_parameters_and_back(cache):
    walk = on(cache, "groups", "w")
    assert layout_of(walk, cache).title == "groups.W"
    assert layout_of(pressed(walk, cache, "b"), cache).title == "dL/d groups.W"
    assert layout_of(pressed(walk, cache, "w"), cache).title == "groups.b"
    assert layout_of(pressed(walk, cache, "w", "w"), cache).title == "groups"
    assert on(cache, "pool", "w").notice == "pool has no weights"
    assert pressed(Walk(), cache, "w").part == "W"
    listed = pressed(Walk(), cache, "down", "w")
    assert (listed.level, listed.notice) == ("layers", "pool has no weights")


def place_of(walk, cache):
    return layout_of(walk, cache).place(spot_of(walk, cache))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("layer", "units"), [("conv", 4), ("groups", 6), ("fc", 7), ("last", 10)])
def test_w_keeps_the_filter_or_unit(cache, layer, units, backward):
    for unit in range(units):
        walk = on(cache, layer, *["b"] * backward)
        start = (*place_of(walk, cache)[:-1], unit)
        spot = layout_of(walk, cache).spot(start)
        walk = replace(walk, spots={(walk.position, ""): spot})
        walk = pressed(walk, cache, "w")
        place = place_of(walk, cache)
        tensor = (
            cache.record(walk.position).grads if backward else cache.record(walk.position).params
        )["W"]
        assert place[-1] == unit
        assert abs(tensor[place]) == np.abs(tensor[..., unit]).max()
        assert place_of(pressed(walk, cache, "w"), cache) == (unit,)
        assert place_of(pressed(walk, cache, "w", "w"), cache) == start
        # A step to the next filter among the weights leads to its bias and its map.
        after = (unit + 1) % units
        moved = pressed(walk, cache, "]")
        assert place_of(pressed(moved, cache, "w"), cache) == (after,)
        assert place_of(pressed(moved, cache, "w", "w"), cache) == (*start[:-1], after)
        # The kernel's cell that was visited is kept, of the other filter.
        again = pressed(moved, cache, "w", "w", "w")
        assert place_of(again, cache) == (*place[:-1], after)
        # From the list of layers too.
        assert place_of(pressed(moved, cache, "w", "w", "back", "w"), cache)[-1] == after


def test_w_without_a_common_axis_goes_where_it_went(cache):
    walk = on(cache, "own", "]", "w", "w")
    assert spot_of(walk, cache) == cache.start(walk.position, "table")


def test_filters_and_channels_of_weights_turn_apart(cache):
    walk = on(cache, "groups", "w")
    layout, spot = layout_of(walk, cache), spot_of(walk, cache)
    row, column, channel, f = layout.place(spot)
    assert layout.place(spot_of(pressed(walk, cache, "]"), cache)) == (
        row, column, channel, (f + 1) % 6
    )  # fmt: skip
    assert layout.place(spot_of(pressed(walk, cache, "}"), cache)) == (
        row, column, (channel + 1) % 2, f
    )  # fmt: skip
    assert spot_of(pressed(walk, cache, "}", "{", "]", "["), cache) == spot


# ------------------------------------------------------------------------------- an opened number


@pytest.mark.parametrize(
    ("layer", "keys", "asked"),
    [
        ("conv", (), "conv"),
        ("conv", ("b",), "conv.y"),
        ("conv", ("w",), "conv.W"),
        ("conv", ("b", "w", "w"), "conv.b"),
        ("fc", ("b", "w"), "fc.W"),
        ("last", ("b",), "last.z"),
        ("own", ("w",), "own.gain"),
        ("own", ("w", "w", "]"), "own.table"),
    ],
)
def test_enter_opens_what_explain_opens_there(cache, layer, keys, asked):
    walk = on(cache, layer, *keys)
    value = layout_of(walk, cache).value(spot_of(walk, cache))
    opened = pressed(walk, cache, "enter")
    what, place = target(opened, cache)
    assert what == asked and opened.level == "opened"
    explanation = cache.explanation(what, place)
    assert explanation.place == place
    if not (opened.part and "b" not in keys):  # of a weight, its gradient is opened
        assert explanation.value == value
    assert number(explanation.value) in screen(opened, cache)
    assert cache.explanation(what, place) is explanation


def test_b_turns_an_opened_number_into_its_gradient_and_back(cache):
    walk = on(cache, "groups", "enter")
    turned = pressed(walk, cache, "down", "b")
    assert target(turned, cache) == ("groups.y", target(walk, cache)[1]) and turned.scroll == 0
    assert target(pressed(turned, cache, "b"), cache) == target(walk, cache)
    weight = on(cache, "groups", "w", "enter")
    assert weight.backward and "given" in pressed(weight, cache, "b").notice


def test_a_pixel_cannot_be_opened_but_its_gradient_can(cache):
    walk = pressed(Walk(), cache, "up", "enter")
    assert walk.level == "map" and "given" in pressed(walk, cache, "enter").notice
    opened = pressed(walk, cache, "b", "enter")
    assert target(opened, cache)[0] == "conv.x"
    still = pressed(opened, cache, "b")
    assert still.backward and still.level == "opened" and "given" in still.notice


def test_from_an_opened_number_back_to_its_map(cache):
    walk = on(cache, "groups", "down")
    assert spot_of(pressed(walk, cache, "enter", "back"), cache) == spot_of(walk, cache)
    assert pressed(walk, cache, "enter", "back").level == "map"
    own = on(cache, "own", "enter")  # of which there is nothing to open: left has no other meaning
    assert pressed(own, cache, "left").level == "map"
    assert pressed(walk, cache, "enter", "back", "back").level == "layers"


def test_scrolling_stays_within_the_text(cache):
    walk, room = on(cache, "conv", "enter"), Room(10, 25, has_cursor=False)
    assert pressed(walk, cache, "up", room=room).scroll == 0
    assert pressed(walk, cache, "down", "down", room=room).scroll == 2
    assert pressed(walk, cache, "pagedown", room=room).scroll == 9
    assert pressed(walk, cache, "end", room=room).scroll == 25
    assert pressed(walk, cache, "end", "home", room=room).scroll == 0
    assert pressed(walk, cache, "end", "up", room=Room(10, 7, has_cursor=False)).scroll == 6


def test_help_is_left_by_any_key_and_q_leaves_from_anywhere(cache):
    for walk in (
        Walk(),
        on(cache, "conv"),
        on(cache, "conv", "enter"),
        pressed(Walk(), cache, "?"),
    ):
        assert pressed(walk, cache, "q").left
    walk = on(cache, "conv")
    helped = pressed(walk, cache, "?")
    assert "Backspace" in screen(helped, cache)
    assert pressed(helped, cache, "down", room=Room(3, 9)).help == 1
    assert pressed(helped, cache, "b") == walk == pressed(helped, cache, "?")


def test_moving_works_nothing_out():
    cache = LessonCache(lesson())
    walk = Walk()
    assert "trace" not in vars(cache.lesson)
    assert work(walk, cache) == ""
    walk = on(cache, "conv")
    backward = pressed(walk, cache, "b")
    assert work(walk, cache) == "" and work(backward, cache) == "working out the gradients ..."
    assert not cache.has_gradients
    loss = pressed(Walk(), cache, "end", "enter")
    assert work(loss, cache) == "working out the gradients ..."
    screen(backward, cache)
    assert cache.has_gradients and work(pressed(backward, cache, "down", "]"), cache) == ""
    opened = pressed(backward, cache, "enter")
    assert work(opened, cache) == "opening the number ..."
    screen(opened, cache)
    assert work(opened, cache) == "" == work(pressed(opened, cache, "back"), cache)


def test_only_so_many_opened_numbers_are_kept(cache):
    for column in range(40):
        cache.explanation("last", (column % 10,))
        cache.explanation("conv", (column % 10, 0, column % 4))
    assert len(cache._opened) <= 32


# ------------------------------------------------------------------------------------------ drawn

KEYS = [
    "up", "down", "left", "right", "enter", "back", "b", "w", "m", "M", "[", "]", "{", "}", "?",
    "pageup", "pagedown", "home", "end", "tab", "backtab", "x",
]  # fmt: skip


@each_look
@given(
    keys=st.lists(st.sampled_from(KEYS), max_size=12),
    lines=st.integers(1, 50),
    columns=st.integers(1, 130),
)
def test_any_walk_fits_any_screen(cache, look, keys, lines, columns):
    walk, size = Walk(), view.Size(lines, columns)
    frame = view.draw(walk, cache, size, look)
    for key in keys:
        walk = press(walk, key, cache, frame.room)
        frame = view.draw(walk, cache, size, look)
        assert len(frame.lines) <= lines
        assert max(map(length, frame.lines)) <= columns
        if not look.blocks:
            assert all(text.isascii() for line in frame.lines for text, _ in line)


@each_look
@given(keys=st.lists(st.sampled_from(KEYS), max_size=12), columns=st.integers(40, 130))
def test_the_number_is_never_cut(cache, look, keys, columns):
    walk = pressed(on(cache, "conv"), cache, *keys, room=Room(8, 30))
    assume(walk.level != "layers" and walk.help is None)
    seen = screen(walk, cache, 15, columns, look)
    if walk.level == "map":
        assert number(layout_of(walk, cache).value(spot_of(walk, cache))) in seen
    else:
        assert number(cache.explanation(*target(walk, cache)).value) in seen


def test_the_list_shows_the_overview_and_gives_up_columns_where_it_is_narrow(cache):
    wide = screen(Walk(), cache)
    assert "floor((31+0-5)/2)+1 = 14, floor((29+0-3)/2)+1 = 14" not in wide  # too long for 80
    assert "14 x 14 x 4" in wide and "› conv" not in wide and "> conv" in wide
    assert "floor((31+0-5)/2)+1 = 14, floor((29+0-3)/2)+1 = 14" in screen(Walk(), cache, 24, 120)
    narrow = screen(Walk(), cache, 24, 30)
    assert "14 x 14 x 4" in narrow and "range" not in narrow
    assert "(5*3*3+1)*4 = 184 parameters" in wide
    assert "chelsea.png" in screen(pressed(Walk(), cache, "up"), cache)
    assert "ln 10 = 2.3026" in screen(pressed(Walk(), cache, "end"), cache)
    assert "pool has no parameters" in screen(pressed(Walk(), cache, "down"), cache)


def test_the_list_of_gradients_names_the_largest(cache):
    seen = screen(pressed(Walk(), cache, "b"), cache)
    assert "backward, label 3" in seen and "dL/dW = x^T (p - onehot)" in seen
    largest = cache.record(7).grads["W"].flat[np.abs(cache.record(7).grads["W"]).argmax()]
    assert number(float(largest)) in seen
    assert seen.index("loss ") < seen.index("last ") < seen.index("conv ") < seen.index("input ")


def test_a_short_list_follows_the_chosen_row(cache):
    for keys in ((), ("end",), ("home",), ("b",), ("b", "end")):
        walk = pressed(Walk(), cache, *keys)
        assert f"> {cache.names[walk.position]} " in screen(walk, cache, 8, 60)


def test_a_map_says_what_the_cell_sees(cache):
    walk = pressed(on(cache, "groups"), cache, *["up"] * 9, "home")
    seen = screen(walk, cache)
    assert "row 0, column 0, filter" in seen
    assert "sees rows 0..16, columns 0..14 of the picture (17 x 15)" in seen
    seen = screen(pressed(walk, cache, "b"), cache)
    assert "dL/dy of groups" in seen and "groups is" in seen and "backward, label 3" in seen
    assert "groups.W is" in screen(pressed(walk, cache, "w", "b"), cache)
    assert "sees the whole picture" in screen(on(cache, "fc"), cache)


@each_look
def test_small_maps_are_printed_in_numbers(cache, look):
    walk = on(cache, "groups", "w")
    seen = screen(walk, cache, look=look)
    page = layout_of(walk, cache).page(spot_of(walk, cache))
    assert page.size == 9
    assert all(number(float(value), 3) in seen for value in page)


def test_a_picture_stands_beside_the_map_where_there_is_room(cache):
    walk = pressed(on(cache, "groups"), cache, *["up"] * 9, "home")
    assert "+-----" in screen(walk, cache)  # the frame around what the cell sees
    assert "+-----" not in screen(walk, cache, 24, 20)
    opened = pressed(walk, cache, "enter")
    beside = screen(opened, cache, 40, 120).splitlines()
    assert beside[1].startswith("SEES") and all(line[83:] for line in beside[1:9])
    below = screen(opened, cache, 200, 80).splitlines()
    assert any(line.startswith("NEXT") for line in below) and "+-----" in "".join(below)
    assert max(map(len, below)) <= 80


def test_a_narrow_screen_wraps_an_opened_number_but_cuts_no_word(cache):
    opened = on(cache, "conv", "b", "w", "enter")
    shown = screen(opened, cache, 400, 40)
    assert max(map(len, shown.splitlines())) <= 40
    expected = draw_words(cache.explanation(*target(opened, cache)), Style.plain())[2:]
    assert " ".join(" ".join(expected).split()) in " ".join(shown.split())


# -------------------------------------------------------------------------------- layouts and shades


@given(shape=st.lists(st.integers(1, 6), min_size=0, max_size=5).map(tuple), data=st.data())
def test_a_sheet_knows_every_place(shape, data):
    values = np.arange(math.prod(shape)).reshape(shape)
    layout = tensor_layout.of_output("y", "y", values)
    for flat in range(values.size):
        place = tuple(int(i) for i in np.unravel_index(flat, shape)) if shape else ()
        spot = layout.spot(place)
        assert layout.place(spot) == place and layout.value(spot) == flat
        assert layout.page(spot)[spot[0]] == flat
        words = layout.words(spot)
        assert [int(word) for word in words.replace(",", "").split() if word.isdigit()][-1:] == (
            [place[-1]] if place else [0]
        )
    spot = layout.spot(tuple(data.draw(st.integers(0, n - 1)) for n in shape))
    row, column = divmod(spot[0], layout.columns)
    stepped = layout.step(spot, 0, 1)
    assert divmod(stepped[0], layout.columns) in ((row, column + 1), (row, column))


@given(st.integers(1, 10_000))
def test_a_vector_is_folded_near_a_square(size):
    width = tensor_layout.fold(size)
    assert 1 <= width <= 3 * (math.isqrt(size) + 1)
    assert width * math.ceil(size / width) - size < width


def test_folds_of_the_usual_sizes():
    assert [tensor_layout.fold(n) for n in (4096, 1000, 9216, 10, 7)] == [64, 40, 96, 5, 7]


def test_shades_follow_the_size_and_only_zero_is_zero():
    values = np.array([0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 0.25, np.nan, np.inf, -np.inf])
    assert shading.shades_of(values).tolist() == [
        0, 0, 1, -1, 10, -10, 5, shading.NAN, 10, -10
    ]  # fmt: skip
    assert shading.shades_of(np.zeros(3, np.float32)).tolist() == [0, 0, 0]


def test_the_sign_is_seen_without_colour():
    values = np.array([[0.5, -0.5], [0.0, np.nan]])
    layout = tensor_layout.of_output("y", "y", np.tile(values, (10, 20)))
    spot = layout.spot((5, 5))
    win = shading.viewport(layout, spot, 30, 200, LOOKS[0])
    lines = ["".join(t for t, _ in line) for line in shading.draw_map(layout, spot, win, LOOKS[0])]
    assert win.grain == "pairs" and lines[0][3:11] == "@@-@@@-@" and lines[1][3:7] == "  ??"


def test_a_map_is_as_large_as_the_screen_allows():
    layout = tensor_layout.of_output("y", "y", np.ones((27, 27, 2)))
    spot = layout.spot((13, 13, 0))
    rich, plain = LOOKS[2], LOOKS[0]

    def choice(lines, width, look):
        win = shading.viewport(layout, spot, lines, width, look)
        shown = win.rows[1] - win.rows[0], win.columns[1] - win.columns[0]
        return win.grain, win.scale, shown

    assert choice(30, 280, rich) == ("numbers", 1, (27, 27))
    assert choice(60, 120, rich) == ("pairs", 2, (27, 27))
    assert choice(30, 60, rich) == ("pairs", 1, (27, 27))
    assert choice(18, 80, rich) == ("halves", 1, (27, 27))
    assert choice(18, 80, plain) == ("pairs", 1, (18, 27))
    assert choice(9, 20, rich) == ("halves", 1, (18, 17))
    win = shading.viewport(layout, spot, 9, 20, rich)
    assert win.rows[0] <= 13 < win.rows[1] and win.columns[0] <= 13 < win.columns[1]


def test_half_blocks_show_two_rows_and_where_one_stands():
    layout = tensor_layout.of_output("y", "y", np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 1.0]]))
    win = shading.Viewport("halves", (0, 3), (0, 2), 2)
    first, second = shading.draw_map(layout, layout.spot((1, 1)), win, LOOKS[2])
    warm, cold, zero, here = 229, 159, 235, 46
    assert first[1:] == [("▀", TextStyle(warm, cold)), ("▀", TextStyle(zero, here))]
    assert second[1:] == [("▀", TextStyle(warm, -1))] * 2


@each_look
def test_the_last_row_of_a_folded_vector_may_be_short(look):
    layout = tensor_layout.of_output("y", "y", np.ones(97))
    assert (layout.rows, layout.columns) == (10, 10)
    walked = layout.step((96,), 5, 5)
    win = shading.viewport(layout, walked, 10, 40, look)
    last = shading.draw_map(layout, walked, win, look)[-1]
    assert walked == (96,) and win.grain == "pairs"
    assert [style == TextStyle() and not text.strip() for text, style in last[1:]] == [
        False
    ] * 7 + [True] * 3


def test_half_blocks_of_any_page_need_few_pairs_of_colours():
    values = np.random.default_rng(0).normal(size=(120, 200))
    for page in (values, np.abs(values)):
        layout = tensor_layout.of_output("y", "y", page)
        win = shading.viewport(layout, (0,), 60, 200, LOOKS[2])
        lines = shading.draw_map(layout, (0,), win, LOOKS[2])
        assert len({style for line in lines for _, style in line}) <= 11**2 + 3


def test_ruler_and_gutter_name_first_last_and_own():
    layout = tensor_layout.of_output("y", "y", np.ones((13, 13)))
    for grain, text in (("pairs", "  0 2  12"), ("halves", "  0 2 12")):
        win = shading.Viewport(grain, (0, 13), (0, 13), 3)
        line = "".join(text for text, _ in shading.ruler(layout, (2,), win))
        assert line.split() == ["0", "2", "12"], text
    crowded = shading.Viewport("halves", (0, 13), (0, 13), 3)
    assert "".join(t for t, _ in shading.ruler(layout, (1,), crowded)).split() == ["1", "12"]


# -------------------------------------------------------------------------------------------- style


def test_codes_of_a_terminal_are_read():
    text = "a\x1b[1mb\x1b[0m\x1b[2mc\x1b[0m\x1b[1;31md\x1b[0m"
    text += "\x1b[38;2;255;255;255m\x1b[48;2;0;0;0m▀\x1b[0me"
    assert read_codes(text) == [
        ("a", TextStyle()), ("b", TextStyle(bold=True)), ("c", TextStyle(dim=True)),
        ("d", TextStyle(1, bold=True)), ("▀", TextStyle(231, 16)), ("e", TextStyle()),
    ]  # fmt: skip


def test_wrapping_breaks_between_words():
    lines = wrapped([("SUMS    one two ", TextStyle()), ("three", TextStyle(bold=True))], 16, 8)
    assert lines == [
        [("SUMS    one two", TextStyle())],
        [(" " * 8, TextStyle()), ("three", TextStyle(bold=True))],
    ]
    assert wrapped([], 10, 2) == [[]]
    assert ["".join(t for t, _ in line) for line in wrapped([("abcdef", TextStyle())], 4, 9)] == [
        "abcd", "  ef"
    ]  # fmt: skip


def test_what_a_terminal_cannot_show_is_replaced():
    assert cut([("a\x1b[2Jb › c", TextStyle())], 7, LOOKS[0]) == [("a?[2Jb ", TextStyle())]
    assert cut([("› ▀", TextStyle())], 9, LOOKS[0]) == [("> ^", TextStyle())]
