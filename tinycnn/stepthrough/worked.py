"""The ops worked out cell by cell in plain Python, as a reader with a pencil would.

`work_out` takes an op's name, what went in and what the engine gave, and gives for each result the
arithmetic of its cells. It shares nothing with the ops but the output sizes, so that the two agree
only if both are right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinycnn import shapes
from tinycnn.stepthrough.arithmetic import (
    Index,
    Pair,
    Value,
    Worked,
    factor,
    nothing,
    plain,
    products,
    text,
)

Cells = tuple[Worked, ...]
Arguments = Mapping[str, Any]
_Work = Callable[[Sequence[Value], Sequence[Value], Arguments], tuple[Cells, ...]]
_GEOMETRY = ("stride", "padding", "dilation", "ceil_mode")


def work_out(
    op: str, takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments
) -> tuple[Cells, ...]:
    """The cells of each result, row by row; none for a result that is drawn by lot, a mask."""
    return _OPS[op](takes, gives, arguments)


def rules(op: str, takes: Sequence[Value], gives: Sequence[Value]) -> tuple[str, ...]:
    """What is done for each result, in words."""
    names = {"takes": [value.name for value in takes], "gives": [value.name for value in gives]}
    bias = f", plus {takes[2].name}" if op in ("conv2d", "dense") and len(takes) > 2 else ""
    return tuple(rule.format(**names) + bias for rule in _RULES[op])


def window_of(op: str, takes: Sequence[Value], arguments: Arguments) -> shapes.Window | None:
    """The window that slides over the first operand, for ops that have one."""
    if op not in ("conv2d", "max_pool2d", "im2col"):
        return None
    kernel = arguments.get("kernel") or takes[1].array.shape[:2]
    return _window(takes[0].array.shape, kernel, arguments, pool=op == "max_pool2d")


def _window(
    image: Sequence[int], kernel: Any, arguments: Arguments, *, pool: bool = False
) -> shapes.Window:
    given = {name: arguments[name] for name in _GEOMETRY if name in arguments}
    make = shapes.pool_window if pool else shapes.window
    return make(image[1:3], kernel, **given)


def _reads(win: shapes.Window) -> Iterator[tuple[Index, Index, Index | None]]:
    """Output cell, kernel cell, and the input cell read there; None in the padding."""
    for i, j, p, q in np.ndindex(*win.output, *win.kernel):
        row = i * win.stride[0] + p * win.dilation[0] - win.corner[0]
        column = j * win.stride[1] + q * win.dilation[1] - win.corner[1]
        inside = 0 <= row < win.height.input and 0 <= column < win.width.input
        yield (i, j), (p, q), (row, column) if inside else None


# ------------------------------------------------------------------------------------ convolution


def _uses(
    image: Sequence[int], weights: Sequence[int], arguments: Arguments
) -> Iterator[tuple[Index, Index, Index | None]]:
    """Each product of a convolution: the cells of its output, its weights and its input."""
    N, channels, filters = image[0], weights[2], weights[3]
    per_group = filters // arguments.get("groups", 1)
    win = _window(image, weights[:2], arguments)
    for n in range(N):
        for (i, j), (p, q), read in _reads(win):
            for f, c in np.ndindex(filters, channels):
                channel = f // per_group * channels + c
                yield (n, i, j, f), (p, q, c, f), None if read is None else (n, *read, channel)


def _conv2d(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    x, W = takes[0].array, takes[1].array
    bias = takes[2].flat if len(takes) > 2 else None
    terms: dict[Index, list[Pair]] = {}
    for out, weight, read in _uses(x.shape, W.shape, arguments):
        terms.setdefault(out, []).append((0.0 if read is None else float(x[read]), float(W[weight])))
    return (_sums(terms, gives[0], bias),)


def _conv2d_backward(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    dy, x, W = (value.array for value in takes)
    into: list[dict[Index, list[Pair]]] = [{}, {}]
    for out, weight, read in _uses(x.shape, W.shape, arguments):
        sent = float(dy[out])
        pixel = 0.0 if read is None else float(x[read])
        into[1].setdefault(weight, []).append((sent, pixel))
        if read is not None:
            into[0].setdefault(read, []).append((sent, float(W[weight])))
    dx, dW = (_gradients(terms, give) for terms, give in zip(into, gives[:2], strict=True))
    return dx, dW, _bias_gradient(takes[0])


def _sums(terms: Mapping[Index, list[Pair]], give: Value, bias: Sequence[float] | None) -> Cells:
    return tuple(
        products(terms[place], None if bias is None else bias[place[-1]])
        for place in np.ndindex(give.array.shape)
    )


def _gradients(terms: Mapping[Index, list[Pair]], give: Value) -> Cells:
    """Sums of upstream gradients times factors; terms whose gradient is 0 are left out."""
    return tuple(_gradient(terms.get(place, [])) for place in np.ndindex(give.array.shape))


def _gradient(pairs: Sequence[Pair]) -> Worked:
    kept = [pair for pair in pairs if pair[0]]
    if kept:
        return products(kept)
    return nothing("only gradients of 0 reach it" if pairs else "lies in no window")


def _bias_gradient(dy: Value) -> Cells:
    rows = dy.array.reshape(-1, dy.array.shape[-1])
    columns = [[float(number) for number in column if number] for column in rows.T]
    return tuple(
        plain(column) if column else nothing("only gradients of 0 reach it") for column in columns
    )


# ------------------------------------------------------------------------------- dense and im2col


def _dense(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    rows, W = takes[0].array.reshape(len(takes[0].array), -1), takes[1].array
    bias = takes[2].flat if len(takes) > 2 else None
    terms = {
        (n, f): [(float(a), float(b)) for a, b in zip(rows[n], W[:, f], strict=True)]
        for n, f in np.ndindex(len(rows), W.shape[1])
    }
    return (_sums(terms, gives[0], bias),)


def _dense_backward(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    dy, x, W = (value.array for value in takes)
    into: list[dict[Index, list[Pair]]] = [{}, {}]
    for n, f, d in np.ndindex(*dy.shape, len(W)):
        sent = float(dy[n, f])
        into[0].setdefault((n, d), []).append((sent, float(W[d, f])))
        into[1].setdefault((d, f), []).append((sent, float(x[n, d])))
    dx, dW = (_gradients(terms, give) for terms, give in zip(into, gives[:2], strict=True))
    return dx, dW, _bias_gradient(takes[0])


def _rows(image: Sequence[int], win: shapes.Window) -> Iterator[tuple[Index, Index | None]]:
    """im2col's cells: place in the matrix, and the cell of the image that it is a copy of."""
    N, C = image[0], image[3]
    for n in range(N):
        for (i, j), (p, q), read in _reads(win):
            row = (n * win.output[0] + i) * win.output[1] + j
            for c in range(C):
                column = (p * win.kernel[1] + q) * C + c
                yield (row, column), None if read is None else (n, *read, c)


