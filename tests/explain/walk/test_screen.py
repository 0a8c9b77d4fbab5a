"""The walk's screen on a stand-in for curses: keys, colours, and what goes wrong."""

import curses
import io
import sys
from types import SimpleNamespace

import pytest

from tinycnn import cli
from tinycnn.errors import ArgumentError, MissingExtraError
from tinycnn.explain import Lesson
from tinycnn.explain.pictures import picture
from tinycnn.explain.walk import curses_screen
from tinycnn.explain.walk.styled_text import TextStyle

CODES = {
    "up": curses.KEY_UP, "down": curses.KEY_DOWN, "enter": 13, "esc": 27, "resize": curses.KEY_RESIZE,
    "ctrl-l": 12,
}  # fmt: skip


class Window:
    """A window of curses that notes what is put where."""

    encoding = "utf-8"

    def __init__(self, keys, lines=24, columns=80):
        self.keys, self.size = list(keys), (lines, columns)
        self.cleared, self.frames, self.rows = 0, [], {}

    def keypad(self, flag):
        pass

    def timeout(self, milliseconds):
        assert milliseconds > 0

    def getmaxyx(self):
        return self.size

    def getch(self):
        key = self.keys.pop(0)
        return CODES.get(key, ord(key) if isinstance(key, str) and len(key) == 1 else key)

    def erase(self):
        self.rows = {}

    def clearok(self, flag):
        self.cleared += flag

    def move(self, row, column):
        self.rows[row] = ""

    def clrtoeol(self):
        pass

    def addstr(self, row, column, text, attribute):
        lines, columns = self.size
        assert row < lines and column + len(text) <= columns
        self.rows[row] = self.rows.get(row, "").ljust(column) + text
        if (row, column + len(text)) == (lines - 1, columns):
            raise curses.error  # as curses does in the pad_top_left at the lower right

    def refresh(self):
        self.frames.append("\n".join(self.rows.get(row, "") for row in range(self.size[0])))


@pytest.fixture
def stand_in(monkeypatch):
    """Put a stand-in in the place of curses: what it was asked for, and its colours."""
    calls = SimpleNamespace(pairs={}, done=[])
    names = {name: getattr(curses, name) for name in dir(curses) if name[:2] in ("A_", "KE")}
    fake = SimpleNamespace(
        **names, error=curses.error, COLORS=256, COLOR_PAIRS=65536,
        has_colors=lambda: True, set_escdelay=lambda ms: None,
        **dict.fromkeys(("start_color", "use_default_colors"), lambda: None),
        **{name: lambda name=name: calls.done.append(name)
           for name in ("noecho", "echo", "cbreak", "nocbreak", "endwin")},
        init_pair=lambda number, fore, back: calls.pairs.__setitem__(number, (fore, back)),
        color_pair=lambda number: number << 8,
        setupterm=lambda: None, tigetstr=lambda name: b"cup",
    )  # fmt: skip

    def curs_set(visibility):
        raise curses.error

    fake.curs_set, calls.curses = curs_set, fake
    monkeypatch.setattr(curses_screen, "curses", fake)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return calls


def lesson():
    import tinycnn as tc
    from tinycnn.layers import Conv2D, Dense

    layers = [Conv2D(3, 5, activation="relu", name="conv"), Dense(4, activation="softmax")]
    model = tc.Sequential(layers, (12, 12, 3), name="Two layers")
    return Lesson(model, picture.load(None, model.input_shape), 0, "as drawn", False)


def walked(window, layer=None, at=None):
    curses_screen._Terminal(window).run(lesson, layer, at)
    return window.frames


def test_keys_lead_on_until_q(stand_in):
    window = Window(["down", "up", "enter", "resize", "ctrl-l", "b", "enter", "esc", "q"])
    frames = walked(window)
    assert "preparing the network" in frames[0] and "working out the pass" in frames[1]
    assert "Two layers" in frames[2] and "conv › filter" in "".join(frames)
    assert any("working out the gradients" in frame for frame in frames)
    assert "dL/dy of conv" in frames[-1]
    assert window.cleared == 1 and not window.keys


