"""A pseudo-terminal: a command run in it, keys sent, and what a person would then see."""

import codecs
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 60  # seconds until a command that shows nothing new has failed: no test waits for it
_CHILD = """
import fcntl, signal, sys, termios
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C and a new size reach this process
from tinycnn.cli import main
sys.exit(main(sys.argv[1:]))
"""
_SEQUENCE = re.compile(r"\x1b(?:\[([?>!]?)([\d;]*)([@-~])|[()][0-9A-Za-z]|[=>78M])")
_UNFINISHED = re.compile(r"\x1b(?:\[[?>!]?[\d;]*|[()])?$")


class Screen:
    """What stands on a terminal of the kind xterm after all that was written to it."""

    def __init__(self, lines, columns):
        self.rest, self.modes, self.cells = "", set(), []
        self.row = self.column = 0
        self.resize(lines, columns)

    def resize(self, lines, columns):
        self.lines, self.columns = lines, columns
        kept = [(line + [" "] * columns)[:columns] for line in self.cells[:lines]]
        self.cells = kept + [[" "] * columns for _ in range(lines - len(kept))]
        self.top, self.bottom = 0, lines - 1
        self.move(0, 0)

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def feed(self, text):
        text, self.rest = self.rest + text, ""
        if tail := _UNFINISHED.search(text):
            text, self.rest = text[: tail.start()], tail[0]
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = _SEQUENCE.match(text, at)
                assert found, f"a sequence that this terminal does not know: {text[at : at + 9]!r}"
                self.control(found)
                at = found.end()
            else:
                self.character(text[at])
                at += 1

    def character(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.down()
        elif char == "\b":
            self.column = max(self.column - 1, 0)
        elif char == "\t":
            self.column = min(self.column // 8 * 8 + 8, self.columns - 1)
        elif char >= " ":
            if self.column == self.columns:
                self.column = 0
                self.down()
            self.cells[self.row][self.column] = self.last = char
            self.column += 1

    def down(self):
        if self.row == self.bottom:
            self.scroll(self.top, 1)
        else:
            self.row = min(self.row + 1, self.lines - 1)

    def scroll(self, top, by):
        """Lines from ``top`` to the region's end move up by ``by``, or down."""
        for _ in range(abs(by)):
            gone, new = (top, self.bottom) if by > 0 else (self.bottom, top)
            del self.cells[gone]
            self.cells.insert(new, [" "] * self.columns)

    def control(self, found):
        mark, numbers, final = found[1], found[2], found[3]
        if final is None:
            if found[0] == "\x1bM":
                self.scroll(self.top, -1) if self.row == self.top else self.move(-1, 0)
            return
        given = [int(n) if n else 0 for n in (numbers or "").split(";")]
        if final in "hl" and mark == "?":
            for mode in given:
                (self.modes.add if final == "h" else self.modes.discard)(mode)
        elif not mark:
            self.act(final, given, max(given[0], 1))

    def act(self, final, given, n):
        line = self.cells[self.row]
        column = min(self.column, self.columns - 1)
        moves = {"A": (-n, 0), "B": (n, 0), "C": (0, n), "D": (0, -n)}
        if final in moves:
            self.move(*moves[final])
        elif final == "H":
            second = given[1] if len(given) > 1 else 1
            self.row, self.column = n - 1, max(second, 1) - 1
            self.move(0, 0)
        elif final == "G":
            self.column = min(n, self.columns) - 1
        elif final == "d":
            self.row = min(n, self.lines) - 1
        elif final == "J":
            assert given[0] in (0, 2)
            self.blank(self.row if given[0] == 0 else 0, self.column if given[0] == 0 else 0)
        elif final == "K":
            first, end = (0, column + 1) if given[0] == 1 else (column, self.columns)
            line[first:end] = " " * (end - first)
        elif final == "X":
            end = min(column + n, self.columns)
            line[column:end] = " " * (end - column)
        elif final == "P":
            line[column:] = (line[column + n :] + [" "] * n)[: self.columns - column]
        elif final == "@":
            line[column:] = ([" "] * n + line[column:])[: self.columns - column]
        elif final in "LM":
            self.scroll(self.row, n if final == "M" else -n)
        elif final in "ST":
            self.scroll(self.top, n if final == "S" else -n)
        elif final == "b":
            for _ in range(n):
                self.character(self.last)
        elif final == "r":
            bottom = given[1] if len(given) > 1 else self.lines
            self.bottom = min(bottom, self.lines) - 1
            self.top, self.row, self.column = min(n - 1, self.bottom), 0, 0
        else:
            assert final in "mlhtp", f"a sequence that this terminal does not know: {final}"

    def move(self, down, right):
        self.row = min(max(self.row + down, 0), self.lines - 1)
        self.column = min(max(self.column + right, 0), self.columns - 1)

    def blank(self, row, column):
        self.cells[row][column:] = [" "] * (self.columns - column)
        for line in self.cells[row + 1 :]:
            line[:] = [" "] * self.columns


_KEYS = {
    "up": "\x1bOA", "down": "\x1bOB", "right": "\x1bOC", "left": "\x1bOD", "home": "\x1bOH",
    "end": "\x1bOF", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "enter": "\r", "esc": "\x1b",
    "backspace": "\x7f", "tab": "\t", "backtab": "\x1b[Z", "ctrl-c": "\x03", "ctrl-l": "\x0c",
}  # fmt: skip


class Terminal:
    """``tinycnn`` with ``argv`` in a terminal of a size; `close` ends what it began."""

    def __init__(self, *argv, lines=24, columns=80, **environment):
        self.master, self.slave = os.openpty()
        self.screen, self.stream = Screen(lines, columns), ""
        self.set_size(lines, columns)
        self.before = termios.tcgetattr(self.slave)
        self.decode = codecs.getincrementaldecoder("utf-8")().decode
        usual = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": ""}
        self.child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, *argv],
            stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env=os.environ | usual | environment, start_new_session=True,
        )  # fmt: skip

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self.master)
        os.close(self.slave)

    def set_size(self, lines, columns):
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)

    def resize(self, lines, columns):
        """Make the window another size, as a person with a mouse does."""
        self.screen.resize(lines, columns)
        self.set_size(lines, columns)
        self.child.send_signal(signal.SIGWINCH)

    def press(self, *keys):
        for key in keys:
            os.write(self.master, _KEYS.get(key, key).encode())

    def read(self, deadline):
        """Take in what is written next; False when nothing more will be."""
        ready = select.select([self.master], [], [], min(deadline - time.monotonic(), 0.2))[0]
        if ready:
            text = self.decode(os.read(self.master, 65536))
            self.stream += text
            self.screen.feed(text)
        assert time.monotonic() < deadline, f"in vain; the screen shows\n{self.screen.text()}"
        return bool(ready) or self.child.poll() is None

    def shows(self, *texts, without=()):
        """Wait until the screen shows all ``texts`` and none of ``without``; give the screen."""
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = self.screen.text()
            if all(text in seen for text in texts) and not any(text in seen for text in without):
                return seen
            assert self.read(deadline), f"it ended without {texts}; the screen shows\n{seen}"

    def ends(self):
        """Wait for the end; give the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.read(deadline):
            pass
        return self.child.wait()

    @property
    def coloured(self):
        """Whether any colour was ever asked for."""
        return re.search(r"\x1b\[[\d;]*\b[34]8;5;\d|\x1b\[[34][0-7]m", self.stream) is not None

    @property
    def restored(self):
        """Whether the terminal is as it was: its settings, and the screen from before."""
        return termios.tcgetattr(self.slave) == self.before and not {1049, 1} & self.screen.modes
