"""A page of numbers as shades, as large as the screen allows; the picture beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.pictures import contrast
from tinycnn.explain.readers.picture_text import draw_picture
from tinycnn.explain.readers.style import Style
from tinycnn.explain.values.places import Region
from tinycnn.explain.values.printing import number
from tinycnn.explain.walk.styled_text import (
    BOLD,
    DIM,
    GREYS,
    PLAIN,
    Line,
    Look,
    Span,
    TextStyle,
    length,
    read_codes,
    wrapped,
)
from tinycnn.explain.walk.tensor_layout import Spot, TensorLayout

LEVELS = 10  # shades of each sign; 0 is exactly zero, and nothing else
NAN = LEVELS + 1
_WARM = (52, 88, 124, 160, 166, 172, 208, 214, 221, 229)  # above zero, the darkest first
_COLD = (17, 18, 19, 20, 26, 32, 39, 45, 87, 159)  # below zero
_ZERO, _NONE, _HERE = 235, 201, 46  # exactly zero, not a number, where one stands
_COLOURS = np.array([*_COLD[::-1], _ZERO, *_WARM, _NONE])  # of the shades -LEVELS .. NAN
_BRIGHT = frozenset((*_WARM[5:], *_COLD[6:], _NONE, *GREYS[6:]))  # black is read on these
_GLYPHS = ".:+#@"
_NUMBER = 10  # columns of a cell that is printed as a number
_PICTURE, _INDENT = 40, 8  # how wide a picture is drawn, and behind how many blanks

Grain = Literal["numbers", "pairs", "halves"]


# ------------------------------------------------------------------------------------------ shades


def shades_of(values: Array) -> Array:
    """Shades -LEVELS .. LEVELS by the square root of the size, against the largest on the page."""
    sizes = np.abs(values.astype(np.float64))
    finite = sizes[np.isfinite(sizes)]
    largest = float(finite.max(initial=0.0)) or 1.0
    shades = np.ceil(np.sqrt(np.minimum(sizes / largest, 1.0)) * LEVELS) * np.sign(values)
    known: Array = np.where(np.isnan(values), NAN, shades).astype(np.int64)
    return known


def _coarser(shades: Array) -> Array:
    """Every other shade where there are two signs: few pairs of colours can be shown at a time."""
    if (shades >= 0).all() or (shades <= 0).all():
        return shades
    fewer = np.sign(shades) * ((np.abs(shades) + 1) // 2 * 2)
    kept: Array = np.where(shades == NAN, shades, fewer)
    return kept


def _colours(layout: TensorLayout, values: Array, grain: Grain) -> list[int]:
    """Each cell's colour: greys for a picture, else warm above zero and cold below."""
    if layout.what is None:
        low, high = float(values.min()), float(values.max())
        if low == high:  # as bright as it is
            low, high = -1.0, 1.0
        scaled = (values - low) * ((len(GREYS) - 0.01) / (high - low))
        greys: list[int] = np.array(GREYS)[scaled.astype(np.int64)].tolist()
        return greys
    shades = shades_of(values)
    chosen = _coarser(shades) if grain == "halves" else shades
    colours: list[int] = _COLOURS[chosen + LEVELS].tolist()
    return colours


