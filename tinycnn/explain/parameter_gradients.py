"""A parameter's gradient, opened: every place where the parameter was used."""

from __future__ import annotations

import re

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.explain.explanation import Adds, Notes, Section, Sees
from tinycnn.explain.field import receptive_field
from tinycnn.explain.places import COLOURS, Place, in_the_picture, reads_colours, window_winners
from tinycnn.explain.sum_cells import biggest
from tinycnn.explain.sums import (
    MOST,
    Part,
    Product,
    Sum,
    Term,
    add,
    equation,
    grouped,
    leaves,
    mapped,
)
from tinycnn.layers import (
    Conv2D,
    MaxPool2D,
)
from tinycnn.layers.activation import RELU
from tinycnn.passes import Record
from tinycnn.shapes import Window
from tinycnn.trace import Trace
from tinycnn.wording import many, plural


def conv_parameter(trace: Trace, position: int, parameter: str, index: Place) -> list[Section]:
    """The terms of a gradient of W or b of a convolution."""
    record = trace.records[position]
    layer, dz = record.layer, record.dz
    assert isinstance(layer, Conv2D) and dz is not None
    f = index[-1]
    win = layer.window(record.x.shape[1:])
    OH, OW = win.output
    if parameter == "b":
        values = None
        heading = f"dz over the {many(len(dz) * OH * OW, 'place')} of filter {f}:"
    else:
        i, j, *_ = index
        channel, values = _channel(record, index), met(record, index)
        read = COLOURS[channel] if reads_colours(record) else channel
        heading = (
            f"over the {many(len(dz) * OH * OW, 'place')} where this weight was used, dz[i,j,{f}] * "
            f"x[{_affine('i', win.stride[0], i * win.dilation[0] - win.pad_top_left[0])},"
            f"{_affine('j', win.stride[1], j * win.dilation[1] - win.pad_top_left[1])},{read}]:"
        )
    several = len(dz) > 1

    def image(n: int) -> Sum:
        def leaf(oh: int, ow: int) -> Part:
            place = f"image {n}, place ({oh},{ow})" if several else f"place ({oh},{ow})"
            d = float(dz[n, oh, ow, f])
            return Term(place, d) if values is None else Product(place, d, float(values[n, oh, ow]))

        return mapped(f"image {n}", OH, OW, leaf)

    tree = (
        image(0) if len(dz) == 1 else grouped("sum", [image(n) for n in range(len(dz))], "images")
    )
    sections: list[Section] = [
        Notes("PLACES", (_funnel(trace, position, tree, f),)),
        Adds(heading, tree),
    ]
    if tree.terms > MOST:
        named = (*biggest(tree), *_origin(trace, position, tree, f))
        sections += [Notes("BIGGEST", named)] if named else []
    if len(dz) == 1 and _top(tree).value != 0:
        sections.append(_biggest_place(trace, position, tree))
    return sections


def _biggest_place(trace: Trace, position: int, tree: Sum) -> Sees:
    """Where in the picture the biggest term's window lies."""
    _, oh, ow = _coordinates(_top(tree))
    rows, columns = receptive_field(trace.model, position, ((oh, oh), (ow, ow)))
    lines = (
        f"the window of the biggest term, place ({oh},{ow})",
        in_the_picture(trace, rows, columns),
    )
    return Sees(lines, (rows, columns))


def _top(tree: Sum) -> Product | Term:
    return max(leaves(tree.parts), key=lambda leaf: abs(leaf.value))


def _coordinates(leaf: Product | Term) -> tuple[int, int, int]:
    """The (image, row, column) that a leaf's place "image 2, place (3,4)" names."""
    found = re.fullmatch(r"(?:image (\d+), )?place \((\d+),(\d+)\)", leaf.place)
    assert found is not None
    return int(found[1] or 0), int(found[2]), int(found[3])


def _affine(name: str, factor: int, offset: int) -> str:
    scaled = name if factor == 1 else f"{factor}{name}"
    return scaled if offset == 0 else f"{scaled}{offset:+d}"


def met(record: Record, index: Place) -> Array:
    """What a weight met: (N, OH, OW) in a convolution, zero in the padding, (N,) in a dense layer."""
    layer = record.layer
    if not isinstance(layer, Conv2D):
        flat: Array = record.x.reshape(len(record.x), -1)[:, index[0]]
        return flat
    window = layer.window(record.x.shape[1:])
    return _shifted(record.x[..., _channel(record, index)], window, index[0], index[1])


