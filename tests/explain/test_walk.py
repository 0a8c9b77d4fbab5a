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
from tinycnn.explain.walk import shading, sheets, view
from tinycnn.explain.walk.book import Book
from tinycnn.explain.walk.ink import Ink, Look, cut, length, read_codes, wrapped
from tinycnn.explain.walk.walk import Room, Walk, begin, press, sheet_of, spot_of, target, work
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
def book():
    return Book(lesson())


def pressed(walk, book, *keys, room=None):
    for key in keys:
        walk = press(walk, key, book, Room() if room is None else room)
    return walk


def screen(walk, book, lines=24, columns=80, look=LOOKS[0]):
    frame = view.draw(walk, book, view.Size(lines, columns), look)
    return "\n".join("".join(text for text, _ in line).rstrip() for line in frame.lines)


def on(book, layer, *keys):
    """On the map of a layer, and from there on."""
    return pressed(begin(book, layer), book, *keys)


# ------------------------------------------------------------------------------------- the layers


def test_the_list_runs_from_the_input_to_the_loss(book):
    assert book.names == ("input", "conv", "pool", "groups", "norm", "fc", "own", "last", "loss")
    walk = pressed(Walk(), book, "home")
    seen = [book.names[walk.position]]
    while len(seen) < 9:
        walk = pressed(walk, book, "down")
        seen.append(book.names[walk.position])
    assert seen == list(book.names)
    assert pressed(walk, book, "down") == walk
    assert pressed(walk, book, "pageup", room=Room(4)).position == 5


def test_backward_the_list_runs_the_other_way_and_keeps_the_layer(book):
    walk = pressed(Walk(), book, "down", "b")
    assert walk.backward and book.names[walk.position] == "pool"
    assert book.names[pressed(walk, book, "down").position] == "conv"
    assert book.names[pressed(walk, book, "home").position] == "loss"
    assert book.names[pressed(walk, book, "end").position] == "input"
    assert not pressed(walk, book, "b").backward


def test_the_loss_opens_at_once(book):
    walk = pressed(Walk(), book, "end", "enter")
    assert walk.level == "opened" and target(walk, book) == ("loss", None)
    assert "chance" in screen(walk, book).lower()
    assert pressed(walk, book, "b").notice == "every gradient is one of the loss"
    assert pressed(walk, book, "back").level == "layers"


def test_begin_at_a_layer_or_at_a_cell(book):
    assert begin(book) == Walk()
    walk = begin(book, "groups")
    assert (walk.level, book.names[walk.position]) == ("map", "groups")
    walk = begin(book, "groups", (-1, 0, -1))
    H, _, F = book.record(3).y.shape[1:]
    assert walk.level == "opened" and target(walk, book) == ("groups", (H - 1, 0, F - 1))
    for layer, at in (("nowhere", None), ("groups", (99, 0, 0)), ("input", None)):
        with pytest.raises(UnknownNameError):
            begin(book, layer, at)


# ------------------------------------------------------------------------------------------ a map


def test_a_map_begins_at_its_largest_number_and_remembers_where_one_was(book):
    walk = on(book, "conv")
    y = book.record(1).y[0]
    assert sheet_of(walk, book).value(spot_of(walk, book)) == y.max()
    walk = pressed(walk, book, "home", "up", "]", "back", "down", "enter", "back", "up", "enter")
    assert book.names[walk.position] == "conv"
    row, column, channel = sheet_of(walk, book).place(spot_of(walk, book))
    first = np.unravel_index(y.argmax(), y.shape)
    assert (row, column, channel) == (max(first[0] - 1, 0), 0, (first[2] + 1) % 4)


def test_arrows_stop_at_the_edges_and_channels_go_round(book):
    walk = pressed(on(book, "conv"), book, *["up"] * 40, *["left"] * 40)
    sheet, spot = sheet_of(walk, book), spot_of(walk, book)
    assert sheet.place(spot)[:2] == (0, 0)
    walk = pressed(walk, book, *["down"] * 40, "end")
    assert sheet.place(spot_of(walk, book))[:2] == tuple(n - 1 for n in book.record(1).y.shape[1:3])
    pages = [sheet.place(spot_of(pressed(walk, book, *["]"] * n), book))[2] for n in range(5)]
    assert sorted(pages[:4]) == [0, 1, 2, 3] and pages[4] == pages[0]
    for there, back in (("]", "["), ("pagedown", "pageup")):
        assert spot_of(pressed(walk, book, there, back), book) == spot_of(walk, book)
    assert spot_of(pressed(walk, book, "{", "x"), book) == spot_of(walk, book)


