"""Which part of a sum is opened: parts by their addresses, such as 2,3 and within that 2,3/0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

import numpy as np

from tinycnn.errors import ArgumentError
from tinycnn.explain.values.candidate import Candidate
from tinycnn.explain.values.explanation import (
    Explanation,
    Maximum,
    Section,
    SumTree,
    only,
)
from tinycnn.explain.values.sums import Part, Sum, largest
from tinycnn.wording import many

Path = tuple[int, ...]  # of each level, from the whole sum down, which part is opened


def opens(level: Part) -> bool:
    """Whether any part of a level is a sum itself."""
    return any(part.parts for part in level.parts)


def part_at(tree: Sum, path: Path) -> Part:
    """The part that a path leads to."""
    level: Part = tree
    for index in path:
        level = level.parts[index]
    return level


def lettered(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The sections, each sum that opens with a letter of its own if there are several."""
    sums = [section for section in only(SumTree, sections) if opens(section.tree)]
    letters = {id(s): a for s, a in zip(sums, ascii_uppercase, strict=False)} if sums[1:] else {}
    return tuple(
        replace(section, letter=letters[id(section)])
        if isinstance(section, SumTree) and id(section) in letters
        else section
        for section in sections
    )


def address(section: SumTree, path: Path) -> str:
    """How a reader names the part that ``path`` leads to: ``2,3/0``, of the second sum ``B/0``."""
    steps = [_step(part_at(section.tree, path[:at]), index) for at, index in enumerate(path)]
    return "/".join(filter(None, [section.letter, *steps]))


def openable(level: Part) -> str:
    """Which parts of a level open, in words: ``0,0 .. 4,4``."""
    found = [index for index, part in enumerate(level.parts) if part.parts]
    rows, columns = (sorted({divmod(i, level.columns)[axis] for i in found}) for axis in (0, 1))
    first, last = (_step(level, rows[at] * level.columns + columns[at]) for at in (0, -1))
    if first == last:
        return f"only {first} opens"
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    some = "" if len(found) == box else f"{len(found)} of "
    return f"{some}{first} .. {last} open"


def another_part(explanation: Explanation) -> str | None:
    """The address of a part that is not opened, the first such; None where there is none."""
    for window in (section for section in explanation.sections if isinstance(section, Maximum)):
        opened, _ = opened_candidate(window)
        places = [place for place in _candidates(window) if place != opened]
        return ",".join(map(str, places[0])) if places else None
    for section in only(SumTree, lettered(explanation.sections)):
        found = [index for index, part in enumerate(section.tree.parts) if part.parts]
        others = [index for index in found if index not in opened_path(section)[:1]]
        if others:
            return address(section, (others[0],))
    return None


def opened_path(section: SumTree) -> Path:
    """Which parts are opened, down to where nothing opens: those of the path, then always the largest."""
    path: Path = ()
    level: Part = section.tree
    while level.parts:
        given = section.path[len(path) : len(path) + 1]
        index = given[0] if given else level.parts.index(largest(level.parts))
        level = level.parts[index]
        path = (*path, index) if level.parts else path
    return path


def open_part(explanation: Explanation, part: str) -> Explanation:
    """The same with another part of a sum opened, in place of the largest.

    ``part`` is its address as the text gives it: row and column where numbers stand in a grid, else which of
    them it is, counted from 0, or its name; behind a slash the part of that. Where several sums open, they
    have letters: "B/3" is a part of the second, "3" of the first. Raises ArgumentError for what is not there,
    or does not open.
    """
    sections = lettered(explanation.sections)
    window = next((section for section in sections if isinstance(section, Maximum)), None)
    if window is not None:
        path = _in_window(window, part, explanation.subject)
        return _replaced(explanation, sections, window, replace(window, path=path))
    sums = [section for section in only(SumTree, sections) if opens(section.tree)]
    if not sums:
        raise ArgumentError(f"{explanation.subject}: {_nothing_opens(explanation)}")
    head, _, rest = part.partition("/")
    named = {section.letter: section for section in sums if section.letter}
    section, steps = (named[head], rest) if head in named else (sums[0], part)
    opened = replace(section, path=_path(section, steps, explanation.subject))
    return _replaced(explanation, sections, section, opened)


def _replaced(
    explanation: Explanation, sections: Sequence[Section], old: Section, new: Section
) -> Explanation:
    return replace(explanation, sections=tuple(new if each is old else each for each in sections))


def opened_candidate(section: Maximum) -> tuple[Path, Candidate]:
    """Which candidate of a window is opened, and where it stands in it."""
    i, j = section.path or section.argmax
    opened = section.candidates[i][j]
    assert opened is not None
    return (i, j), opened


def openable_candidates(section: Maximum) -> str:
    """Which candidates of a window open, in words: ``0,0 .. 2,2``."""
    first, *_, last = [",".join(map(str, place)) for place in _candidates(section) * 2]
    return f"only {first} opens" if first == last else f"{first} .. {last} open"


def _candidates(section: Maximum) -> list[Path]:
    """Where in a window those stand that compete."""
    rows = enumerate(section.candidates)
    return [(i, j) for i, row in rows for j, one in enumerate(row) if one is not None]


def _in_window(section: Maximum, part: str, subject: str) -> Path:
    """The place in a window that an address names."""
    everywhere = np.ndindex(len(section.candidates), len(section.candidates[0]))
    path = {f"{i},{j}": (i, j) for i, j in everywhere}.get(part.replace(" ", ""))
    opens = f"{openable_candidates(section)} (row,column, from 0)"
    if path is None:
        raise ArgumentError(f"{subject} has no part {part!r}: {opens}")
    if path not in _candidates(section):
        raise ArgumentError(f"part {part} of {subject} is padding, which does not compete: {opens}")
    return path


def _path(section: SumTree, steps: str, subject: str) -> Path:
    path: Path = ()
    for text in steps.split("/"):
        level = part_at(section.tree, path)
        where = f"part {address(section, path)}" if path else subject
        if not opens(level):
            raise ArgumentError(f"{where} is a sum of {_single(level)}: none of them opens")
        index = _index(level, text)
        if index is None:
            kind = "row,column" if level.columns > 1 else "one number"
            raise ArgumentError(f"{where} has no part {text!r}: {openable(level)} ({kind}, from 0)")
        if not level.parts[index].parts:
            raise ArgumentError(
                f"part {address(section, (*path, index))} of {subject} is a single number, "
                f"{level.parts[index].place}: {openable(level)}"
            )
        path = (*path, index)
    return path


def _index(level: Part, text: str) -> int | None:
    """Which part a step names; None if there is no such part."""
    names = [part.place for part in level.parts]
    if text in names:
        return names.index(text)
    numbers = text.split(",")
    if not all(number.strip().isdecimal() for number in numbers):
        return None
    *row, column = map(int, numbers)
    if len(row) != (level.columns > 1) or (row and column >= level.columns):
        return None
    index = sum(row) * level.columns + column
    return index if index < len(level.parts) else None


def _step(level: Part, index: int) -> str:
    """A part of a level as it is named there."""
    row, column = divmod(index, level.columns)
    return f"{row},{column}" if level.columns > 1 else str(index)


def _single(level: Part) -> str:
    return many(len(level.parts), "product" if level.parts[0].factors else "single number")


def _nothing_opens(explanation: Explanation) -> str:
    sums = only(SumTree, explanation.sections)
    if not sums:
        return "nothing is added up here, so that no part opens"
    return f"a sum of {_single(sums[-1].tree)}, of which none opens"