def _glyphs(shade: int) -> str:
    if shade == NAN:
        return "??"
    if shade == 0:
        return "  "
    glyph = _GLYPHS[(abs(shade) - 1) * len(_GLYPHS) // LEVELS]
    return f"-{glyph}" if shade < 0 else glyph * 2


# ---------------------------------------------------------------------------------------- viewport


@dataclass(frozen=True)
class Viewport:
    """The part of a page that is on the screen: which rows and columns, how large a cell is."""

    grain: Grain
    rows: tuple[int, int]  # first, and behind the last
    columns: tuple[int, int]
    gutter: int  # columns for the rows' numbers
    scale: int = 1  # lines of a cell

    @property
    def cell(self) -> int:
        """Columns that a cell takes."""
        return {"numbers": _NUMBER, "pairs": 2 * self.scale, "halves": 1}[self.grain]

    @property
    def step(self) -> int:
        """Rows that stand on one line."""
        return 2 if self.grain == "halves" else 1

    @property
    def width(self) -> int:
        """Columns that the map takes."""
        return self.gutter + self.cell * (self.columns[1] - self.columns[0])


def viewport(
    layout: TensorLayout, spot: Spot, lines: int, width: int, look: Look, spare: int = 0
) -> Viewport:
    """Choose the largest cells with which the page fits; else the part around ``spot``.

    Cells are not enlarged into the last ``spare`` columns, where a picture may stand.
    """
    gutter = len(str(len(layout.cells) - 1 if layout.folded else layout.rows - 1)) + 1
    room, lines = max(width - gutter, 2), max(lines, 1)
    row, column = divmod(spot[0], layout.columns)
    whole = ((0, layout.rows), (0, layout.columns))
    if layout.rows <= lines and layout.columns * _NUMBER <= room:
        return Viewport("numbers", *whole, gutter)
    if layout.rows <= lines and layout.columns * 2 <= room:
        scale = min(lines // layout.rows, (room - spare) // (2 * layout.columns))
        return Viewport("pairs", *whole, gutter, max(scale, 1))
    if look.rich:
        first, end = _around(row // 2, lines, (layout.rows + 1) // 2)
        rows = (2 * first, min(2 * end, layout.rows))
        return Viewport("halves", rows, _around(column, room, layout.columns), gutter)
    columns = _around(column, room // 2, layout.columns)
    return Viewport("pairs", _around(row, lines, layout.rows), columns, gutter)


def _around(middle: int, room: int, size: int) -> tuple[int, int]:
    first = min(max(middle - room // 2, 0), max(size - room, 0))
    return first, min(first + room, size)


# --------------------------------------------------------------------------------------------- map


def draw_map(layout: TensorLayout, spot: Spot, win: Viewport, look: Look) -> list[Line]:
    """The rows of a page that ``win`` shows, behind their numbers."""
    values = layout.page(spot)
    shades, colours = shades_of(values).tolist(), _colours(layout, values, win.grain)
    here, last = spot[0], len(values)

    def colour(row: int, column: int) -> int:
        at = row * layout.columns + column
        return -1 if row >= layout.rows or at >= last else _HERE if at == here else colours[at]

    def span(row: int, column: int) -> Span:
        at = row * layout.columns + column
        if win.grain == "halves":
            return _half(colour(row, column), colour(row + 1, column))
        if at >= last:
            return " " * win.cell, PLAIN
        mine = at == here
        if win.grain == "numbers":
            return _printed(float(values[at]), colours[at], look, mine=mine)
        if look.rich:
            text = f"[{' ' * (win.cell - 2)}]" if mine else " " * win.cell
            return text, _on(colours[at], mine=mine)
        return _glyphs(shades[at]) * win.scale, _flat(shades[at], look, mine=mine)

    lines = []
    for row in range(*win.rows, win.step):
        cells = [span(row, column) for column in range(*win.columns)]
        label = _label(layout, row, here // layout.columns, win)
        lines += [[label, *cells], *[[(" " * win.gutter, PLAIN), *cells]] * (win.scale - 1)]
    return lines


def _half(upper: int, lower: int) -> Span:
    return (" ", TextStyle(back=lower)) if upper == lower else ("▀", TextStyle(upper, lower))


def _printed(value: float, colour: int, look: Look, *, mine: bool) -> Span:
    text = f"{number(value, 3):>{_NUMBER - 1}} "
    if not look.rich:
        return text, TextStyle(reverse=mine)
    if mine and text[0] == " ":
        text = f"[{text[1:-1]}]"
    return text, _on(colour, mine=mine)


def _on(back: int, *, mine: bool) -> TextStyle:
    """Black or white, whichever is read on a colour."""
    return TextStyle(16 if back in _BRIGHT else 231, back, bold=mine)


def _flat(shade: int, look: Look, *, mine: bool) -> TextStyle:
    """Where shades are characters: red above zero, blue below."""
    fore = (1 if shade > 0 else 4) if shade and look.colours and not mine else -1
    return TextStyle(fore, reverse=mine)


def ruler(layout: TensorLayout, spot: Spot, win: Viewport) -> Line:
    """The columns' numbers above a map: where one stands, the first and the last."""
    if layout.folded:
        return []
    here, (first, end) = spot[0] % layout.columns, win.columns
    mine = _above(here, win)
    shown = {here: mine}
    if first < here and _above(first, win).stop < mine.start:
        shown[first] = _above(first, win)
    if end - 1 > here and _above(end - 1, win).start > mine.stop:
        shown[end - 1] = _above(end - 1, win)
    line: Line = []
    for column, span in sorted(shown.items()):
        line.append((" " * (span.start - length(line)), PLAIN))
        line.append((str(column), BOLD if column == here else DIM))
    return line


def _above(column: int, win: Viewport) -> range:
    """Where a column's number stands above it: in the middle, at the right of what is printed."""
    text = len(str(column))
    left = win.gutter + (column - win.columns[0]) * win.cell
    slack = win.cell - text
    start = left + (slack - 1 if win.grain == "numbers" else slack // 2)
    start = max(min(start, win.width - text), 0)
    return range(start, start + text)


def _label(layout: TensorLayout, row: int, here: int, win: Viewport) -> Span:
    """A row's number in the gutter: where one stands, the first and the last."""
    mine = row <= here < row + win.step
    edge = row == win.rows[0] or row <= win.rows[1] - 1 < row + win.step
    if not mine and not edge:
        return " " * win.gutter, PLAIN
    shown = (here if mine else row) * (layout.columns if layout.folded else 1)
    return f"{shown:>{win.gutter - 1}} ", BOLD if mine else DIM


# ----------------------------------------------------------------------------------------- picture


def draw_field(pixels: Array, field: Region, lines: int, width: int, look: Look) -> list[Line]:
    """A picture no larger than ``lines`` and ``width``, with a frame around what a cell sees.

    In greys that use all of black to white, with a remark where these tell little.
    """
    H, W, _ = pixels.shape
    remark = contrast.remark(pixels, colours=False)
    words = wrapped([(remark, DIM)], width, 0) if remark else []
    lines = max(lines - len(words), 1)
    scale = min(width / W, 2 * lines / H, _PICTURE / W, 1.0)
    size = (max(int(H * scale), 1), max(int(W * scale), 1))
    small = _shrunk(contrast.brightness(pixels), size)
    greys = contrast.stretched(small).astype(np.uint8)
    rows, columns = (
        (first * less // size, last * less // size)
        for (first, last), less, size in zip(field, small.shape, (H, W), strict=True)
    )
    drawn = draw_picture(greys[..., None], (rows, columns), Style(colour=look.rich))
    return [*(read_codes(line[_INDENT:]) for line in drawn), *words]


def _shrunk(image: Array, size: tuple[int, int]) -> Array:
    """Means of near-equal tiles, (rows, columns) of them."""
    for axis, (count, whole) in enumerate(zip(size, image.shape, strict=True)):
        starts = np.arange(count) * whole // count
        sums = np.add.reduceat(image, starts, axis=axis)
        counts = np.diff(starts, append=whole)
        image = sums / np.expand_dims(counts, 1 - axis)
    return image
