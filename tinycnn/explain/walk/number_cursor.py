"""A cursor over the numbers of an opened sum, window or step: where it stands, moves, and on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinycnn.explain.readers.sum_text import Chosen, columns_of
from tinycnn.explain.values.candidate import Candidate
from tinycnn.explain.values.explanation import Explanation, Maximum, Step, SumTree
from tinycnn.explain.values.opened_parts import part_at
from tinycnn.explain.values.sums import Part, Product, Source, largest

_STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


@dataclass(frozen=True)
class NumberCursor:
    """Where one stands: in which of the sections, on which number, and of a product on which factor.

    ``path`` is that of the parts opened on the way there.
    """

    section: int
    index: int
    path: tuple[int, ...] = ()
    factor: int = 0

    @property
    def chosen(self) -> Chosen:
        """As a reader marks it."""
        return Chosen(self.section, len(self.path), self.index, self.factor)


def start(opened: Explanation) -> NumberCursor | None:
    """Where one first stands: on the largest number of the first sum or window; None if there is none."""
    sections = _with_numbers(opened)
    return _on_largest(opened, sections[0]) if sections else None


def turned(opened: Explanation, cursor: NumberCursor, by: int) -> NumberCursor:
    """In the next sum or window, or the one before, round at the ends."""
    sections = _with_numbers(opened)
    return _on_largest(opened, sections[(sections.index(cursor.section) + by) % len(sections)])


def moved(opened: Explanation, cursor: NumberCursor, key: str) -> NumberCursor | None:
    """The number, or of a product the factor, that an arrow leads to; None over the edge."""
    part = part_on(opened, cursor)
    if key in ("left", "right") and part is not None and part.factors:
        factor = int(key == "right")
        return None if factor == cursor.factor else replace(cursor, factor=factor)
    count, columns = _grid(opened, cursor)
    (down, right), (row, column) = _STEPS[key], divmod(cursor.index, columns)
    row, column = row + down, column + right
    if not (row >= 0 and 0 <= column < columns and row * columns < count):
        return None
    return replace(cursor, index=min(row * columns + column, count - 1))


def inside(opened: Explanation, cursor: NumberCursor) -> NumberCursor | None:
    """On the largest number of the part that one stands on; None where that is no sum."""
    part = part_on(opened, cursor)
    if part is None or not part.parts:
        return None
    index = part.parts.index(largest(part.parts))
    return NumberCursor(cursor.section, index, (*cursor.path, cursor.index))


def outside(cursor: NumberCursor) -> NumberCursor | None:
    """On the part that one went into last; None if one went into none."""
    return NumberCursor(cursor.section, cursor.path[-1], cursor.path[:-1]) if cursor.path else None


def source_of(opened: Explanation, cursor: NumberCursor) -> Source | str:
    """Which number of the pass one stands on; where it is none, what it is in words."""
    section = opened.sections[cursor.section]
    if isinstance(section, Step):
        assert section.source is not None
        return section.source
    if isinstance(section, Maximum):
        candidate = _candidate_on(section, cursor)
        return candidate.source if candidate else "padding does not compete: there is no cell"
    part = part_on(opened, cursor)
    assert part is not None
    source = part.other if cursor.factor and isinstance(part, Product) else part.source
    return source or f"{part.place}: this is no number of the network, but worked out on the way"


def _candidate_on(section: Maximum, cursor: NumberCursor) -> Candidate | None:
    i, j = divmod(cursor.index, len(section.candidates[0]))
    return section.candidates[i][j]


def pointed(opened: Explanation, cursor: NumberCursor | None) -> Explanation:
    """The number with those parts of its sum opened that lead to the cursor, and what it stands on."""
    if cursor is None:
        return opened
    sections = list(opened.sections)
    section = sections[cursor.section]
    if isinstance(section, SumTree):
        sections[cursor.section] = replace(section, path=(*cursor.path, cursor.index))
    if isinstance(section, Maximum) and _candidate_on(section, cursor) is not None:
        path = divmod(cursor.index, len(section.rows[0]))
        sections[cursor.section] = replace(section, path=path)
    return replace(opened, sections=tuple(sections))


def part_on(opened: Explanation, cursor: NumberCursor) -> Part | None:
    """The part of a sum that one stands on; None elsewhere."""
    section = opened.sections[cursor.section]
    if not isinstance(section, SumTree):
        return None
    return part_at(section.tree, (*cursor.path, cursor.index))


def _with_numbers(opened: Explanation) -> Sequence[int]:
    """The sections that have numbers to stand on."""
    return [
        k
        for k, section in enumerate(opened.sections)
        if isinstance(section, SumTree | Maximum)
        or (isinstance(section, Step) and section.source is not None)
    ]


def _on_largest(opened: Explanation, number: int) -> NumberCursor:
    section = opened.sections[number]
    if isinstance(section, Maximum):
        i, j = section.argmax
        return NumberCursor(number, i * len(section.rows[0]) + j)
    if isinstance(section, Step):
        return NumberCursor(number, 0)
    assert isinstance(section, SumTree)
    return NumberCursor(number, section.tree.parts.index(largest(section.tree.parts)))


def _grid(opened: Explanation, cursor: NumberCursor) -> tuple[int, int]:
    """How many numbers there are where one stands, and how many beside each other."""
    section = opened.sections[cursor.section]
    if isinstance(section, Maximum):
        return len(section.rows) * len(section.rows[0]), len(section.rows[0])
    if isinstance(section, Step):
        return 1, 1
    assert isinstance(section, SumTree)
    level = part_at(section.tree, cursor.path)
    return len(level.parts), columns_of(level)