def test_units_are_folded_and_paged_by_the_screen(book):
    walk = pressed(on(book, "last"), book, *["up"] * 5, "home")
    sheet = sheet_of(walk, book)
    assert (sheet.rows, sheet.columns, sheet.folded) == (2, 5, True)
    assert sheet.place(spot_of(pressed(walk, book, "right", "down"), book)) == (6,)
    assert sheet.place(spot_of(pressed(walk, book, "pagedown"), book)) == (5,)
    assert sheet.place(spot_of(pressed(walk, book, "pagedown", "pageup"), book)) == (0,)


def test_m_goes_to_the_largest_of_the_page_and_of_all(book):
    walk = pressed(on(book, "conv"), book, "home", "up", "]", "m")
    y = book.record(1).y[0]
    place = sheet_of(walk, book).place(spot_of(walk, book))
    assert y[place] == y[..., place[2]].max()
    walk = pressed(walk, book, "M")
    assert y[sheet_of(walk, book).place(spot_of(walk, book))] == y.max()


def test_tab_walks_from_layer_to_layer_and_round(book):
    walk, seen = on(book, "conv"), []
    for _ in range(8):
        seen.append(book.names[walk.position])
        walk = pressed(walk, book, "tab")
    assert seen == ["conv", "pool", "groups", "norm", "fc", "own", "last", "input"]
    assert book.names[walk.position] == "conv"
    assert book.names[pressed(walk, book, "backtab").position] == "input"


def test_b_keeps_the_cell(book):
    walk = pressed(on(book, "pool"), book, "down", "b")
    assert walk.backward and spot_of(walk, book) == spot_of(pressed(walk, book, "b"), book)
    sheet = sheet_of(walk, book)
    assert sheet.title == "dL/dy of pool"
    assert np.array_equal(sheet.cells.reshape(sheet.shape), book.record(2).dy[0])


def test_before_a_softmax_the_gradient_is_dz_and_before_the_picture_dx(book):
    last = sheet_of(on(book, "last", "b"), book)
    assert last.what == "last.z" and np.array_equal(last.cells, book.record(7).dz[0])
    first = sheet_of(pressed(on(book, "conv"), book, "backtab", "b"), book)
    assert first.what == "conv.x"
    assert np.array_equal(first.cells.reshape(first.shape), book.record(1).dx[0])


def test_w_walks_over_the_parameters_and_back(book):
    walk = on(book, "groups", "w")
    assert sheet_of(walk, book).title == "groups.W"
    assert sheet_of(pressed(walk, book, "b"), book).title == "dL/d groups.W"
    assert sheet_of(pressed(walk, book, "w"), book).title == "groups.b"
    assert sheet_of(pressed(walk, book, "w", "w"), book).title == "groups"
    assert on(book, "pool", "w").notice == "pool has no weights"
    assert pressed(Walk(), book, "w").part == "W"
    listed = pressed(Walk(), book, "down", "w")
    assert (listed.level, listed.notice) == ("layers", "pool has no weights")


def place_of(walk, book):
    return sheet_of(walk, book).place(spot_of(walk, book))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("layer", "units"), [("conv", 4), ("groups", 6), ("fc", 7), ("last", 10)])
def test_w_keeps_the_filter_or_unit(book, layer, units, backward):
    for unit in range(units):
        walk = on(book, layer, *["b"] * backward)
        start = (*place_of(walk, book)[:-1], unit)
        spot = sheet_of(walk, book).spot(start)
        walk = replace(walk, spots={(walk.position, ""): spot})
        walk = pressed(walk, book, "w")
        place = place_of(walk, book)
        tensor = (
            book.record(walk.position).grads if backward else book.record(walk.position).params
        )["W"]
        assert place[-1] == unit
        assert abs(tensor[place]) == np.abs(tensor[..., unit]).max()
        assert place_of(pressed(walk, book, "w"), book) == (unit,)
        assert place_of(pressed(walk, book, "w", "w"), book) == start
        # A step to the next filter among the weights leads to its bias and its map.
        after = (unit + 1) % units
        moved = pressed(walk, book, "]")
        assert place_of(pressed(moved, book, "w"), book) == (after,)
        assert place_of(pressed(moved, book, "w", "w"), book) == (*start[:-1], after)
        # The kernel's cell that was visited is kept, of the other filter.
        again = pressed(moved, book, "w", "w", "w")
        assert place_of(again, book) == (*place[:-1], after)
        # From the list of layers too.
        assert place_of(pressed(moved, book, "w", "w", "back", "w"), book)[-1] == after