def _im2col(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    x = takes[0]
    copies: dict[Index, Worked] = {}
    for place, read in _rows(x.array.shape, _window(x.array.shape, arguments["kernel"], arguments)):
        value = 0.0 if read is None else float(x.array[read])
        copies[place] = Worked(text(value), value, source="0" if read is None else x.cell(read))
    return (tuple(copies[place] for place in np.ndindex(gives[0].array.shape)),)


def _col2im(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    cols, image = takes[0], arguments["x_shape"]
    into: dict[Index, list[tuple[float, str]]] = {}
    for place, read in _rows(image, _window(image, arguments["kernel"], arguments)):
        if read is not None:
            into.setdefault(read, []).append((float(cols.array[place]), cols.cell(place)))
    return (tuple(_collected(into.get(place)) for place in np.ndindex(*image)),)


def _collected(sent: Sequence[tuple[float, str]] | None) -> Worked:
    """Copies added back; those of 0 are left out."""
    kept = [(value, name) for value, name in sent or () if value]
    if kept:
        return plain([value for value, _ in kept], "from " + ", ".join(name for _, name in kept))
    return nothing("only gradients of 0 reach it" if sent else "lies in no window")


# ------------------------------------------------------------------------------ pool, ReLU, dropout


def _contests(
    image: Sequence[int], arguments: Arguments
) -> Iterator[tuple[Index, list[tuple[Index, Index]]]]:
    """Each output cell of a pool, with the cells that compete for it: (kernel cell, input cell)."""
    win = _window(image, arguments["kernel"], arguments, pool=True)
    rivals: dict[Index, list[tuple[Index, Index]]] = {}
    for out, kernel, read in _reads(win):
        rivals.setdefault(out, []).extend([] if read is None else [(kernel, read)])
    for n, c in np.ndindex(image[0], image[3]):
        for (i, j), cells in rivals.items():
            yield (n, i, j, c), [(kernel, (n, *read, c)) for kernel, read in cells]


def _max_pool2d(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    x = takes[0]
    width = _window(x.array.shape, arguments["kernel"], arguments, pool=True).kernel[1]
    highest: dict[Index, Worked] = {}
    winners: dict[Index, Worked] = {}
    for out, cells in _contests(x.array.shape, arguments):
        numbers = [float(x.array[read]) for _, read in cells]
        (p, q), read = cells[numbers.index(max(numbers))]
        tie = f", the first of {numbers.count(max(numbers))}" * (numbers.count(max(numbers)) > 1)
        note = f"{x.cell(read)} wins{tie}"
        highest[out] = Worked(f"max({', '.join(map(text, numbers))})", max(numbers), note)
        winners[out] = Worked(f"{p}*{width} + {q}", p * width + q, f"row {p}, column {q} of its window")
    places = list(np.ndindex(gives[0].array.shape))
    return tuple(highest[place] for place in places), tuple(winners[place] for place in places)


def _max_pool2d_backward(
    takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments
) -> Any:
    dy, winner = takes
    image = arguments["x_shape"]
    width = _window(image, arguments["kernel"], arguments, pool=True).kernel[1]
    into: dict[Index, list[tuple[float, str]]] = {}
    for out, cells in _contests(image, arguments):
        reads = {p * width + q: read for (p, q), read in cells}
        won = reads[int(winner.array[out])]
        into.setdefault(won, []).append((float(dy.array[out]), dy.cell(out)))
    return (tuple(_won(into.get(place, [])) for place in np.ndindex(*image)),)


def _won(sent: Sequence[tuple[float, str]]) -> Worked:
    if not sent:
        return nothing("wins no window")
    return plain([value for value, _ in sent], "from " + ", ".join(name for _, name in sent))


def _relu(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    return (tuple(Worked(f"max(0, {text(z)})", max(0.0, z)) for z in takes[0].flat),)


def _relu_backward(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    dy, y = takes
    cells = []
    for place, (sent, passed) in enumerate(zip(dy.flat, y.flat, strict=True)):
        if passed > 0:
            cells.append(Worked(text(sent), sent, f"passes: {y.cell(place)} > 0"))
        else:
            cells.append(nothing(f"stopped, for there {y.name} is 0"))
    return (tuple(cells),)


def _dropout(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    return _masked(takes[0], gives[1], arguments["rate"]), ()


def _dropout_backward(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    return (_masked(takes[0], takes[1], arguments["rate"]),)


def _masked(x: Value, mask: Value, rate: float) -> Cells:
    return tuple(
        Worked(f"{factor(a)}*{int(kept)}/(1 - {text(rate)})", a * kept / (1 - rate))
        for a, kept in zip(x.flat, mask.flat, strict=True)
    )


# ------------------------------------------------------------------- softmax, cross-entropy and LRN


def _exponentials(z: Value) -> list[tuple[str, float]]:
    """exp of each logit; of ln(5) it is 5."""
    if all(exact.startswith("ln(") for exact in z.exact) and z.exact:
        return [(exact[3:-1], float(exact[3:-1])) for exact in z.exact]
    return [(f"exp({text(number)})", math.exp(number)) for number in z.flat]


def _softmax(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    e = _exponentials(takes[0])
    below, total = " + ".join(name for name, _ in e), math.fsum(number for _, number in e)
    return (tuple(Worked(f"{name}/({below})", number / total) for name, number in e),)


def _cross_entropy(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    """For one image: the mean over a batch of one is the loss itself."""
    e, label = _exponentials(takes[0]), int(takes[1].flat[0])
    below, total = " + ".join(name for name, _ in e), math.fsum(number for _, number in e)
    loss = Worked(f"ln({below}) - ln({e[label][0]})", math.log(total) - math.log(e[label][1]))
    gradient = tuple(
        Worked(f"{name}/({below}) - {int(k == label)}", number / total - (k == label))
        for k, (name, number) in enumerate(e)
    )
    return (loss,), gradient


def _softmax_backward(takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments) -> Any:
    dp, p = takes[0].flat, takes[1].flat
    mean = products(list(zip(dp, p, strict=True)))
    return (
        tuple(
            Worked(f"{text(b)}*({text(a)} - ({mean.arithmetic}))", b * (a - mean.value))
            for a, b in zip(dp, p, strict=True)
        ),
    )


def _energies(x: Value, arguments: Arguments) -> list[tuple[str, float]]:
    """LRN's sums s of the channels of one place."""
    near, size = arguments["size"] // 2, arguments["size"]
    sums = []
    for c in range(len(x.flat)):
        numbers = x.flat[max(c - near, 0) : c + near + 1]
        squares = " + ".join(f"{factor(number)}^2" for number in numbers)
        alpha, k = arguments["alpha"], arguments["k"]
        over = size if arguments.get("alpha_over_size") else 1
        share = f"{text(alpha)}/{size}" if over > 1 else text(alpha)
        value = k + alpha / over * math.fsum(number**2 for number in numbers)
        sums.append((f"{text(k)} + {share}*({squares})", value))
    return sums


def _local_response_norm(
    takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments
) -> Any:
    beta = arguments["beta"]
    return (
        tuple(
            Worked(f"{factor(a)}/({name})^{text(beta)}", a / s**beta)
            for a, (name, s) in zip(takes[0].flat, _energies(takes[0], arguments), strict=True)
        ),
    )


def _local_response_norm_backward(
    takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments
) -> Any:
    dy, x, beta = takes[0].flat, takes[1].flat, arguments["beta"]
    s = [value for _, value in _energies(takes[1], arguments)]
    near = arguments["size"] // 2
    a = arguments["alpha"] / (arguments["size"] if arguments.get("alpha_over_size") else 1)
    cells = []
    for c, number in enumerate(x):
        around = [e for e in range(max(c - near, 0), min(c + near + 1, len(x))) if dy[e]]
        shares = [f"{factor(dy[e])}*{factor(x[e])}/{text(s[e])}^{text(beta + 1)}" for e in around]
        share = math.fsum(dy[e] * x[e] / s[e] ** (beta + 1) for e in around)
        own = f"{factor(dy[c])}/{text(s[c])}^{text(beta)}" if dy[c] else "0"
        rest = f"2*{text(a)}*{text(beta)}*{factor(number)}*({' + '.join(shares)})"
        value = dy[c] / s[c] ** beta - 2 * a * beta * number * share
        cells.append(Worked(f"{own} - {rest}" if shares else own, value))
    return (tuple(cells),)


_OPS: dict[str, _Work] = {
    "conv2d": _conv2d,
    "conv2d_backward": _conv2d_backward,
    "dense": _dense,
    "dense_backward": _dense_backward,
    "im2col": _im2col,
    "col2im": _col2im,
    "max_pool2d": _max_pool2d,
    "max_pool2d_backward": _max_pool2d_backward,
    "relu": _relu,
    "relu_backward": _relu_backward,
    "dropout": _dropout,
    "dropout_backward": _dropout_backward,
    "softmax": _softmax,
    "softmax_backward": _softmax_backward,
    "cross_entropy": _cross_entropy,
    "local_response_norm": _local_response_norm,
    "local_response_norm_backward": _local_response_norm_backward,
}

_OMITTED = " (those that are 0 are left out)"
_RULES = {
    "conv2d": ("a cell is its window of {takes[0]} times {takes[1]}, added up",),
    "conv2d_backward": (
        "each {takes[0]}" + _OMITTED + " goes to the cells that were read, times their weight",
        "each {takes[0]} times the cell that met this weight, added up over all places",
        "all {takes[0]} added up",
    ),
    "dense": ("a cell is its row of {takes[0]} times {takes[1]}, added up",),
    "dense_backward": (
        "each {takes[0]}" + _OMITTED + " times the weights",
        "each {takes[0]} times the number that met this weight, added up over all rows",
        "all {takes[0]} added up",
    ),
    "im2col": ("each window of {takes[0]} becomes a row",),
    "col2im": ("each {takes[0]}" + _OMITTED + " is added to the cell that it was read from",),
    "max_pool2d": (
        "the largest number of each window of {takes[0]}; the first of equals wins",
        "the winner's place within its window: its row times the window's width, plus its column",
    ),
    "max_pool2d_backward": ("each {takes[0]} goes to the cell that won its window",),
    "relu": ("what is negative becomes 0",),
    "relu_backward": ("{takes[0]} passes where the number had passed, {takes[1]} > 0",),
    "dropout": (
        "what the mask keeps is divided by 1 - rate, what it drops is 0",
        "drawn by lot from the key rng: 1 is kept, 0 is dropped",
    ),
    "dropout_backward": ("the same mask, the same scale",),
    "softmax": ("exp of each logit over the sum of all of them",),
    "softmax_backward": ("{takes[1]} times ({takes[0]} minus the sum of all {takes[0]}*{takes[1]})",),
    "cross_entropy": ("ln of the sum of all exponentials, minus the label's logit",
                      "softmax minus onehot: the label's cell loses 1"),
    "local_response_norm": (
        "each channel over a power of k + alpha * the squares of the channels around it",
    ),
    "local_response_norm_backward": (
        "its own {takes[0]} over s^beta, minus its share in the s of the channels around it",
    ),
}  # fmt: skip
