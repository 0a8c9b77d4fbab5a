"""The products of an opened sum laid over each other: what is multiplied, with what, and what that gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.values.explanation import Explanation, Maximum, SumTree, only
from tinycnn.explain.values.sums import Part, leaves, total
from tinycnn.wording import many

_PAGES = (
    3  # of channels or filters that are drawn each; of more, the one whose products add up to most
)
_BIGGEST = 12  # terms of a sum that is no map
_TERMS = {
    "z": "exp(z)",
    "dy": "dy sent",
    "y": "p",
}  # what terms are called, by what they are made of

Place = tuple[int, int]


@dataclass(frozen=True)
class FactorGrids:
    """Maps of one height and width that lie over each other, by their names: patch, kernel, products.

    NaN is where a map has nothing. ``title`` says of what they are, ``rows`` names the rows where these are
    terms of a list, ``value`` is what the last map adds up to.
    """

    title: str
    maps: Mapping[str, Array]
    value: float
    rows: tuple[str, ...] = ()

    @property
    def has_factors(self) -> bool:
        """Whether there are products, not terms alone."""
        return len(self.maps) > 1


def factor_grids(explanation: Explanation) -> tuple[FactorGrids, ...]:
    """The maps of a number, channel by channel, then of all channels; () where nothing is added up."""
    windows = [s for s in explanation.sections if isinstance(s, Maximum)]
    if windows:
        return (_of_window(windows[0]),)
    sums = only(SumTree, explanation.sections)
    if not sums:
        return ()
    section = max(sums, key=lambda section: (_multiplies(section), section.tree.terms))
    found = _placed(section)
    if len({place for place, _ in found}) > 1:
        return _of_places(section, found)
    terms = leaves(section.tree.parts)
    is_one_term = len(terms) == 1 and not terms[0].factors
    return () if is_one_term else (_of_terms(section, terms),)


def _multiplies(section: SumTree) -> bool:
    """Whether a sum has products of the network's own numbers."""
    return any(term.factors and term.source for term in leaves(section.tree.parts))


def _of_window(section: Maximum) -> FactorGrids:
    """A window: its cells, which of them wins, and what that one passes on."""
    window = np.array(
        [[np.nan if value is None else value for value in row] for row in section.rows]
    )
    wins = np.where(np.isnan(window), np.nan, 0.0)
    wins[section.argmax] = 1.0
    passed = np.where(np.isnan(window), np.nan, 0.0)
    passed[section.argmax] = window[section.argmax]
    maps = {"window of x": window, "wins": wins, "passes on": passed}
    return FactorGrids("the largest of a window passes on", maps, float(window[section.argmax]))


def _placed(section: SumTree) -> list[tuple[Place, Part]]:
    """Each term, and where it stands on a map: in the kernel, or among a gradient's places."""
    found: list[tuple[Place, Part]] = []

    def walk(part: Part, at: tuple[int, ...]) -> None:
        at = at or (part.position if section.kernel else ())
        for inner in part.parts:
            walk(inner, at)
        if not part.parts and (place := at or _place_of(part)):
            found.append(((place[0], place[1]), part))

    walk(section.tree, ())
    return found


def _place_of(term: Part) -> tuple[int, ...]:
    """Where a term stands on the map that it is from; a dense layer's inputs are a list, not a map."""
    if term.source is None or len(term.source.place) != 3:
        return ()
    is_input = term.source.array == "x" and bool(term.factors)
    return () if is_input else term.source.place[:2]


def _of_places(section: SumTree, found: Sequence[tuple[Place, Part]]) -> tuple[FactorGrids, ...]:
    """A map for each factor and one of the products, of each channel or filter, or of the one that counts."""
    pages: dict[str, list[tuple[Place, Part]]] = {}
    for place, term in found:
        if term.source is not None:
            pages.setdefault(term.place * bool(section.planes), []).append((place, term))
    box = _box(section, [place for place, _ in found])
    sums = {name: total([term.value for _, term in terms]) for name, terms in pages.items()}
    if len(pages) <= 1:
        return tuple(
            _page_grids(section, "", terms, box, sums[name]) for name, terms in pages.items()
        )
    shown = list(pages)
    if len(pages) > _PAGES:
        shown = [max(sums, key=lambda name: abs(sums[name]))]
    counted = f", of {len(pages)} the one whose products add up to most" * (len(pages) > _PAGES)
    grids = [
        _page_grids(section, f"{name}{counted}", pages[name], box, sums[name]) for name in shown
    ]
    whole = np.full(_shape(box), np.nan)
    for (row, column), term in found:
        at = row - box[0][0], column - box[0][1]
        whole[at] = term.value + (0.0 if np.isnan(whole[at]) else whole[at])
    title = f"all {many(len(pages), section.planes)}"
    return (*grids, FactorGrids(title, {"added up": whole}, section.tree.value))


def _box(section: SumTree, places: Sequence[Place]) -> tuple[Place, Place]:
    if section.kernel:
        return (0, 0), (section.kernel[0] - 1, section.kernel[1] - 1)
    rows, columns = zip(*places, strict=True)
    return (min(rows), min(columns)), (max(rows), max(columns))


def _shape(box: tuple[Place, Place]) -> tuple[int, int]:
    return box[1][0] - box[0][0] + 1, box[1][1] - box[0][1] + 1


def _page_grids(
    section: SumTree,
    title: str,
    terms: Sequence[tuple[Place, Part]],
    box: tuple[Place, Place],
    value: float,
) -> FactorGrids:
    count = 3 if terms[0][1].factors else 1
    arrays = np.full((count, *_shape(box)), np.nan)
    for (row, column), term in terms:
        numbers = (*term.factors, term.value)
        arrays[:, row - box[0][0], column - box[0][1]] = numbers
    names = _names(section, terms[0][1])
    return FactorGrids(title, dict(zip(names, arrays, strict=True)), value)


def _names(section: SumTree, term: Part) -> tuple[str, ...]:
    """What the maps of such terms are called."""
    source = "" if term.source is None else term.source.array
    if not term.factors:
        return (_TERMS.get(source, source or "terms"),)
    other = getattr(term, "other", None)
    b = section.second or (other.array if other else "factor")
    if (source, b) == ("x", "W"):
        return "patch of x", "kernel W", "x * W"
    return source or "a", b, f"{source or 'a'} * {b}"


def _of_terms(section: SumTree, terms: Sequence[Part]) -> FactorGrids:
    """The biggest terms of a list, one a row."""
    ranked = sorted(terms, key=lambda term: -abs(term.value))[:_BIGGEST]
    every = len(ranked) == len(terms)
    title = "" if every else f"the {len(ranked)} biggest of {many(len(terms), 'term')}"
    columns = [(*term.factors, term.value) for term in ranked]
    same = {len(column) for column in columns}
    if len(same) > 1:
        columns = [column[-1:] for column in columns]
    names = _names(section, ranked[0]) if len(same) == 1 else ("terms",)
    names = tuple(name.replace("patch of ", "").replace("kernel ", "") for name in names)
    arrays = [np.array(column)[:, None] for column in zip(*columns, strict=True)]
    rows = tuple(map(_row_name, ranked))
    return FactorGrids(title, dict(zip(names, arrays, strict=True)), section.tree.value, rows)


def _row_name(term: Part) -> str:
    """A term of a list by the cell that it begins with, where one of a map, else by its own name."""
    if term.source is None or len(term.source.place) != 3:
        return term.place
    return f"{term.source.array}[{','.join(map(str, term.source.place))}]"