def test_w_without_a_common_axis_goes_where_it_went(book):
    walk = on(book, "own", "]", "w", "w")
    assert spot_of(walk, book) == book.start(walk.position, "table", False)


def test_filters_and_channels_of_weights_turn_apart(book):
    walk = on(book, "groups", "w")
    sheet, spot = sheet_of(walk, book), spot_of(walk, book)
    row, column, channel, f = sheet.place(spot)
    assert sheet.place(spot_of(pressed(walk, book, "]"), book)) == (
        row, column, channel, (f + 1) % 6
    )  # fmt: skip
    assert sheet.place(spot_of(pressed(walk, book, "}"), book)) == (
        row, column, (channel + 1) % 2, f
    )  # fmt: skip
    assert spot_of(pressed(walk, book, "}", "{", "]", "["), book) == spot


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
def test_enter_opens_what_explain_opens_there(book, layer, keys, asked):
    walk = on(book, layer, *keys)
    value = sheet_of(walk, book).value(spot_of(walk, book))
    opened = pressed(walk, book, "enter")
    what, place = target(opened, book)
    assert what == asked and opened.level == "opened"
    explanation = book.explanation(what, place)
    assert explanation.place == place
    if not (opened.part and "b" not in keys):  # of a weight, its gradient is opened
        assert explanation.value == value
    assert number(explanation.value) in screen(opened, book)
    assert book.explanation(what, place) is explanation


def test_b_turns_an_opened_number_into_its_gradient_and_back(book):
    walk = on(book, "groups", "enter")
    turned = pressed(walk, book, "down", "b")
    assert target(turned, book) == ("groups.y", target(walk, book)[1]) and turned.scroll == 0
    assert target(pressed(turned, book, "b"), book) == target(walk, book)
    weight = on(book, "groups", "w", "enter")
    assert weight.backward and "given" in pressed(weight, book, "b").notice


def test_a_pixel_cannot_be_opened_but_its_gradient_can(book):
    walk = pressed(Walk(), book, "up", "enter")
    assert walk.level == "map" and "given" in pressed(walk, book, "enter").notice
    opened = pressed(walk, book, "b", "enter")
    assert target(opened, book)[0] == "conv.x"
    still = pressed(opened, book, "b")
    assert still.backward and still.level == "opened" and "given" in still.notice


@pytest.mark.parametrize("key", ["back", "left"])
def test_from_an_opened_number_back_to_its_map(book, key):
    walk = on(book, "groups", "down")
    assert spot_of(pressed(walk, book, "enter", key), book) == spot_of(walk, book)
    assert pressed(walk, book, "enter", key).level == "map"
    assert pressed(walk, book, "enter", "back", "back").level == "layers"


def test_scrolling_stays_within_the_text(book):
    walk, room = on(book, "conv", "enter"), Room(10, 25)
    assert pressed(walk, book, "up", room=room).scroll == 0
    assert pressed(walk, book, "down", "down", room=room).scroll == 2
    assert pressed(walk, book, "pagedown", room=room).scroll == 9
    assert pressed(walk, book, "end", room=room).scroll == 25
    assert pressed(walk, book, "end", "home", room=room).scroll == 0
    assert pressed(walk, book, "end", "up", room=Room(10, 7)).scroll == 6


def test_help_is_left_by_any_key_and_q_leaves_from_anywhere(book):
    for walk in (Walk(), on(book, "conv"), on(book, "conv", "enter"), pressed(Walk(), book, "?")):
        assert pressed(walk, book, "q").left
    walk = on(book, "conv")
    helped = pressed(walk, book, "?")
    assert "Backspace" in screen(helped, book)
    assert pressed(helped, book, "down", room=Room(3, 9)).help == 1
    assert pressed(helped, book, "b") == walk == pressed(helped, book, "?")


