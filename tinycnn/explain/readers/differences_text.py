"""Two lessons beside each other on a terminal: right minus left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinycnn.explain.lessons.differences import LargestDifference, LayerDifference, Pair
from tinycnn.explain.readers.overview_text import page_way, way
from tinycnn.explain.readers.style import Style, headed
from tinycnn.explain.values.printing import number
from tinycnn.tables import text_table
from tinycnn.wording import option

_LARGEST = ("largest difference", "of the left's largest", "at")


def draw_heading(names: Sequence[str], style: Style) -> Iterator[str]:
    """What stands on which side."""
    for side, name in zip(("LEFT", "RIGHT"), names, strict=True):
        yield from headed(side, [name], style)
    yield ""


def draw_layers(
    loss: Pair, layers: Sequence[LayerDifference], style: Style, command: str
) -> Iterator[str]:
    """The losses, and the largest differences of each layer, forward and backward.

    ``command`` is what opens numbers of both.
    """
    left, right, difference = _numbers(loss)
    words = f"{left} on the left, {right} on the right, difference {difference}"
    yield from headed("LOSS", [words], style)
    forward = [(layer.name, layer.numbers) for layer in layers if layer.numbers]
    backward = [(layer.name, layer.gradients) for layer in layers if layer.gradients]
    for title, found in (("FORWARD", forward), ("BACKWARD", backward)):
        if found:
            yield ""
            yield style.bold(title)
            yield text_table(["layer", *_LARGEST], [_largest(*each) for each in found], 3)
    if remarks := [f"{layer.name}: {layer.remark}" for layer in layers if layer.remark]:
        yield from ["", *remarks]
    yield ""
    if forward:
        yield from way("Open a layer:", f"{command} {option('--layer', forward[0][0])}")
    yield from page_way(command)


def draw_cells(name: str, cells: Sequence[Pair], style: Style, command: str) -> Iterator[str]:
    """The ``cells`` of layer ``name`` that differ most, and the command that opens the first."""
    yield style.bold(f"{name}: THE CELLS THAT DIFFER MOST")
    yield _pairs("at", cells)
    yield ""
    yield from way("Open a cell:", f"{command} {option('--layer', name)} --at {cells[0].words}")
    yield from page_way(command)


def draw_numbers(pairs: Sequence[Pair], command: str) -> Iterator[str]:
    """One number opened on both sides, and the parts of its sum."""
    yield _pairs("", pairs)
    yield ""
    yield from page_way(command)


def share(largest: LargestDifference) -> str:
    """Which share of the left's largest number a difference is."""
    return "" if largest.share is None else f"{largest.share:.2g}"


def _largest(name: str, largest: LargestDifference) -> list[str]:
    where = ",".join(map(str, largest.where))
    return [name, number(largest.difference), share(largest), where]


def _pairs(head: str, pairs: Sequence[Pair]) -> str:
    rows = [[pair.words, *_numbers(pair)] for pair in pairs]
    return text_table([head, "left", "right", "difference"], rows, 3)


def _numbers(pair: Pair) -> list[str]:
    return list(map(number, (pair.left, pair.right, pair.difference)))
