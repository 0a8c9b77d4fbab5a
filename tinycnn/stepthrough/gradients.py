"""Gradients of a backward pass, opened: every term, where it came from, and what a step would do."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.shapes import Window
from tinycnn.stepthrough.checks import Change, Difference, check_sum, difference
from tinycnn.stepthrough.explanation import Adds, Check, Explanation, Notes, Section, Sees, Step
from tinycnn.stepthrough.field import readers, receptive_field
from tinycnn.stepthrough.forward import (
    Place,
    average_count,
    biggest,
    exp_roundings,
    exponentials,
    in_the_picture,
    lrn_sum,
    picture_of,
    window_winners,
    words_of,
)
from tinycnn.stepthrough.sums import (
    MOST,
    Part,
    Product,
    Sum,
    Term,
    add,
    equation,
    extent,
    factors,
    grouped,
    leaves,
    mapped,
    number,
)
from tinycnn.trace import Record, Trace

# Of the tensor's largest gradient: a pass in float32, or in float64, against one in float64.
_AGREEMENT, _AGREEMENT_64 = 1e-5, 1e-9
_POWER = 32  # roundings of a power and what is done with it
_SURE = 0.5  # from this p of the label on, p - 1 is added up from the other classes


def open_parameter(
    trace: Trace, position: int, parameter: str, index: Place, rate: float
) -> Explanation:
    """Explain dL/d(parameter)[index]: every place where it was used, and one step of SGD."""
    record = _after_backward(trace, position)
    gradients = (record.grads or {})[parameter]
    engine = float(gradients[index])
    subject = f"dL/d {record.name}.{parameter}[{','.join(map(str, index))}]"
    sections: list[Section] = []
    if isinstance(record.layer, Conv2D):
        sections += _conv_parameter(trace, position, parameter, index)
    elif isinstance(record.layer, Dense):
        sections += _dense_parameter(record, parameter, index)
    else:
        words = f"{record.name} is a layer of your own: its terms cannot be opened from outside"
        sections.append(Notes("HOW", (words,)))
    sections += _agree(sections, engine, gradients.dtype)
    if engine == 0:
        why = _cancel(sections) or _why_no_term(trace, position, index)
        sections.append(Notes("WHY 0", why))
    found = difference(trace, Change(position, parameter, index), -rate * engine)
    sections += _derivative(trace, position, found, engine, gradients)
    sections += _step(trace, found, engine, float(record.params[parameter][index]), rate)
    return Explanation(subject, engine, index, picture_of(trace, 0), tuple(sections))


def _step(
    trace: Trace, found: Difference | None, engine: float, value: float, rate: float
) -> list[Section]:
    """One step of SGD, and what it does to the loss."""
    old, slope = factors(value, engine)
    sections: list[Section] = [
        Step("STEP", f"{old} - {rate:g} * {_bracketed(slope)}", value - rate * engine)
    ]
    objective = "loss" if trace.labels is not None else "sum of dy * y"
    expected = [
        f"the step should change the {objective} by about",
        f"-{rate:g} * {_bracketed(slope)}^2 = {number(-rate * engine**2)}",
    ]
    if found is not None:
        expected.append(f"it does change by {number(found.moved)}, measured in float64")
    return [*sections, Notes("EXPECT", tuple(expected))]


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def open_input(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain dL/dx at a cell of layer ``position``'s input."""
    record = _after_backward(trace, position)
    assert record.dx is not None
    engine = float(record.dx[(sample, *place)])
    sections = list(_input_sections(trace, position, place, sample))
    sections += _agree(sections, engine, record.dx.dtype, _extra(record, sample))
    if engine == 0:
        cancel = () if isinstance(record.layer, Softmax) else _cancel(sections)
        why = cancel or _why_zero(trace, position, place, sample)
        sections.append(Notes("WHY 0", why))
    found = difference(trace, Change(position, "x", (sample, *place)), 0.0)
    sections += _derivative(trace, position, found, engine, record.dx)
    where = _place_words(place)
    return Explanation(
        f"dL/dx of {record.name}, {where}",
        engine,
        place,
        picture_of(trace, sample),
        tuple(sections),
    )