def test_moving_works_nothing_out():
    book = Book(lesson())
    walk = Walk()
    assert "trace" not in vars(book.lesson)
    assert work(walk, book) == ""
    walk = on(book, "conv")
    backward = pressed(walk, book, "b")
    assert work(walk, book) == "" and work(backward, book) == "working out the gradients ..."
    assert not book.has_gradients
    loss = pressed(Walk(), book, "end", "enter")
    assert work(loss, book) == "working out the gradients ..."
    screen(backward, book)
    assert book.has_gradients and work(pressed(backward, book, "down", "]"), book) == ""
    opened = pressed(backward, book, "enter")
    assert work(opened, book) == "opening the number ..."
    screen(opened, book)
    assert work(opened, book) == "" == work(pressed(opened, book, "back"), book)


def test_only_so_many_opened_numbers_are_kept(book):
    for column in range(40):
        book.explanation("last", (column % 10,))
        book.explanation("conv", (column % 10, 0, column % 4))
    assert len(book._opened) <= 32


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
def test_any_walk_fits_any_screen(book, look, keys, lines, columns):
    walk, size = Walk(), view.Size(lines, columns)
    frame = view.draw(walk, book, size, look)
    for key in keys:
        walk = press(walk, key, book, frame.room)
        frame = view.draw(walk, book, size, look)
        assert len(frame.lines) <= lines
        assert max(map(length, frame.lines)) <= columns
        if not look.blocks:
            assert all(text.isascii() for line in frame.lines for text, _ in line)


@each_look
@given(keys=st.lists(st.sampled_from(KEYS), max_size=12), columns=st.integers(40, 130))
def test_the_number_is_never_cut(book, look, keys, columns):
    walk = pressed(on(book, "conv"), book, *keys, room=Room(8, 30))
    assume(walk.level != "layers" and walk.help is None)
    seen = screen(walk, book, 15, columns, look)
    if walk.level == "map":
        assert number(sheet_of(walk, book).value(spot_of(walk, book))) in seen
    else:
        assert number(book.explanation(*target(walk, book)).value) in seen


def test_the_list_shows_the_overview_and_gives_up_columns_where_it_is_narrow(book):
    wide = screen(Walk(), book)
    assert "floor((31+0-5)/2)+1 = 14, floor((29+0-3)/2)+1 = 14" not in wide  # too long for 80
    assert "14 x 14 x 4" in wide and "› conv" not in wide and "> conv" in wide
    assert "floor((31+0-5)/2)+1 = 14, floor((29+0-3)/2)+1 = 14" in screen(Walk(), book, 24, 120)
    narrow = screen(Walk(), book, 24, 30)
    assert "14 x 14 x 4" in narrow and "range" not in narrow
    assert "(5*3*3+1)*4 = 184 parameters" in wide
    assert "chelsea.png" in screen(pressed(Walk(), book, "up"), book)
    assert "ln 10 = 2.3026" in screen(pressed(Walk(), book, "end"), book)
    assert "pool has no parameters" in screen(pressed(Walk(), book, "down"), book)


def test_the_list_of_gradients_names_the_largest(book):
    seen = screen(pressed(Walk(), book, "b"), book)
    assert "backward, label 3" in seen and "dL/dW = x^T (p - onehot)" in seen
    largest = book.record(7).grads["W"].flat[np.abs(book.record(7).grads["W"]).argmax()]
    assert number(float(largest)) in seen
    assert seen.index("loss ") < seen.index("last ") < seen.index("conv ") < seen.index("input ")


def test_a_short_list_follows_the_chosen_row(book):
    for keys in ((), ("end",), ("home",), ("b",), ("b", "end")):
        walk = pressed(Walk(), book, *keys)
        assert f"> {book.names[walk.position]} " in screen(walk, book, 8, 60)


def test_a_map_says_what_the_cell_sees(book):
    walk = pressed(on(book, "groups"), book, *["up"] * 9, "home")
    seen = screen(walk, book)
    assert "row 0, column 0, filter" in seen
    assert "sees rows 0..16, columns 0..14 of the picture (17 x 15)" in seen
    seen = screen(pressed(walk, book, "b"), book)
    assert "dL/dy of groups" in seen and "groups is" in seen and "backward, label 3" in seen
    assert "groups.W is" in screen(pressed(walk, book, "w", "b"), book)
    assert "sees the whole picture" in screen(on(book, "fc"), book)


