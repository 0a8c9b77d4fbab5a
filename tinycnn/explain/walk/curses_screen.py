"""The walk on a terminal, by curses: keys in, lines out."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tinycnn.errors import ArgumentError, MissingExtraError, TinyCNNError
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.not_finite import origin
from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.standing import Walk, work
from tinycnn.explain.walk.styled_text import DIM, Line, Look, TextStyle
from tinycnn.explain.walk.view import Frame, Size, draw
from tinycnn.explain.walk.walk import begin, press

try:
    import curses
except ImportError as error:  # Windows
    _MISSING: ImportError | None = error
else:
    _MISSING = None

if TYPE_CHECKING:
    from curses import window

_ESCAPE = 50  # milliseconds until a lone Esc is one
_LOOK = 500  # milliseconds until a wait for a key looks whether the size has changed
_PAIRS = 255  # pairs of colours that curses shows at a time
_REDRAW = "\x0c"


def expect_terminal() -> None:
    """Raise what keeps the walk from starting here."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ArgumentError("-i walks with the keys, for which input and output must be a terminal")
    if _MISSING is not None:
        raise MissingExtraError(
            "-i needs Python's curses, which Windows lacks: pip install windows-curses"
        ) from _MISSING
    name = os.environ.get("TERM", "")
    try:
        curses.setupterm()
        known = curses.tigetstr("cup") is not None
    except curses.error:
        known = False
    if not known:
        raise ArgumentError(
            f"-i cannot draw on a terminal of the kind TERM={name!r}; TERM=xterm suits most"
        )


def walk(
    prepare: Callable[[], Lesson], layer: str | None = None, at: Sequence[int] | None = None
) -> Lesson:
    """Walk through the lesson that ``prepare`` makes until q is pressed; gives the lesson.

    Starts at ``layer`` and its cell ``at`` if given. Raises ArgumentError where there is no
    terminal to draw on, MissingExtraError where Python has no curses.
    """
    expect_terminal()
    with warnings.catch_warnings(record=True) as met, _on_screen() as screen:
        lesson = _Terminal(screen).run(prepare, layer, at)
    for warning in met:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return lesson


@contextmanager
def _on_screen() -> Iterator[window]:
    """Take the terminal over, and give it back as it was.

    What `curses.wrapper` does, but that turns colours on, which then paint white on black.
    """
    screen = curses.initscr()
    try:
        curses.noecho()
        curses.cbreak()
        screen.keypad(True)
        yield screen
    finally:
        screen.keypad(False)
        curses.echo()
        curses.nocbreak()
        curses.endwin()


class _Terminal:
    """A screen of curses: its look, its keys, its pairs of colours."""

    def __init__(self, screen: window) -> None:
        self.screen = screen
        self.pairs: dict[tuple[int, int], int] = {}
        colours = 0
        if curses.has_colors() and not os.environ.get("NO_COLOR"):
            curses.start_color()
            curses.use_default_colors()
            colours = 256 if curses.COLORS >= 256 else 8
        blocks = screen.encoding.lower().replace("-", "") == "utf8"
        self.look = Look(colours, blocks)
        curses.set_escdelay(_ESCAPE)
        screen.timeout(_LOOK)
        with suppress(curses.error):  # a terminal that cannot hide its cursor
            curses.curs_set(0)
        self.keys = {
            curses.KEY_UP: "up", curses.KEY_DOWN: "down", curses.KEY_LEFT: "left",
            curses.KEY_RIGHT: "right", curses.KEY_HOME: "home", curses.KEY_END: "end",
            curses.KEY_PPAGE: "pageup", curses.KEY_NPAGE: "pagedown", curses.KEY_ENTER: "enter",
            curses.KEY_BACKSPACE: "back", curses.KEY_BTAB: "backtab",
            10: "enter", 13: "enter", 27: "back", 8: "back", 127: "back", 9: "tab",
        }  # fmt: skip

    def run(
        self, prepare: Callable[[], Lesson], layer: str | None, at: Sequence[int] | None
    ) -> Lesson:
        """Show, read a key, go where it leads; until one leaves."""
        self.say("preparing the network ...")
        lesson = prepare()
        self.say("working out the pass ...")
        cache = LessonCache(lesson)
        here = replace(begin(cache, layer, at), notice=origin(lesson.trace) or "")
        while not here.left:
            here, frame = self.show(here, cache)
            key = self.read()
            if key:
                here = press(here, key, cache, frame.room)
        return lesson

    def show(self, here: Walk, cache: LessonCache) -> tuple[Walk, Frame]:
        """Draw where one stands; a number that cannot be opened leaves one where one was."""
        if message := work(here, cache):
            self.say(message)
        lines, columns = self.screen.getmaxyx()
        size = Size(lines, columns)
        try:
            frame = draw(here, cache, size, self.look)
        except TinyCNNError as error:
            if here.level != "opened":
                raise
            here = replace(here, level="map", asked=None, notice=str(error))
            frame = draw(here, cache, size, self.look)
        self.paint(frame.lines)
        return here, frame

    def read(self) -> str:
        """The next key by name; "" for a new size of the screen and for keys that mean nothing."""
        code = self.wait()
        if code == -1:  # the terminal is gone
            return "q"
        if code in self.keys:
            return self.keys[code]
        if code == ord(_REDRAW):
            self.screen.clearok(True)
        return chr(code) if 32 < code < 127 else ""

    def wait(self) -> int:
        """The code of the next key, -1 if there will be none.

        A signal of a new size that comes just before curses begins to wait is lost on it: so look.
        """
        while (code := self.screen.getch()) == -1 and sys.stdin.isatty():
            columns, lines = os.get_terminal_size(sys.stdout.fileno())
            if curses.is_term_resized(lines, columns):
                curses.resizeterm(lines, columns)
                return curses.KEY_RESIZE
        return code

    def say(self, message: str) -> None:
        """Write what is being worked out over the last line."""
        lines, columns = self.screen.getmaxyx()
        self.screen.move(lines - 1, 0)
        self.screen.clrtoeol()
        self.put(lines - 1, [(message[: columns - 1], DIM)])
        self.screen.refresh()

    def paint(self, lines: Sequence[Line]) -> None:
        """Put lines on the screen."""
        if len(self.pairs) > _PAIRS // 2:
            self.pairs.clear()
        self.screen.erase()
        for row, line in enumerate(lines):
            self.put(row, line)
        self.screen.refresh()

    def put(self, row: int, line: Line) -> None:
        """Put one line on the screen."""
        column = 0
        for text, style in line:
            try:
                self.screen.addstr(row, column, text, self.attribute(style))
            except curses.error:
                return  # the corner at the lower right, or a screen that has just shrunk
            column += len(text)

    def attribute(self, style: TextStyle) -> int:
        """A style in curses' terms."""
        attribute = (
            curses.A_BOLD * style.bold | curses.A_DIM * style.dim | curses.A_REVERSE * style.reverse
        )
        pair = (style.fore, style.back)
        if pair == (-1, -1) or not self.look.colours:
            return attribute
        if pair not in self.pairs:
            if len(self.pairs) >= min(_PAIRS, curses.COLOR_PAIRS - 1):
                return attribute
            self.pairs[pair] = len(self.pairs) + 1
            curses.init_pair(self.pairs[pair], *pair)
        return attribute | curses.color_pair(self.pairs[pair])