def open_output(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain dL/dy at a cell of layer ``position``'s output: what the next layer sends back."""
    record = _after_backward(trace, position)
    subject = f"dL/dy of {record.name}, {words_of(record.layer, place)}"
    if position + 1 < len(trace.records):
        opened = open_input(trace, position + 1, place, sample)
        note = Notes("FROM", (f"{trace.records[position + 1].name}, whose input this is",))
        return Explanation(subject, opened.value, place, opened.picture, (note, *opened.sections))
    if record.dy is None:
        raise ArgumentError(
            f"with labels, softmax and loss are one step: ask for {record.name}.z, the gradient "
            f"before the softmax"
        )
    value = float(record.dy[(sample, *place)])
    source = "you: it is the dy that backward was given"
    if trace.labels is not None:
        source = f"the loss: (p - onehot) / {len(trace.y)}, where p is the softmax of the answer"
    note = Notes("FROM", (source,))
    return Explanation(subject, value, place, picture_of(trace, sample), (note,))


def open_logits(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain dL/dz, the gradient before layer ``position``'s activation."""
    record = _after_backward(trace, position)
    dz = record.dz
    if dz is None:
        raise ArgumentError(
            f"what {record.name} did before its activation {record.layer.activation!r} is not known "
            f"here; ask for {record.name}.x or {record.name}.y"
        )
    engine = float(dz[(sample, *place)])
    subject = f"dL/dz of {record.name}, {words_of(record.layer, place)}"
    sections: list[Section] = list(_activation_sections(trace, position, place, sample))
    sections += _agree(sections, engine, dz.dtype, _softmax_extra(record, sample))
    if engine == 0:
        sections.append(Notes("WHY 0", _why_zero_before(trace, position, place, sample)))
    found = difference(trace, Change(position, "z", (sample, *place)), 0.0)
    sections += _derivative(trace, position, found, engine, dz)
    return Explanation(subject, engine, place, picture_of(trace, sample), tuple(sections))


def _after_backward(trace: Trace, position: int) -> Record:
    record = trace.records[position]
    if record.dx is None:
        raise ArgumentError(
            "this trace holds no gradients: run trace.backward(labels=...) first, with keep=True "
            "if it is a training pass"
        )
    return record


def _place_words(place: Place) -> str:
    if len(place) != 3:
        return f"unit {', '.join(map(str, place))}"
    return f"row {place[0]}, column {place[1]}, channel {place[2]}"


# ------------------------------------------------------------------------------------- parameters


def _conv_parameter(trace: Trace, position: int, parameter: str, index: Place) -> list[Section]:
    record = trace.records[position]
    layer, dz = record.layer, record.dz
    assert isinstance(layer, Conv2D) and dz is not None
    f = index[-1]
    win = layer.window(record.x.shape[1:])
    OH, OW = win.output
    if parameter == "b":
        values = None
        heading = f"dz over the {len(dz) * OH * OW:,} places of filter {f}:"
    else:
        i, j, c, _ = index
        channel = f // (layer.filters // layer.groups) * record.params["W"].shape[2] + c
        values = _shifted(record.x[..., channel], win, i, j)
        heading = (
            f"over the {len(dz) * OH * OW:,} places where this weight was used, dz[i,j,{f}] * "
            f"x[{_affine('i', win.stride[0], i * win.dilation[0] - win.corner[0])},"
            f"{_affine('j', win.stride[1], j * win.dilation[1] - win.corner[1])},{channel}]:"
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


def _shifted(x: Array, win: Window, i: int, j: int) -> Array:
    """x (N, H, W) as kernel cell (i, j) meets it at each place: (N, OH, OW), zero in the padding."""
    OH, OW = win.output
    rows = np.arange(OH) * win.stride[0] - win.corner[0] + i * win.dilation[0]
    columns = np.arange(OW) * win.stride[1] - win.corner[1] + j * win.dilation[1]
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
    stages = [f"{y.size:,} places"]
    reader = trace.records[position + 1] if position + 1 < len(trace.records) else None
    if reader is not None and isinstance(reader.layer, MaxPool2D):
        alive &= _winning_cells(reader)[..., f]
        stages.append(f"{int(alive.sum()):,} win a window of {reader.name}")
    if record.layer.activation == "relu":
        alive &= ~(y <= 0)
        stages.append(f"{int(alive.sum()):,} pass ReLU")
    terms = sum(leaf.value != 0 for leaf in leaves(tree.parts))
    stages.append("1 term is not zero" if terms == 1 else f"{terms:,} terms are not zero")
    return "  >  ".join(stages)


def _winning_cells(pool: Record) -> Array:
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


def _dense_parameter(record: Record, parameter: str, index: Place) -> list[Section]:
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


# ----------------------------------------------------------------------------------------- inputs


def _input_sections(trace: Trace, position: int, place: Place, sample: int) -> Sequence[Section]:
    record = trace.records[position]
    if isinstance(record.layer, Softmax) and record.dy is None:
        return _loss_terms(trace, place, sample)
    opener = next((o for kind, o in _OPENERS.items() if isinstance(record.layer, kind)), None)
    if opener is None:
        words = f"{record.name} is a layer of your own: its terms cannot be opened from outside"
        return [Notes("HOW", (words,))]
    return opener(record, place, sample)


def _extra(record: Record, sample: int) -> int:
    """Roundings of a term of an input's gradient that are not those of a sum of products."""
    if isinstance(record.layer, LocalResponseNorm):
        return _POWER
    if isinstance(record.layer, Dropout | AveragePool2D):
        return 2  # of the factor, and of its product
    return _softmax_extra(record, sample) if isinstance(record.layer, Softmax) else 0


def _softmax_extra(record: Record, sample: int) -> int:
    """Roundings of a term before a softmax: those of p, or of a sum over the classes."""
    if record.layer.activation != "softmax":
        return 0
    if record.dy is not None:
        return int(record.y.shape[-1]) + _POWER
    z = record.z[sample].astype(np.float64)
    shift = float(z.max())
    widest = shift - float(z.min())
    return exp_roundings(z, shift) + (math.ceil(widest) if math.isfinite(widest) else 0)


def _conv_input(record: Record, place: Place, sample: int) -> list[Section]:
    layer, dz, W = record.layer, record.dz, record.params["W"]
    assert isinstance(layer, Conv2D) and dz is not None
    h, w, channel = place
    win = layer.window(record.x.shape[1:])
    group, c = divmod(channel, W.shape[2])
    filters = layer.filters // layer.groups
    region = readers(layer, record.x.shape[1:], (h, w))
    if region is None:
        return [Notes("SUMS", ("no window holds this cell: it has no influence",))]
    (r0, r1), (c0, c1) = region

    def place_sum(oh: int, ow: int) -> Part:
        i = h - win.height.seen(oh, oh)[0]
        j = w - win.width.seen(ow, ow)[0]
        name = f"place ({oh},{ow})"
        if i % win.dilation[0] or j % win.dilation[1]:
            return Term(f"{name}, not read", 0.0)  # it lies between two kernel cells
        i, j = i // win.dilation[0], j // win.dilation[1]
        parts = [
            Product(f"filter {f}", float(dz[sample, oh, ow, f]), float(W[i, j, c, f]))
            for f in range(group * filters, (group + 1) * filters)
        ]
        return grouped(name, parts, "filters", group * filters)

    tree = mapped("sum", r1 - r0 + 1, c1 - c0 + 1, lambda i, j: place_sum(r0 + i, c0 + j))
    heading = (
        f"dz * W over the places that read this cell, {extent('rows', r0, r1)} and "
        f"{extent('columns', c0, c1)}, and over the filters:"
    )
    return [Adds(heading, tree), *([Notes("BIGGEST", biggest(tree))] if tree.terms > MOST else [])]


def _dense_input(record: Record, place: Place, sample: int) -> list[Section]:
    dz, W = record.dz, record.params["W"]
    assert dz is not None
    row = W[int(np.ravel_multi_index(place, record.x.shape[1:]))]
    parts = [Product(f"unit {f}", float(dz[sample, f]), float(row[f])) for f in range(W.shape[1])]
    tree = grouped("sum", parts, "units")
    return [
        Adds(f"{len(parts):,} products dz * W, one a unit:", tree),
        *([Notes("BIGGEST", biggest(tree))] if tree.terms > MOST else []),
    ]


def _max_pool_input(record: Record, place: Place, sample: int) -> list[Section]:
    assert record.dy is not None
    dy = record.dy
    winners = window_winners(record, place, sample)
    if not winners:
        return [Notes("SUMS", ("no window holds this cell: it has no influence",))]

    def leaf(r: int, c: int) -> Part:
        winner = winners.get((r, c))
        if winner != place[:2]:
            outcome = "between" if winner is None else f"lost to {winner[0]},{winner[1]}"
            return Term(f"window ({r},{c}), {outcome}", 0.0)
        return Term(f"window ({r},{c}), won", float(dy[sample, r, c, place[2]]))

    if len(winners) <= MOST:
        tree = add("sum", [leaf(r, c) for r, c in winners])
    else:
        (r0, c0), (r1, c1) = min(winners), max(winners)
        tree = mapped("sum", r1 - r0 + 1, c1 - c0 + 1, lambda i, j: leaf(r0 + i, c0 + j))
    return [Adds("dy of the windows that this cell won:", tree)]


def _average_pool_input(record: Record, place: Place, sample: int) -> list[Section]:
    layer = record.layer
    assert isinstance(layer, AveragePool2D) and record.dy is not None
    dy = record.dy
    region = readers(layer, record.x.shape[1:], (place[0], place[1]))
    if region is None:
        return [Notes("SUMS", ("no window holds this cell: it has no influence",))]
    (r0, r1), (c0, c1) = region

    def leaf(i: int, j: int) -> Part:
        r, c = r0 + i, c0 + j
        count = average_count(layer, record.x.shape[1:], r, c)
        return Product(f"window ({r},{c}), 1/{count}", float(dy[sample, r, c, place[2]]), 1 / count)

    return [
        Adds(
            "dy / count of the windows that hold this cell:",
            mapped("sum", r1 - r0 + 1, c1 - c0 + 1, leaf),
        )
    ]


def _dropout_input(record: Record, place: Place, sample: int) -> list[Section]:
    layer = record.layer
    assert isinstance(layer, Dropout) and record.dy is not None
    dy = float(record.dy[(sample, *place)])
    if record.saved is None:
        return [Adds("dropout is off: dy passes", add("sum", [Term("dy", dy)]))]
    if not record.saved[(sample, *place)]:
        return [Adds("the mask dropped this cell: nothing passes", _stopped(dy))]
    words = f"the mask kept this cell: dy * 1 / (1 - {layer.rate:g})"
    return [Adds(words, add("sum", [Product("dy", dy, 1 / (1 - layer.rate))]))]


def _relu_input(record: Record, place: Place, sample: int) -> list[Section]:
    assert record.dy is not None
    y, dy = float(record.y[(sample, *place)]), float(record.dy[(sample, *place)])
    if y <= 0:
        return [Adds("y = 0: ReLU stopped it, so nothing passes", _stopped(dy))]
    return [Adds(f"y = {number(y)}: ReLU let it pass, so dy passes", add("sum", [Term("dy", dy)]))]


def _stopped(dy: float) -> Sum:
    """dy times 0, which is 0 even for what is not finite."""
    return add("sum", [Product("dy", dy, 0.0) if math.isfinite(dy) else Term("dy", 0.0)])


def _loss_terms(trace: Trace, place: Place, sample: int) -> list[Section]:
    """(p - onehot) / N, of a last softmax and its loss in one step."""
    assert trace.labels is not None
    z, N, k = trace.records[-1].z[sample].astype(np.float64), len(trace.y), place[-1]
    tree, _ = exponentials(z)
    p = [leaf.value / tree.value for leaf in leaves(tree.parts)]
    label = trace.labels[sample] == k
    over = "" if N == 1 else f" / {N}"
    if label and p[k] > _SURE:
        heading = f"softmax and loss are one step: (p - 1){over} is minus the others' p{over}:"
        rest = [Term(f"class {j}", -p[j] / N) for j in range(len(p)) if j != k]
        return [Adds(heading, grouped("sum", rest, "others"))]
    heading = "p - onehot" if N == 1 else f"(p - onehot) / {N}, for {N} images"
    parts = [Term(f"p{over}", p[k] / N), Term(f"-onehot{over}", -float(label) / N)]
    return [Adds(f"softmax and loss are one step: {heading}", add("sum", parts))]


def _softmax_terms(record: Record, place: Place, sample: int) -> list[Section]:
    """y * (dy - sum(dy * y))."""
    y = record.y[(sample, *place[:-1])].astype(np.float64)
    k = place[-1]
    assert record.dy is not None
    dy = record.dy[(sample, *place[:-1])].astype(np.float64)
    products = [Product(f"class {i}", float(dy[i]), float(y[i])) for i in range(len(y))]
    mean = grouped("sum", products, "classes")
    own = add("sum", [Product("y * dy", float(y[k]), float(dy[k])),
                      Product("y * -sum", float(y[k]), -mean.value)])  # fmt: skip
    return [
        Adds("sum(dy * y) over the classes:", mean),
        Adds("y * dy less y * that sum:", own),
    ]


def _lrn_input(record: Record, place: Place, sample: int) -> list[Section]:
    layer = record.layer
    assert isinstance(layer, LocalResponseNorm) and record.dy is not None
    row, column, channel = place
    size = layer.options["size"]
    x = float(record.x[(sample, *place)])
    C = record.x.shape[3]
    parts: list[Part] = []
    own = 0.0
    for other in range(max(channel - size // 2, 0), min(channel + size // 2 + 1, C)):
        _, s, (_, a, beta, _) = lrn_sum(record, (row, column, other), sample)
        dy = float(record.dy[sample, row, column, other])
        neighbour = float(record.x[sample, row, column, other])
        if other == channel:
            own = s**-beta
            parts.append(Product("dy * s^-beta", dy, own))
        shared = -2 * a * beta * dy * neighbour * s ** (-beta - 1) + 0.0  # not -0.0
        parts.append(Product(f"by s of channel {other}", shared, x))
    heading = (
        "dy * s^-beta, and by each s' that x is part of, -2 a beta dy' x' s'^(-beta-1) * x, "
        f"with a = {a:.7g} and beta = {beta:g}:"
    )
    return [Adds(heading, grouped("sum", parts, "terms"))]


def _flatten_input(record: Record, place: Place, sample: int) -> list[Section]:
    assert record.dy is not None
    unit = int(np.ravel_multi_index(place, record.x.shape[1:]))
    dy = float(record.dy[sample, unit])
    return [Adds(f"dy of unit {unit} passes", add("sum", [Term("dy", dy)]))]


_OPENERS: dict[type[Layer], Callable[[Record, Place, int], list[Section]]] = {
    Conv2D: _conv_input,
    Dense: _dense_input,
    MaxPool2D: _max_pool_input,
    AveragePool2D: _average_pool_input,
    ReLU: _relu_input,
    Softmax: _softmax_terms,
    Dropout: _dropout_input,
    LocalResponseNorm: _lrn_input,
    Flatten: _flatten_input,
}


def _activation_sections(trace: Trace, position: int, place: Place, sample: int) -> list[Section]:
    record = trace.records[position]
    if record.layer.activation == "softmax" and record.dy is None:
        return _loss_terms(trace, place, sample)
    opener = {"relu": _relu_input, "softmax": _softmax_terms}.get(record.layer.activation or "")
    if opener is not None:
        return opener(record, place, sample)
    assert record.dy is not None
    dy = float(record.dy[(sample, *place)])
    return [Adds("there is no activation: dz is dy", add("sum", [Term("dy", dy)]))]


# ------------------------------------------------------------------------------- agreement and zeros


def _agree(
    sections: Sequence[Section], engine: float, dtype: np.dtype[Any], extra: int = 0
) -> list[Section]:
    """The engine's sum against the last tree's, in float64."""
    trees = [section.tree for section in sections if isinstance(section, Adds)]
    if not trees:
        return []
    hidden = 0.0  # of a softmax: what cancels within the sum over the classes
    if len(trees) > 1 and isinstance(trees[1].parts[1], Product):
        hidden = abs(trees[1].parts[1].a) * sum(abs(leaf.value) for leaf in leaves(trees[0].parts))
    return [check_sum(trees[-1], engine, dtype, extra=extra, hidden=hidden)]


def _derivative(
    trace: Trace, position: int, found: Difference | None, engine: float, tensor: Array
) -> list[Section]:
    """The engine's gradient against a difference of the loss in float64, and the kinks on its way."""
    if found is None:
        words = (
            "a layer of your own does not compute in float64, so no difference of the loss is taken"
        )
        return [Notes("CHECK", (words,))]
    precision = tensor.dtype.name
    cancelled = _cancelled(trace, position)
    if not math.isfinite(cancelled * found.value):
        words = "the loss is no number, or a softmax's dy is the same for all classes"
        return [Notes("CHECK", (f"{words}: a difference of the loss tells nothing here",))]
    sections: list[Section] = []
    if found.crossed or found.others:
        sections.append(Notes("KINK", tuple(_kinks(found))))
    largest = float(np.abs(tensor).max())
    agreement = _AGREEMENT if tensor.dtype == np.float32 else _AGREEMENT_64
    bound = agreement * cancelled * largest + found.rounding
    lost = f" * {number(cancelled)} for digits lost in a softmax" if cancelled > 1 else ""
    why = (
        f"{agreement:g} * the tensor's largest, {number(largest)}, for {precision} activations"
        f"{lost}, + {found.rounding:.1e} for float64's rounding of the loss"
    )
    against = f"(L(+h) - L(-h)) / 2h, h = {found.h:g}:"
    return [*sections, Check(against, engine, found.value, bound, why)]


def _cancelled(trace: Trace, position: int) -> float:
    """By how much a softmax's gradient y * (dy - sum(dy * y)) is smaller than what it is made of.

    Where dy is nearly the same for all classes, digits are lost, and all gradients below with them.
    """
    lost = 1.0
    for record in trace.records[position:]:
        if record.layer.activation != "softmax" or record.dy is None or record.dz is None:
            continue
        y, dy = record.y, np.abs(record.dy)
        size = float((y * (dy + (dy * y).sum(axis=-1, keepdims=True))).max(initial=0.0))
        largest = float(np.abs(record.dz).max(initial=0.0))
        lost *= max(1.0, size / largest if largest else math.inf if size else 1.0)
    return lost if lost > 2 else 1.0  # less is not worth a word


def _kinks(found: Difference) -> Iterator[str]:
    held = "held on the side that the pass took"
    if found.others:
        who = "1 ReLU or pool window stands" if found.others == 1 else _many(found.others, "stand")
        yield (
            f"{who} so near a kink, where the slope jumps, that float64 falls on the other side: {held}"
        )
    if found.crossed:
        crossed = found.crossed
        who = "1 ReLU or pool window changes" if crossed == 1 else _many(crossed, "change")
        yield (
            f"{who} sides within h = {found.h:g}: the slope to the left is not that to the right; "
            f"{held}"
        )


def _many(count: int, verb: str) -> str:
    return f"{count:,} ReLUs or pool windows {verb}"


def _cancel(sections: Sequence[Section]) -> tuple[str, ...]:
    """Whether a gradient of zero has terms that are not."""
    trees = [section.tree for section in sections if isinstance(section, Adds)]
    some = trees and any(leaf.value != 0 for leaf in leaves(trees[-1].parts))
    return ("its terms cancel",) if some else ()


def _why_no_term(trace: Trace, position: int, index: Place) -> tuple[str, ...]:
    """Why a parameter's gradient is zero: what became of its terms."""
    record = trace.records[position]
    if not isinstance(record.layer, Conv2D | Dense):
        return ("a layer of your own: its terms cannot be opened from outside",)
    y, dz = record.y[..., index[-1]], record.dz
    assert dz is not None
    sent = dz[..., index[-1]] != 0
    what = "filter" if isinstance(record.layer, Conv2D) else "unit"
    places = "at every place" if isinstance(record.layer, Conv2D) else "for every image"
    if record.layer.activation == "relu" and (y <= 0).all():
        return (f"{what} {index[-1]} died at {record.name}'s ReLU {places}",)
    if not sent.any():
        stopped = int((y <= 0).sum()) if record.layer.activation == "relu" else 0
        lines = [f"no gradient reaches {what} {index[-1]}: dz is 0 at all {sent.size:,} places"]
        reader = trace.records[position + 1] if position + 1 < len(trace.records) else None
        if stopped:
            lines.append(f"{stopped:,} of them died at {record.name}'s ReLU")
        if reader is not None and isinstance(reader.layer, MaxPool2D):
            lost = int((~_winning_cells(reader)[..., index[-1]]).sum())
            lines.append(f"{lost:,} of them lost every window of {reader.name}")
        if reader is not None and isinstance(reader.layer, Dropout) and reader.saved is not None:
            dropped = int((~reader.saved[..., index[-1]]).sum())
            lines.append(f"{dropped:,} of them were dropped by {reader.name}")
        return tuple(lines)
    return (f"at the {int(sent.sum()):,} places where dz is not 0, what the weight met is 0",)


def _why_zero_before(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    """Why the gradient before a layer's activation is zero."""
    record = trace.records[position]
    if record.layer.activation == "relu" and record.y[(sample, *place)] <= 0:
        z = number(float(record.z[(sample, *place)]))
        return (f"it died at {record.name}'s ReLU: z = {z}",)
    if record.layer.activation == "softmax":
        return (f"{record.name}'s softmax is saturated: p is exactly 0 or 1",)
    return _why_nothing_comes(trace, position, place, sample)


def _why_nothing_comes(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    """Why nothing comes back to a cell of a layer's output."""
    if position + 1 == len(trace.records):
        return ("the dy that backward was given is 0 there",)
    return _why_zero(trace, position + 1, place, sample)


def _why_zero(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    """Why the gradient at a cell of a layer's input is zero, followed up to where it got lost."""
    record = trace.records[position]
    layer = record.layer
    if isinstance(layer, Conv2D | AveragePool2D | MaxPool2D):
        region = readers(layer, record.x.shape[1:], (place[0], place[1]))
        if region is None:
            return (f"no window of {record.name} reaches it",)
    if isinstance(layer, MaxPool2D):
        return _why_zero_pool(trace, position, place, sample)
    if isinstance(layer, Dropout):
        if record.saved is not None and not record.saved[(sample, *place)]:
            return (f"{record.name} dropped it",)
        return _why_nothing_comes(trace, position, place, sample)
    if isinstance(layer, ReLU | Softmax):
        return _why_zero_before(trace, position, place, sample)
    if isinstance(layer, Flatten):
        unit = int(np.ravel_multi_index(place, record.x.shape[1:]))
        return _why_nothing_comes(trace, position, (unit,), sample)
    return (_why_zero_terms(record, place, sample),)


def _why_zero_pool(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    record = trace.records[position]
    winners = window_winners(record, place, sample)
    won = [window for window, winner in winners.items() if winner == place[:2]]
    if not won:
        lost = ", ".join(f"({r},{c}) to {w[0]},{w[1]}" for (r, c), w in winners.items())
        return (f"it lost {record.name}'s window{'s' * (len(winners) > 1)} {lost}",)
    names = ", ".join(f"({r},{c})" for r, c in won)
    first = f"{record.name}'s window{'s' * (len(won) > 1)} {names}, which it won, got nothing"
    if len(won) > 1:
        return (first,)
    return (f"{first}:", *_why_nothing_comes(trace, position, (*won[0], place[2]), sample))


def _why_zero_terms(record: Record, place: Place, sample: int) -> str:
    """Why a sum over many readers is zero."""
    layer, sent, what = record.layer, record.dy, "dy"
    if isinstance(layer, Conv2D | Dense):
        sent, what = record.dz, "dz"
    if sent is None or not isinstance(layer, Conv2D | Dense | AveragePool2D | LocalResponseNorm):
        return f"{record.name} is a layer of your own: its terms cannot be opened from outside"
    here: Any = sample
    if isinstance(layer, LocalResponseNorm):
        reach = layer.options["size"] // 2
        here = (sample, *place[:2], slice(max(place[2] - reach, 0), place[2] + reach + 1))
    elif not isinstance(layer, Dense):
        region = readers(layer, record.x.shape[1:], (place[0], place[1]))
        assert region is not None
        rows, columns = (slice(first, last + 1) for first, last in region)
        channels = slice(None)
        if isinstance(layer, Conv2D):
            group = place[2] // record.params["W"].shape[2]
            filters = layer.filters // layer.groups
            channels = slice(group * filters, (group + 1) * filters)
        elif isinstance(layer, AveragePool2D):
            channels = slice(place[2], place[2] + 1)
        here = (sample, rows, columns, channels)
    cells = sent[here]
    if cells.any():
        return f"no term is left: where {what} is not 0, what it meets in {record.name} is 0"
    words = f"all {cells.size:,} {what} of {record.name} that it feeds are 0"
    if layer.activation == "relu":
        words += f"; {int((record.y[here] <= 0).sum()):,} of them died at its ReLU"
    return words