@each_look
def test_small_maps_are_printed_in_numbers(book, look):
    walk = on(book, "groups", "w")
    seen = screen(walk, book, look=look)
    page = sheet_of(walk, book).page(spot_of(walk, book))
    assert page.size == 9
    assert all(number(float(value), 3) in seen for value in page)


def test_a_picture_stands_beside_the_map_where_there_is_room(book):
    walk = pressed(on(book, "groups"), book, *["up"] * 9, "home")
    assert "+-----" in screen(walk, book)  # the frame around what the cell sees
    assert "+-----" not in screen(walk, book, 24, 20)
    opened = pressed(walk, book, "enter")
    beside = screen(opened, book, 40, 120).splitlines()
    assert beside[1].startswith("SEES") and all(line[83:] for line in beside[1:9])
    below = screen(opened, book, 200, 80).splitlines()
    assert any(line.startswith("NEXT") for line in below) and "+-----" in "".join(below)
    assert max(map(len, below)) <= 80


def test_a_narrow_screen_wraps_an_opened_number_but_cuts_no_word(book):
    opened = on(book, "conv", "b", "w", "enter")
    shown = screen(opened, book, 400, 40)
    assert max(map(len, shown.splitlines())) <= 40
    expected = draw_words(book.explanation(*target(opened, book)), Style.plain())[2:]
    assert " ".join(" ".join(expected).split()) in " ".join(shown.split())


# -------------------------------------------------------------------------------- sheets and shades


@given(shape=st.lists(st.integers(1, 6), min_size=0, max_size=5).map(tuple), data=st.data())
def test_a_sheet_knows_every_place(shape, data):
    values = np.arange(math.prod(shape)).reshape(shape)
    sheet = sheets.of_output("y", "y", values)
    for flat in range(values.size):
        place = tuple(int(i) for i in np.unravel_index(flat, shape)) if shape else ()
        spot = sheet.spot(place)
        assert sheet.place(spot) == place and sheet.value(spot) == flat
        assert sheet.page(spot)[spot[0]] == flat
        words = sheet.words(spot)
        assert [int(word) for word in words.replace(",", "").split() if word.isdigit()][-1:] == (
            [place[-1]] if place else [0]
        )
    spot = sheet.spot(tuple(data.draw(st.integers(0, n - 1)) for n in shape))
    row, column = divmod(spot[0], sheet.columns)
    stepped = sheet.step(spot, 0, 1)
    assert divmod(stepped[0], sheet.columns) in ((row, column + 1), (row, column))


@given(st.integers(1, 10_000))
def test_a_vector_is_folded_near_a_square(size):
    width = sheets.fold(size)
    assert 1 <= width <= 3 * (math.isqrt(size) + 1)
    assert width * math.ceil(size / width) - size < width


def test_folds_of_the_usual_sizes():
    assert [sheets.fold(n) for n in (4096, 1000, 9216, 10, 7)] == [64, 40, 96, 5, 7]


def test_shades_follow_the_size_and_only_zero_is_zero():
    values = np.array([0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 0.25, np.nan, np.inf, -np.inf])
    assert shading.shades_of(values).tolist() == [
        0, 0, 1, -1, 10, -10, 5, shading.NAN, 10, -10
    ]  # fmt: skip
    assert shading.shades_of(np.zeros(3, np.float32)).tolist() == [0, 0, 0]


def test_the_sign_is_seen_without_colour():
    values = np.array([[0.5, -0.5], [0.0, np.nan]])
    sheet = sheets.of_output("y", "y", np.tile(values, (10, 20)))
    spot = sheet.spot((5, 5))
    win = shading.window(sheet, spot, 30, 200, LOOKS[0])
    lines = ["".join(t for t, _ in line) for line in shading.draw_map(sheet, spot, win, LOOKS[0])]
    assert win.grain == "pairs" and lines[0][3:11] == "@@-@@@-@" and lines[1][3:7] == "  ??"


