"""Pictures drawn on a terminal, in half blocks or characters, with a frame around a region."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.pictures import contrast
from tinycnn.explain.readers.style import INDENT, Style
from tinycnn.explain.values.places import Region

_PICTURE = 40  # columns of a drawn picture; half as many lines, two pixels each
_SHADES = " .:-=+*#%@"


def draw_picture(pixels: Array, frame: Region, style: Style) -> list[str]:
    """Draw a picture in half blocks with a frame around a region of it."""
    H, W, _ = pixels.shape
    columns = min(_PICTURE, W)
    lines = max(round(columns * H / W / 2), 1)
    rows = _sample(H, 2 * lines)
    small = pixels[rows][:, _sample(W, columns)].astype(np.float64)
    if not style.colour:  # few shades, so use them all
        small = contrast.brightness(contrast.stretched(small))[..., None]
    top, bottom = (frame[0][0] * lines // H, min(frame[0][1] * lines // H, lines - 1))
    left, right = (frame[1][0] * columns // W, min(frame[1][1] * columns // W, columns - 1))
    drawn = []
    for line in range(lines):
        cells = []
        for column in range(columns):
            border = _border(line, column, (top, bottom), (left, right))
            if border:
                cells.append(style.bad(border))
            else:
                cells.append(
                    _half_block(small[2 * line, column], small[2 * line + 1, column], style)
                )
        drawn.append(" " * INDENT + "".join(cells))
    return drawn


def _border(line: int, column: int, rows: tuple[int, int], columns: tuple[int, int]) -> str:
    """The frame's character at a place, or "" off the frame."""
    inside = rows[0] <= line <= rows[1] and columns[0] <= column <= columns[1]
    if not inside:
        return ""
    if rows[0] == rows[1] and columns[0] == columns[1]:
        return "□"
    if line in rows and column in columns:
        if rows[0] == rows[1] or columns[0] == columns[1]:
            return "□"
        return {(0, 0): "┌", (0, 1): "┐", (1, 0): "└", (1, 1): "┘"}[
            int(line == rows[1]), int(column == columns[1])
        ]
    return "─" if line in rows else "│" if column in columns else ""


def _half_block(upper: Array, lower: Array, style: Style) -> str:
    if style.colour:
        front, back = (";".join(str(int(v)) for v in np.resize(p, 3)) for p in (upper, lower))
        return f"\x1b[38;2;{front}m\x1b[48;2;{back}m▀\x1b[0m"
    light = (upper.mean() + lower.mean()) / 2
    return _SHADES[min(int(light * len(_SHADES) / 256), len(_SHADES) - 1)]


def _sample(size: int, count: int) -> list[int]:
    return [min((2 * i + 1) * size // (2 * count), size - 1) for i in range(count)]