def test_a_number_that_cannot_be_opened_leaves_one_on_the_map(stand_in, monkeypatch):
    from tinycnn.explain.walk import lesson_cache

    def refuse(*arguments):
        raise ArgumentError("it cannot be opened today")

    monkeypatch.setattr(lesson_cache, "explain", refuse)
    frames = walked(Window(["enter", "enter", "q"]))
    assert "conv › filter" in frames[-1] and "cannot be opened today" in frames[-1]


def test_other_mistakes_end_the_walk(stand_in):
    with pytest.raises(LookupError, match="no layer is named 'nowhere'"):
        walked(Window([]), "nowhere")


def test_a_terminal_that_is_gone_ends_the_walk(stand_in, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert len(walked(Window([-1]))) == 3


def test_a_new_size_is_noticed_even_without_a_key(stand_in, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Tty())
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    monkeypatch.setattr(curses_screen.os, "get_terminal_size", lambda descriptor: (50, 12))
    window = Window([-1, -1, "q"])
    stand_in.curses.is_term_resized = lambda *size: size != window.size

    def resized(*size):
        window.size = size

    stand_in.curses.resizeterm = resized
    frames = walked(window)
    assert [frame.count("\n") for frame in frames] == [23, 23, 23, 11]


def test_pairs_of_colours_are_shared_and_never_too_many(stand_in):
    terminal = curses_screen._Terminal(Window([]))
    assert terminal.look.colours == 256 and terminal.look.rich
    first = terminal.attribute(TextStyle(1, 2, bold=True))
    assert first == curses.A_BOLD | 1 << 8 and terminal.attribute(TextStyle(1, 2)) == 1 << 8
    for back in range(400):
        terminal.attribute(TextStyle(1, back))
    assert max(stand_in.pairs) == 255
    assert terminal.attribute(TextStyle(7, 7)) == 0
    terminal.paint([])
    assert terminal.attribute(TextStyle(7, 7)) == 1 << 8 and stand_in.pairs[1] == (7, 7)


def test_the_corner_at_the_lower_right_is_no_mistake(stand_in):
    window = Window([], 2, 5)
    curses_screen._Terminal(window).paint(
        [[("12345", TextStyle())], [("67890", TextStyle()), ("more", TextStyle())]]
    )
    assert window.frames == ["12345\n67890"]


def test_a_terminal_of_few_colours_or_none(stand_in, monkeypatch):
    stand_in.curses.COLORS = 8
    assert curses_screen._Terminal(Window([])).look.colours == 8
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = curses_screen._Terminal(Window([]))
    assert terminal.look.colours == 0 and terminal.attribute(TextStyle(1, 2)) == 0
    latin = Window([])
    latin.encoding = "iso-8859-1"
    assert not curses_screen._Terminal(latin).look.blocks


class Tty(io.StringIO):
    def isatty(self):
        return True


def on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Tty())
    monkeypatch.setattr(sys, "stdout", Tty())


def test_without_curses_the_message_says_what_to_install(monkeypatch):
    on_a_terminal(monkeypatch)
    monkeypatch.setattr(curses_screen, "_MISSING", ImportError("_curses"))
    with pytest.raises(MissingExtraError, match="pip install windows-curses"):
        curses_screen.walk(lesson)


def test_warnings_wait_until_the_screen_is_restored(stand_in, monkeypatch):
    import warnings

    def prepare():
        warnings.warn("the cache cannot be written", stacklevel=1)
        return lesson()

    on_a_terminal(monkeypatch)
    stand_in.curses.initscr = lambda: Window(["q"])
    with pytest.warns(UserWarning, match="the cache cannot be written"):
        curses_screen.walk(prepare)
    assert stand_in.done == ["noecho", "cbreak", "echo", "nocbreak", "endwin"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "input and output must be a terminal"),
        (("--json",), "leave out --json"),
        (("--weight", "conv1.W[0,0,0,0]"), "leave out --weight"),
        (("--layer", "conv1", "--at", "1,1", "--im2col"), "leave out --im2col"),
        (("--at", "1,1,1"), "--at says which number"),
        (("--example", "conv-pool"), "leave out -i/--interactive"),
    ],
)
def test_what_does_not_go_with_it_is_refused_in_one_line(capsys, argv, message):
    assert cli.main(["step", "-i", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" and message in err and err.count("\n") == 1