def test_a_map_is_as_large_as_the_screen_allows():
    sheet = sheets.of_output("y", "y", np.ones((27, 27, 2)))
    spot = sheet.spot((13, 13, 0))
    rich, plain = LOOKS[2], LOOKS[0]

    def choice(lines, width, look):
        win = shading.window(sheet, spot, lines, width, look)
        shown = win.rows[1] - win.rows[0], win.columns[1] - win.columns[0]
        return win.grain, win.scale, shown

    assert choice(30, 280, rich) == ("numbers", 1, (27, 27))
    assert choice(60, 120, rich) == ("pairs", 2, (27, 27))
    assert choice(30, 60, rich) == ("pairs", 1, (27, 27))
    assert choice(18, 80, rich) == ("halves", 1, (27, 27))
    assert choice(18, 80, plain) == ("pairs", 1, (18, 27))
    assert choice(9, 20, rich) == ("halves", 1, (18, 17))
    win = shading.window(sheet, spot, 9, 20, rich)
    assert win.rows[0] <= 13 < win.rows[1] and win.columns[0] <= 13 < win.columns[1]


def test_half_blocks_show_two_rows_and_where_one_stands():
    sheet = sheets.of_output("y", "y", np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 1.0]]))
    win = shading.Window("halves", (0, 3), (0, 2), 2)
    first, second = shading.draw_map(sheet, sheet.spot((1, 1)), win, LOOKS[2])
    warm, cold, zero, here = 229, 159, 235, 46
    assert first[1:] == [("▀", Ink(warm, cold)), ("▀", Ink(zero, here))]
    assert second[1:] == [("▀", Ink(warm, -1))] * 2


@each_look
def test_the_last_row_of_a_folded_vector_may_be_short(look):
    sheet = sheets.of_output("y", "y", np.ones(97))
    assert (sheet.rows, sheet.columns) == (10, 10)
    walked = sheet.step((96,), 5, 5)
    win = shading.window(sheet, walked, 10, 40, look)
    last = shading.draw_map(sheet, walked, win, look)[-1]
    assert walked == (96,) and win.grain == "pairs"
    assert [ink == Ink() and not text.strip() for text, ink in last[1:]] == [False] * 7 + [True] * 3


def test_half_blocks_of_any_page_need_few_pairs_of_colours():
    values = np.random.default_rng(0).normal(size=(120, 200))
    for page in (values, np.abs(values)):
        sheet = sheets.of_output("y", "y", page)
        win = shading.window(sheet, (0,), 60, 200, LOOKS[2])
        lines = shading.draw_map(sheet, (0,), win, LOOKS[2])
        assert len({ink for line in lines for _, ink in line}) <= 11**2 + 3


def test_ruler_and_gutter_name_first_last_and_own():
    sheet = sheets.of_output("y", "y", np.ones((13, 13)))
    for grain, text in (("pairs", "  0 2  12"), ("halves", "  0 2 12")):
        win = shading.Window(grain, (0, 13), (0, 13), 3)
        line = "".join(text for text, _ in shading.ruler(sheet, (2,), win))
        assert line.split() == ["0", "2", "12"], text
    crowded = shading.Window("halves", (0, 13), (0, 13), 3)
    assert "".join(t for t, _ in shading.ruler(sheet, (1,), crowded)).split() == ["1", "12"]


# -------------------------------------------------------------------------------------------- ink


def test_codes_of_a_terminal_are_read():
    text = "a\x1b[1mb\x1b[0m\x1b[2mc\x1b[0m\x1b[1;31md\x1b[0m"
    text += "\x1b[38;2;255;255;255m\x1b[48;2;0;0;0m▀\x1b[0me"
    assert read_codes(text) == [
        ("a", Ink()), ("b", Ink(bold=True)), ("c", Ink(dim=True)), ("d", Ink(1, bold=True)),
        ("▀", Ink(231, 16)), ("e", Ink()),
    ]  # fmt: skip


def test_wrapping_breaks_between_words():
    lines = wrapped([("SUMS    one two ", Ink()), ("three", Ink(bold=True))], 16, 8)
    assert lines == [[("SUMS    one two", Ink())], [(" " * 8, Ink()), ("three", Ink(bold=True))]]
    assert wrapped([], 10, 2) == [[]]
    assert ["".join(t for t, _ in line) for line in wrapped([("abcdef", Ink())], 4, 9)] == [
        "abcd", "  ef"
    ]  # fmt: skip


def test_what_a_terminal_cannot_show_is_replaced():
    assert cut([("a\x1b[2Jb › c", Ink())], 7, LOOKS[0]) == [("a?[2Jb ", Ink())]
    assert cut([("› ▀", Ink())], 9, LOOKS[0]) == [("> ^", Ink())]
