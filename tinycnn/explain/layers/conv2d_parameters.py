"""The gradient of a convolution's parameter explained: every place where it was used."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explainer import Passage, activation_explainer, explainer_of
from tinycnn.explain.receptive_field import in_the_picture, receptive_field
from tinycnn.explain.values.explanation import (
    Funnel,
    FunnelStage,
    Notes,
    ReceptiveField,
    Section,
    SumTree,
)
from tinycnn.explain.values.places import COLOURS, Cell, reads_colours
from tinycnn.explain.values.printing import biggest
from tinycnn.explain.values.sums import (
    MOST,
    Part,
    Product,
    Source,
    Sum,
    Term,
    grouped,
    largest,
    leaves,
    mapped,
)
from tinycnn.shapes import Window
from tinycnn.wording import many, plural

Place = tuple[int, int, int]  # image, row and column of the output


def bias_gradient(cell: Cell) -> list[Section]:
    """The terms of db[f]: dz at every place."""
    (f,) = cell.place
    dz = cell.dz[..., f]
    heading = f"dz over the {many(dz.size, 'place')} of filter {f}:"
    return _sections(
        cell, heading, lambda name, place, source: Term(name, float(dz[place]), source)
    )


def weight_gradient(cell: Cell, win: Window, channel: int, met: Array) -> list[Section]:
    """The terms of dW[i,j,c,f]: at every place dz times what the weight met, (N, OH, OW)."""
    i, j, _, f = cell.place
    dz = cell.dz[..., f]
    read = COLOURS[channel] if reads_colours(cell.record) else channel
    heading = (
        f"over the {many(dz.size, 'place')} where this weight was used, dz[i,j,{f}] * "
        f"x[{_affine('i', win.stride[0], i * win.dilation[0] - win.pad_top_left[0])},"
        f"{_affine('j', win.stride[1], j * win.dilation[1] - win.pad_top_left[1])},{read}]:"
    )
    _, H, W, _ = cell.record.x.shape

    def term(name: str, place: Place, source: Source) -> Product:
        h, w = (
            at * stride + k * dilation - pad
            for at, stride, k, dilation, pad in zip(
                place[1:], win.stride, (i, j), win.dilation, win.pad_top_left, strict=True
            )
        )
        other = Source("x", (h, w, channel)) if 0 <= h < H and 0 <= w < W else None
        return Product(name, float(dz[place]), float(met[place]), source, other)

    return _sections(cell, heading, term)


def _affine(name: str, factor: int, offset: int) -> str:
    scaled = name if factor == 1 else f"{factor}{name}"
    return scaled if offset == 0 else f"{scaled}{offset:+d}"


def _sections(
    cell: Cell, heading: str, term: Callable[[str, Place, Source], Part]
) -> list[Section]:
    """The sum over all places, what became of these, and the largest terms."""
    N, OH, OW, _ = cell.record.y.shape
    named: dict[str, Place] = {}

    def image(n: int) -> Sum:
        def leaf(oh: int, ow: int) -> Part:
            name = f"image {n}, place ({oh},{ow})" if N > 1 else f"place ({oh},{ow})"
            named[name] = n, oh, ow
            return term(name, named[name], Source("dz", (oh, ow, cell.place[-1])))

        return mapped(f"image {n}", OH, OW, leaf)

    images = [image(n) for n in range(N)]
    tree = images[0] if N == 1 else grouped("sum", images, "images")
    top = largest(leaves(tree.parts))
    _, oh, ow = named[top.place]
    sections: list[Section] = [_funnel(cell, tree), SumTree(heading, tree)]
    if tree.terms > MOST and (lines := (*biggest(tree), *_origin(cell, top, named[top.place]))):
        sections.append(Notes("BIGGEST", lines))
    if N == 1 and top.value != 0:
        sections.append(_biggest_place(cell, oh, ow))
    return sections


def _funnel(cell: Cell, tree: Sum) -> Funnel:
    """What became of the places: how many win a pool window, pass ReLU, and give a term."""
    alive = np.ones(cell.record.y.shape[:-1], bool)
    stages = [FunnelStage(alive.size, "place" if alive.size == 1 else "places")]
    for passage in _passages(cell):
        alive &= passage.mask[..., cell.place[-1]]
        count = int(np.count_nonzero(alive))
        verb = plural(passage.verb) if count == 1 else passage.verb  # of a verb, one has the s
        stages.append(FunnelStage(count, f"{verb} {passage.where}"))
    terms = sum(leaf.value != 0 for leaf in leaves(tree.parts))
    stages.append(FunnelStage(terms, "term is not zero" if terms == 1 else "terms are not zero"))
    return Funnel("PLACES", tuple(stages))


def _passages(cell: Cell) -> Iterator[Passage]:
    """What the next layer and the activation let through, on the way from the loss."""
    found = []
    if not cell.in_last_layer:
        reader = cell.of_next_layer().record
        found.append(explainer_of(reader.layer).passage(reader))
    found.append(activation_explainer(cell.record.layer.activation).passage(cell.record))
    return (passage for passage in found if passage is not None)


def _origin(cell: Cell, top: Part, place: Place) -> tuple[str, ...]:
    """Where the biggest term's dz came from, if the next layer sent it from some cells alone."""
    if cell.in_last_layer or top.value == 0:
        return ()
    n, oh, ow = place
    reader = Cell(cell.trace, cell.position + 1, (oh, ow, cell.place[-1]), n)
    return explainer_of(reader.record.layer).sent_by(reader)


def _biggest_place(cell: Cell, oh: int, ow: int) -> ReceptiveField:
    """Where in the picture the biggest term's window lies."""
    region, training = ((oh, oh), (ow, ow)), cell.record.context.training
    field = receptive_field(cell.trace.model, cell.position, region, training=training)
    first = f"the window of the biggest term, place ({oh},{ow})"
    return ReceptiveField((first, in_the_picture(cell.trace, field)), field)
