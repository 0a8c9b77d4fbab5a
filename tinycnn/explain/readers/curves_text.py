"""Small curves in text: a series as columns of blocks, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from tinycnn.explain.readers.style import INDENT, WIDTH, Style
from tinycnn.explain.values.printing import number

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_HEIGHT = 4  # lines of a curve
_LABEL = 11  # columns of the numbers beside it
T = TypeVar("T")


def curve(heading: str, values: Sequence[float], style: Style) -> list[str]:
    """Draw ``values`` from left to right between their least and their greatest, which stand beside it.

    Where there are more than columns, each column shows one of them, evenly chosen. What is no finite
    number leaves its column empty.
    """
    shown = thinned(values, WIDTH - INDENT - _LABEL - 1)
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return []
    least, greatest = min(finite), max(finite)
    columns = [_column(value, least, greatest) for value in shown]
    rows = ["".join(column[line] for column in columns) for line in range(_HEIGHT)]
    labels = [number(greatest), *[""] * (_HEIGHT - 2), number(least)]
    heads = [style.bold(f"{heading:<{INDENT - 1}}"), *[" " * (INDENT - 1)] * (_HEIGHT - 1)]
    lines = zip(heads, labels, rows, strict=True)
    return [f"{head} {label:>{_LABEL}} {row}".rstrip() for head, label, row in lines]


def thinned(items: Sequence[T], most: int) -> list[T]:
    """At most ``most`` of them, evenly chosen, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def _column(value: float, least: float, greatest: float) -> str:
    """One column, from top to bottom; the least value is seen, too."""
    if not math.isfinite(value):
        return " " * _HEIGHT
    share = (value - least) / (greatest - least) if greatest > least else 0.0
    eighths = 1 + round(share * (8 * _HEIGHT - 1))
    return "".join(
        _EIGHTHS[min(max(eighths - 8 * below, 0), 8)] for below in reversed(range(_HEIGHT))
    )
