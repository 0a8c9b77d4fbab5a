"""Lines of a screen as values: pieces of text, each with its colours and its weight."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby


@dataclass(frozen=True)
class TextStyle:
    """Colours in xterm's numbering of 256, -1 for the terminal's own; bold, dim, reverse."""

    fore: int = -1
    back: int = -1
    bold: bool = False
    dim: bool = False
    reverse: bool = False


PLAIN, BOLD, DIM, CHOSEN = (
    TextStyle(),
    TextStyle(bold=True),
    TextStyle(dim=True),
    TextStyle(reverse=True),
)
Span = tuple[str, TextStyle]
Line = list[Span]


@dataclass(frozen=True)
class Look:
    """What a terminal can show: 0, 8 or 256 colours; whether block characters."""

    colours: int = 0
    blocks: bool = False

    @property
    def rich(self) -> bool:
        """Whether shades are colours."""
        return self.colours >= 256 and self.blocks


GREYS: tuple[int, ...] = (16, *range(234, 254, 2), 231)  # from black to white
_SIGNS = str.maketrans("─│┌┐└┘□▀·›↑↓←→", "-|++++#^.>^v<>")


def length(line: Line) -> int:
    """Columns of a line."""
    return sum(len(text) for text, _ in line)


def spread(left: Line, right: Line, width: int) -> Line:
    """Two pieces at the two ends of a line; where there is no room, the left one alone."""
    gap = width - length(left) - length(right)
    return [*left, (" " * gap, PLAIN), *right] if gap > 1 else left


def fitting(choices: Iterable[str], width: int) -> str:
    """The first of some wordings that fits, or the last one."""
    text = ""
    for text in choices:
        if len(text) <= width:
            break
    return text


def cut(line: Line, width: int, look: Look) -> Line:
    """The first ``width`` columns of a line, in characters that the terminal has."""
    kept: Line = []
    for text, style in line:
        room = width - length(kept)
        text = "".join(c if c.isprintable() else "?" for c in text[:room])
        kept.append((text if look.blocks else text.translate(_SIGNS), style))
    return [span for span in kept if span[0]]


# ------------------------------------------------------------------------------------ what is drawn

_CODE = re.compile(r"\x1b\[([\d;]*)m")


def read_codes(text: str) -> Line:
    """A line with a terminal's colour codes as spans; true colours become greys."""
    pieces = _CODE.split(text)
    line, style = [(pieces[0], PLAIN)], PLAIN
    for codes, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        style = _styled(style, [int(code or 0) for code in codes.split(";")])
        line.append((piece, style))
    return [span for span in line if span[0]]


def _styled(style: TextStyle, codes: Sequence[int]) -> TextStyle:
    match list(codes):
        case [38, 2, *rgb]:
            return replace(style, fore=grey(rgb))
        case [48, 2, *rgb]:
            return replace(style, back=grey(rgb))
    for code in codes:
        if code == 0:
            style = PLAIN
        elif code == 1:
            style = replace(style, bold=True)
        elif code == 2:
            style = replace(style, dim=True)
        elif code == 7:
            style = replace(style, reverse=True)
        elif 30 <= code <= 37:
            style = replace(style, fore=code - 30)
    return style


def grey(rgb: Sequence[int]) -> int:
    """The grey nearest to a colour: few of them, for a terminal holds few pairs of colours."""
    return GREYS[sum(rgb) * len(GREYS) // (256 * len(rgb))]


def wrapped(line: Line, width: int, indent: int) -> list[Line]:
    """Break a line between words, so that no number is cut; what follows is indented."""
    width = max(width, 1)
    indent = min(indent, width // 2)
    cells = [(c, style) for text, style in line for c in text]
    lines: list[Line] = []
    while len(cells) > width:
        breaks = [i for i in range(indent + 1, width + 1) if cells[i][0] == " "]
        at = breaks[-1] if breaks else width
        lines.append(_spans(cells[:at]))
        rest = cells[at:]
        while rest and rest[0][0] == " ":
            rest.pop(0)
        cells = [(" ", PLAIN)] * indent + rest if rest else []
    return [*lines, _spans(cells)] if cells or not lines else lines


def _spans(cells: Sequence[tuple[str, TextStyle]]) -> Line:
    runs = groupby(cells, key=lambda cell: cell[1])
    return [("".join(c for c, _ in run), style) for style, run in runs]
