"""Gradients of a backward pass, opened: every term, where it came from, and what a step would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    grouped,
    leaves,
    mapped,
    number,
)
from tinycnn.trace import Record, Trace

_AGREEMENT = 2e-4  # of the tensor's largest gradient: float32 activations against float64's
_LOSS_ROUNDING = 4e-15  # relative, of a loss worked out in float64


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
        sections.append(Notes("WHY 0", _why_no_term(trace, position, parameter, index)))
    found = difference(trace, Change(position, parameter, index), -rate * engine)
    sections.append(_derivative(trace, found, engine, gradients))
    value = float(record.params[parameter][index])
    sections.append(
        Step("STEP", f"{number(value)} - {rate:g} * {number(engine)}", value - rate * engine)
    )
    expected = (
        f"the step changes the loss by about -{rate:g} * g^2 = {number(-rate * engine**2)}",
        f"measured in float64: {number(found.moved)}",
    )
    sections.append(Notes("EXPECT", expected))
    return Explanation(subject, engine, index, picture_of(trace, 0), tuple(sections))


def open_input(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain dL/dx at a cell of layer ``position``'s input."""
    record = _after_backward(trace, position)
    assert record.dx is not None
    engine = float(record.dx[(sample, *place)])
    sections = list(_input_sections(trace, position, place, sample))
    sections += _agree(sections, engine, record.dx.dtype)
    if engine == 0:
        sections.append(Notes("WHY 0", _why_zero(trace, position, place, sample)))
    found = difference(trace, Change(position, None, (sample, *place)), 0.0)
    sections.append(_derivative(trace, found, engine, record.dx))
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
    note = Notes("FROM", ("you: it is the dy that backward was given",))
    return Explanation(subject, value, place, picture_of(trace, sample), (note,))


def open_logits(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain dL/dz, the gradient before layer ``position``'s activation."""
    record = _after_backward(trace, position)
    dz = record.dz
    assert dz is not None
    engine = float(dz[(sample, *place)])
    subject = f"dL/dz of {record.name}, {words_of(record.layer, place)}"
    sections: list[Section] = list(_activation_sections(trace, position, place, sample))
    if engine == 0:
        sections.append(Notes("WHY 0", _why_zero(trace, position, place, sample, output=True)))
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
    names = ("row", "column", "channel") if len(place) == 3 else ("cell",) * len(place)
    return ", ".join(f"{name} {at}" for name, at in zip(names, place, strict=True))


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
            f"x[{_affine('i', win.stride[0], i * win.dilation[0] - win.corner[0])}, "
            f"{_affine('j', win.stride[1], j * win.dilation[1] - win.corner[1])}, {channel}]:"
        )

    def image(n: int) -> Sum:
        def leaf(oh: int, ow: int) -> Part:
            place = f"place ({oh},{ow})"
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
        sections.append(Notes("BIGGEST", (*biggest(tree), *_origin(trace, position, tree, f))))
    if len(dz) == 1:
        sections.append(_biggest_place(trace, position, tree))
    return sections


def _biggest_place(trace: Trace, position: int, tree: Sum) -> Sees:
    """Where in the picture the biggest term's window lies."""
    oh, ow = _coordinates(_top(tree))
    rows, columns = receptive_field(trace.model, position, ((oh, oh), (ow, ow)))
    words = f"rows {rows[0]}..{rows[1]}, columns {columns[0]}..{columns[1]}"
    return Sees((f"the biggest term's place ({oh},{ow}) in the picture: {words}",), (rows, columns))


def _top(tree: Sum) -> Product | Term:
    return max(leaves(tree.parts), key=lambda leaf: abs(leaf.value))


