"""An input's gradient, opened: every reader of the cell and what it sent back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tinycnn.explain.explanation import Adds, Notes, Section
from tinycnn.explain.field import readers
from tinycnn.explain.function_cells import exp_roundings, exponentials, lrn_sum, power
from tinycnn.explain.places import Place, channel_name, window_winners
from tinycnn.explain.sum_cells import average_count, biggest
from tinycnn.explain.sums import (
    MOST,
    Part,
    Product,
    Sum,
    Term,
    add,
    extent,
    grouped,
    leaves,
    mapped,
    number,
)
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
from tinycnn.layers.activation import RELU, SOFTMAX, Activation
from tinycnn.passes import Record
from tinycnn.trace import Trace
from tinycnn.wording import many

_POWER = 32  # roundings of a power and what is done with it


_SURE = 0.5  # from this p of the label on, p - 1 is added up from the other classes


def input_sections(trace: Trace, position: int, place: Place, sample: int) -> Sequence[Section]:
    """The terms of dL/dx at a place, whatever the kind of layer."""
    record = trace.records[position]
    if isinstance(record.layer, Softmax) and record.dy is None:
        return _loss_terms(trace, place, sample)
    opener = next((o for kind, o in _OPENERS.items() if isinstance(record.layer, kind)), None)
    if opener is None:
        words = f"{record.name} is a layer of your own: its terms cannot be opened from outside"
        return [Notes("HOW", (words,))]
    return opener(record, place, sample)


def extra(record: Record, sample: int) -> int:
    """Roundings of a term of an input's gradient that are not those of a sum of products."""
    if isinstance(record.layer, LocalResponseNorm):
        return _POWER
    if isinstance(record.layer, Dropout | AveragePool2D):
        return 2  # of the factor, and of its product
    return softmax_extra(record, sample) if isinstance(record.layer, Softmax) else 0


def softmax_extra(record: Record, sample: int) -> int:
    """Roundings of a term before a softmax: those of p, or of a sum over the classes."""
    if record.layer.activation is not SOFTMAX:
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
        Adds(f"{many(len(parts), 'product')} dz * W, one a unit:", tree),
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
        already = "; dy is 0 already" if dy == 0 else ""
        return [Adds(f"the mask dropped this cell: nothing passes{already}", _stopped(dy))]
    words = f"the mask kept this cell: dy * 1 / (1 - {layer.rate:g})"
    return [Adds(words, add("sum", [Product("dy", dy, 1 / (1 - layer.rate))]))]


def _relu_input(record: Record, place: Place, sample: int) -> list[Section]:
    assert record.dy is not None
    y, dy = float(record.y[(sample, *place)]), float(record.dy[(sample, *place)])
    if y <= 0:
        already = "; dy is 0 already" if dy == 0 else ""
        return [Adds(f"y = 0: ReLU stopped it, so nothing passes{already}", _stopped(dy))]
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
            own = power(s, -beta)
            parts.append(Product("dy * s^-beta", dy, own))
        shared = -2 * a * beta * dy * neighbour * power(s, -beta - 1) + 0.0  # not -0.0
        parts.append(Product(f"by s of {channel_name(record, other)}", shared, x))
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


def activation_sections(trace: Trace, position: int, place: Place, sample: int) -> list[Section]:
    """The terms of dL/dz at a place: what passes the activation."""
    record = trace.records[position]
    if record.layer.activation is SOFTMAX and record.dy is None:
        return _loss_terms(trace, place, sample)
    openers: dict[Activation, Callable[[Record, Place, int], list[Section]]]
    openers = {RELU: _relu_input, SOFTMAX: _softmax_terms}
    opener = openers.get(record.layer.activation)
    if opener is not None:
        return opener(record, place, sample)
    assert record.dy is not None
    dy = float(record.dy[(sample, *place)])
    return [Adds("there is no activation: dz is dy", add("sum", [Term("dy", dy)]))]