def _channel(record: Record, index: Place) -> int:
    """The channel of x that a convolution's weight reads, counted over all groups."""
    assert isinstance(record.layer, Conv2D)
    group = index[-1] // (record.layer.filters // record.layer.groups)
    return int(group * record.params["W"].shape[2] + index[2])


def _shifted(x: Array, win: Window, i: int, j: int) -> Array:
    """x (N, H, W) as kernel cell (i, j) meets it at each place: (N, OH, OW), zero in the padding."""
    OH, OW = win.output
    rows = np.arange(OH) * win.stride[0] - win.pad_top_left[0] + i * win.dilation[0]
    columns = np.arange(OW) * win.stride[1] - win.pad_top_left[1] + j * win.dilation[1]
    inside = np.ix_(
        (rows >= 0) & (rows < win.height.input), (columns >= 0) & (columns < win.width.input)
    )
    met: Array = np.zeros((len(x), OH, OW), x.dtype)
    for n in range(len(x)):
        met[n][inside] = x[n][np.ix_(rows[inside[0].ravel()], columns[inside[1].ravel()])]
    return met


def _funnel(trace: Trace, position: int, tree: Sum, f: int) -> str:
    """What became of the places: how many win a pool window, pass ReLU, and give a term."""
    record = trace.records[position]
    y = record.y[..., f]
    alive = np.ones(y.shape, bool)
    stages = [many(y.size, "place")]
    reader = trace.records[position + 1] if position + 1 < len(trace.records) else None
    if reader is not None and isinstance(reader.layer, MaxPool2D):
        alive &= winning_cells(reader)[..., f]
        stages.append(f"{_who(alive, 'win')} a window of {reader.name}")
    if record.layer.activation is RELU:
        alive &= ~(y <= 0)
        stages.append(f"{_who(alive, 'pass')} ReLU")
    terms = sum(leaf.value != 0 for leaf in leaves(tree.parts))
    stages.append("1 term is not zero" if terms == 1 else f"{terms:,} terms are not zero")
    return "  >  ".join(stages)


def _who(alive: Array, verb: str) -> str:
    """How many of some cells do something: ``1 wins``, ``3 win``."""
    count = int(np.count_nonzero(alive))
    return f"{count:,} {plural(verb) if count == 1 else verb}"  # of a verb, one has the s


def winning_cells(pool: Record) -> Array:
    """Which cells of a max-pool's input won at least one window."""
    layer = pool.layer
    assert isinstance(layer, MaxPool2D)
    won = ops.max_pool2d_backward(
        np.ones(pool.y.shape), pool.saved[0], pool.x.shape, layer.kernel, stride=layer.stride,
        padding=layer.padding, dilation=layer.dilation, ceil_mode=layer.ceil_mode,
    )  # fmt: skip
    cells: Array = won > 0
    return cells


def _origin(trace: Trace, position: int, tree: Sum, f: int) -> tuple[str, ...]:
    """Where the biggest term's dz came from, if a max-pool sent it."""
    reader = trace.records[position + 1] if position + 1 < len(trace.records) else None
    top = _top(tree)
    if reader is None or not isinstance(reader.layer, MaxPool2D) or top.value == 0:
        return ()
    assert reader.dy is not None
    n, oh, ow = _coordinates(top)
    windows = window_winners(reader, (oh, ow, f), n)
    won = [(r, c) for (r, c), cell in windows.items() if cell == (oh, ow)]
    parts = [Term(f"({r},{c})", float(reader.dy[n, r, c, f])) for r, c in won]
    names = ", ".join(part.place for part in parts)
    if len(parts) == 1:
        return (f"the first one's dz came from the window of {reader.name} that it won, {names}",)
    return (
        f"the first one's dz came from the windows of {reader.name} that it won, {names}:",
        equation(add("dz", parts)),
    )


def dense_parameter(record: Record, parameter: str, index: Place) -> list[Section]:
    """The terms of a gradient of W or b of a dense layer."""
    dz = record.dz
    assert dz is not None
    f = index[-1]
    parts: list[Part] = []
    for n in range(len(dz)):
        d = float(dz[n, f])
        place = f"image {n}"
        x = record.x[n].reshape(-1)
        parts.append(Term(place, d) if parameter == "b" else Product(place, float(x[index[0]]), d))
    what = "dz" if parameter == "b" else "x * dz"
    return [Adds(f"{what}, one term an image:", grouped("sum", parts, "images"))]