def _coordinates(leaf: Product | Term) -> tuple[int, int]:
    """The (row, column) that a leaf's place "place (3,4)" names."""
    row, column = leaf.place.removeprefix("place (").rstrip(")").split(",")
    return int(row), int(column)


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
        alive &= y > 0
        stages.append(f"{int(alive.sum()):,} pass ReLU")
    terms = sum(leaf.value != 0 for leaf in leaves(tree.parts))
    stages.append(f"{terms:,} terms are not zero")
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
    top = max(leaves(tree.parts), key=lambda leaf: abs(leaf.value))
    if (
        reader is None
        or not isinstance(reader.layer, MaxPool2D)
        or top.value == 0
        or len(reader.x) > 1
    ):
        return ()
    assert reader.dy is not None
    oh, ow = _coordinates(top)
    windows = window_winners(reader, (oh, ow, f), 0)
    sent = [float(reader.dy[0, r, c, f]) for (r, c), cell in windows.items() if cell == (oh, ow)]
    added = " + ".join(number(value) for value in sent)
    return (
        f"the first one's dz = {added}: {len(sent)} window{'s' * (len(sent) > 1)} of {reader.name} won",
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
    opener = next((o for kind, o in _OPENERS.items() if isinstance(record.layer, kind)), None)
    if opener is None:
        words = f"{record.name} is a layer of your own: its terms cannot be opened from outside"
        return [Notes("HOW", (words,))]
    return opener(record, place, sample)


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
            return Term(f"{name}, between two kernel cells", 0.0)
        i, j = i // win.dilation[0], j // win.dilation[1]
        parts = [
            Product(f"filter {f}", float(dz[sample, oh, ow, f]), float(W[i, j, c, f]))
            for f in range(group * filters, (group + 1) * filters)
        ]
        return grouped(name, parts, "filters", group * filters)

    tree = mapped("sum", r1 - r0 + 1, c1 - c0 + 1, lambda i, j: place_sum(r0 + i, c0 + j))
    heading = f"dz * W over the places ({r0}..{r1}, {c0}..{c1}) that read this cell, and filters:"
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
    parts: list[Part] = []
    for (r, c), winner in window_winners(record, place, sample).items():
        won = winner == place[:2]
        outcome = "won" if won else f"lost to {winner[0]},{winner[1]}"
        sent = float(record.dy[sample, r, c, place[2]]) if won else 0.0
        parts.append(Term(f"window ({r},{c}), {outcome}", sent))
    if not parts:
        return [Notes("SUMS", ("no window holds this cell: it has no influence",))]
    return [Adds("dy of the windows that this cell won:", grouped("sum", parts, "windows"))]


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
    kept = bool(record.saved[(sample, *place)])
    scale = 1 / (1 - layer.rate) if kept else 0.0
    words = f"the mask {'kept' if kept else 'dropped'} this cell: dy * {number(scale)}"
    return [Adds(words, add("sum", [Product("dy", dy, scale)]))]


def _relu_input(record: Record, place: Place, sample: int) -> list[Section]:
    assert record.dy is not None
    y, dy = float(record.y[(sample, *place)]), float(record.dy[(sample, *place)])
    words = (
        f"y = {number(y)}: ReLU {'passed, so dy passes' if y > 0 else 'was 0, so nothing passes'}"
    )
    return [Adds(words, add("sum", [Product("dy", dy, float(y > 0))]))]


def _softmax_terms(record: Record, place: Place, sample: int) -> list[Section]:
    """y * (dy - sum(dy * y)), or with the loss p - onehot."""
    y = record.y[(sample, *place[:-1])].astype(np.float64)
    k = place[-1]
    if record.dy is None:
        dz = record.dz
        assert dz is not None
        N, p = len(record.y), float(y[k])
        target = round(p - float(dz[(sample, *place)]) * N)
        return [
            Adds(
                f"softmax and loss are one step: (p - onehot) / {N}",
                add("sum", [Term("p / N", p / N), Term("onehot / N", -target / N)]),
            )
        ]
    dy = record.dy[(sample, *place[:-1])].astype(np.float64)
    products = [Product(f"class {i}", float(dy[i]), float(y[i])) for i in range(len(y))]
    mean = grouped("sum", products, "classes")
    own = add("sum", [Product("own path, y * dy", float(y[k]), float(dy[k])),
                      Product("shared, y * -sum", float(y[k]), -mean.value)])  # fmt: skip
    return [
        Adds("sum(dy * y) over the classes:", mean),
        Adds("y * dy - y * that sum:", own),
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
            parts.append(Product("own path, dy * s^-beta", dy, own))
        shared = -2 * a * beta * dy * neighbour * s ** (-beta - 1)
        parts.append(Product(f"through the s of channel {other}", shared, x))
    heading = "dy * s^-beta, less 2 a beta dy' x' s'^(-beta-1) * x for each neighbour:"
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
    opener = {"relu": _relu_input, "softmax": _softmax_terms}.get(record.layer.activation or "")
    if opener is None:
        return [Notes("FROM", ("there is no activation: dz is dy",))]
    return opener(record, place, sample)


# ------------------------------------------------------------------------------- agreement and zeros


def _agree(sections: Sequence[Section], engine: float, dtype: np.dtype[Any]) -> list[Section]:
    """The engine's sum against the last tree's, in float64."""
    trees = [section.tree for section in sections if isinstance(section, Adds)]
    return [check_sum(trees[-1], engine, dtype)] if trees else []


def _derivative(trace: Trace, found: Difference, engine: float, tensor: Array) -> Section:
    """The engine's gradient against a difference of the loss, or why there is none."""
    if found.flips:
        kinks = f"{found.flips} ReLUs or pool windows change sides within h = {found.h:g}"
        return Notes("KINK", (f"{kinks}: a difference of the loss is no derivative here",))
    largest = float(np.abs(tensor).max())
    loss = max(1.0, abs(trace.loss or 1.0))
    bound = _AGREEMENT * largest + _LOSS_ROUNDING * loss / found.h
    why = f"activations in float32: {_AGREEMENT:g} * the tensor's largest, {number(largest)}"
    return Check(f"(L(+h) - L(-h)) / 2h, h = {found.h:g}:", engine, found.value, bound, why)


def _why_no_term(trace: Trace, position: int, parameter: str, index: Place) -> tuple[str, ...]:
    record = trace.records[position]
    f = index[-1]
    y, dz = record.y[..., f], record.dz
    assert dz is not None
    if record.layer.activation == "relu" and not (y > 0).any():
        return (f"{record.name}'s ReLU stopped filter {f} at every place",)
    if not dz[..., f].any():
        return (f"no gradient reaches filter {f}: every place lost its windows or its ReLU",)
    if parameter == "b":
        return ("its terms cancel exactly",)
    return ("wherever dz is not 0, what the weight met is 0",)


def _why_zero(
    trace: Trace, position: int, place: Place, sample: int, *, output: bool = False
) -> tuple[str, ...]:
    """Why the gradient at a cell of a layer's input (or before its activation) is zero."""
    record = trace.records[position]
    layer = record.layer
    if output or isinstance(layer, ReLU):
        if layer.activation == "relu" and not record.y[(sample, *place)] > 0:
            return (
                f"it died at {record.name}'s ReLU: z = {number(float(record.z[(sample, *place)]))}",
            )
        if position + 1 < len(trace.records) and output:
            return _why_zero(trace, position + 1, place, sample)
    if isinstance(layer, MaxPool2D):
        winners = window_winners(record, place, sample)
        lost = [f"({r},{c}) to {w[0]},{w[1]}" for (r, c), w in winners.items() if w != place[:2]]
        if len(lost) == len(winners):
            return (
                (f"it lost {record.name}'s windows " + ", ".join(lost),)
                if lost
                else (f"no window of {record.name} reaches it",)
            )
        return (f"the windows of {record.name} that it won received a gradient of zero",)
    if (
        isinstance(layer, Dropout)
        and record.saved is not None
        and not record.saved[(sample, *place)]
    ):
        return (f"{record.name} dropped it",)
    return (f"every term is zero: nothing reaches {record.name} there",)
