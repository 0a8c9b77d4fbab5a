"""Text on a terminal of 80 columns: colour where it is allowed, wrapped between words."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

WIDTH = 80
INDENT = 8  # the column behind the headings


@dataclass(frozen=True)
class Style:
    """What a terminal can show."""

    colour: bool

    @classmethod
    def plain(cls) -> Style:
        """Text alone."""
        return cls(colour=False)

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        """Colour on a terminal, unless NO_COLOR is set or the terminal is dumb."""
        wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(colour=wanted and stream.isatty())

    def bold(self, text: str) -> str:
        """Headings and results."""
        return self._code("1", text)

    def dim(self, text: str) -> str:
        """What can be passed over."""
        return self._code("2", text)

    def good(self, text: str) -> str:
        """An agreement."""
        return self._code("32", text)

    def bad(self, text: str) -> str:
        """A disagreement."""
        return self._code("1;31", text)

    def chosen(self, text: str) -> str:
        """What a cursor stands on, in reverse: without colours it is seen, too."""
        return f"\x1b[7m{text}\x1b[0m"

    def _code(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def headed(head: str, lines: Sequence[str], style: Style) -> list[str]:
    """Lines behind a heading of their own column, wrapped."""
    parts = [part for line in lines for part in _wrapped(line, WIDTH - INDENT)]
    first = style.bold(f"{head:<{INDENT - 1}}")
    return [f"{first if i == 0 else ' ' * (INDENT - 1)} {line}" for i, line in enumerate(parts)]


def paragraph(text: str) -> list[str]:
    """Wrap prose to the width; numbers are never broken."""
    return _wrapped(text, WIDTH)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def fit(text: str, columns: int) -> str:
    """Wrap what is wider than a narrow terminal between words, so that no number is cut."""
    return "\n".join(part for line in text.split("\n") for part in _fit_line(line, columns))


def _fit_line(line: str, columns: int) -> list[str]:
    if _width(line) <= columns:
        return [line]
    parts = [""]
    for word in re.split(r"( +)", line):
        if _width(parts[-1]) + _width(word) > columns and _width(parts[-1].rstrip()):
            parts.append("")
        if (
            parts[-1] or not word.isspace() or len(parts) == 1
        ):  # no blanks at a wrapped line's start
            parts[-1] += word
    return [part.rstrip() for part in parts if part.strip()]


def _width(text: str) -> int:
    """Columns that a text takes, its colour codes aside."""
    return len(re.sub(r"\x1b\[[0-9;]*m", "", text))
