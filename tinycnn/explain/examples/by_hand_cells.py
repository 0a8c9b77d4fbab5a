"""The ops whose cells stand alone or are products of rows, worked out by hand: dense, ReLU, dropout, SGD."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinycnn.explain.examples.arithmetic import (
    Index,
    Pair,
    Read,
    Value,
    Worked,
    factor,
    nothing,
    plain,
    products,
    text,
)
from tinycnn.explain.values.task import Slip

Cells = tuple[Worked, ...]
Values = Sequence[Value]
Arguments = Mapping[str, Any]
Results = tuple[Cells, ...]
Work = Callable[[Values, Values, Arguments], Results]

OPS: dict[str, tuple[Work, tuple[str, ...]]] = {}
OMITTED = " (those that are 0 are left out)"


def worked_out(*rules: str) -> Callable[[Work], Work]:
    """Enter what works out the op of its name, and what is done for each result, in words."""

    def enter(work: Work) -> Work:
        OPS[work.__name__] = work, rules
        return work

    return enter


def sums(terms: Mapping[Index, list[Pair]], give: Value, bias: Sequence[Value]) -> Cells:
    """Each cell a sum of products, and its filter's bias, if there is one."""
    added: list[tuple[Read, str] | tuple[()]] = [()] * give.array.shape[-1]
    for value in bias:
        added = list(zip(value.reads, value.exact or [""] * len(value.flat), strict=True))
    return tuple(
        products(terms[place], *added[place[-1]]) for place in np.ndindex(give.array.shape)
    )


def gradients(terms: Mapping[Index, list[Pair]], give: Value) -> Cells:
    """Sums of upstream gradients times factors; terms whose gradient is 0 are left out."""
    return tuple(_gradient(terms.get(place, [])) for place in np.ndindex(give.array.shape))


def _gradient(pairs: Sequence[Pair]) -> Worked:
    kept = [pair for pair in pairs if pair[0].value]
    if kept:
        return products(kept)
    return nothing("only gradients of 0 reach it" if pairs else "lies in no window")


def bias_gradient(dy: Value) -> Cells:
    """All gradients of a filter added up; those of 0 are left out."""
    filters, sent = dy.array.shape[-1], dy.reads
    columns = [[one for one in sent[f::filters] if one.value] for f in range(filters)]
    return tuple(
        plain(column) if column else nothing("only gradients of 0 reach it") for column in columns
    )


@worked_out("a cell is its row of {takes[0]} times {takes[1]}, added up")
def dense(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """z[n,f] = sum of x[n,d] * W[d,f], plus b[f]."""
    x, W = takes[0].reads, takes[1]
    D, F = W.array.shape
    terms: dict[Index, list[Pair]] = {
        (n, f): [(x[n * D + d], W.read((d, f))) for d in range(D)]
        for n, f in np.ndindex(len(x) // D, F)
    }
    return (sums(terms, gives[0], takes[2:]),)


@worked_out(
    f"each {{takes[0]}}{OMITTED} times the weights",
    "each {takes[0]} times the number that met this weight, added up over all rows",
    "all {takes[0]} added up",
)
def dense_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """dx[n,d] = sum of dy[n,f] * W[d,f]; dW[d,f] = sum of dy[n,f] * x[n,d]; db = sum of dy."""
    dy, x, W = takes
    cells = list(np.ndindex(x.array.shape[1:]))
    into: list[dict[Index, list[Pair]]] = [{}, {}]
    for n, f, d in np.ndindex(*dy.array.shape, len(W.array)):
        sent, place = dy.read((n, f)), (n, *cells[d])
        into[0].setdefault(place, []).append((sent, W.read((d, f))))
        into[1].setdefault((d, f), []).append((sent, x.read(place)))
    dx, dW = (gradients(terms, give) for terms, give in zip(into, gives[:2], strict=True))
    return dx, dW, bias_gradient(takes[0])


@worked_out(
    "each cell is a row of {takes[0]} times {takes[1]}; what is multiplied with 0 is left out"
)
def transform(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """y[i] = sum of matrix[i,l] * x[l]; what the matrix multiplies with 0 is left out."""
    matrix, x = takes
    rows, columns = matrix.array.shape
    return (_lines_times([[matrix.read((i, k)) for k in range(columns)] for i in range(rows)], x),)


@worked_out("each cell is a column of {takes[1]} times {takes[0]}")
def transform_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """dx[l] = sum of matrix[i,l] * dy[i]."""
    dy, matrix = takes
    rows, columns = matrix.array.shape
    return (_lines_times([[matrix.read((i, k)) for i in range(rows)] for k in range(columns)], dy),)


def _lines_times(lines: Sequence[Sequence[Read]], x: Value) -> Cells:
    return tuple(
        products([(a, b) for a, b in zip(line, x.reads, strict=True) if a.value]) for line in lines
    )


@worked_out("{takes[0]} times {takes[1]}, cell by cell")
def multiply(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """m[j] = u[j] * v[j]."""
    u, v = takes
    return (tuple(products([pair]) for pair in zip(u.reads, v.reads, strict=True)),)


@worked_out(
    "{takes[0]} times the other factor, {takes[2]}", "{takes[0]} times the other factor, {takes[1]}"
)
def multiply_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """du = dm * v and dv = dm * u, cell by cell."""
    dm, u, v = takes
    return (*multiply((dm, v), gives, arguments), *multiply((dm, u), gives, arguments))


@worked_out("what is negative becomes 0")
def relu(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """max(0, z)."""
    forgotten = "ReLU was forgotten"
    return (
        tuple(
            Worked(f"max(0, {text(z)})", max(0.0, z), slips=(Slip(z, forgotten),))
            for z in takes[0].flat
        ),
    )


@worked_out("{takes[0]} passes where the number had passed, {takes[1]} > 0")
def relu_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """Gradients pass where y > 0."""
    dy, y = takes
    cells = []
    for place, (sent, passed) in enumerate(zip(dy.flat, y.flat, strict=True)):
        if passed > 0:
            cells.append(Worked(text(sent), sent, f"passes: {y.cell(place)} > 0"))
        else:
            note = f"stopped, for there {y.name} is 0"
            cells.append(nothing(note, Slip(sent, f"it is {note}")))
    return (tuple(cells),)


@worked_out(
    "what the mask keeps is divided by 1 - rate, what it drops is 0",
    "drawn by lot from the key rng: 1 is kept, 0 is dropped",
)
def dropout(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """x * mask / (1 - rate); no arithmetic gives the mask."""
    return _masked(takes[0], gives[1], arguments["rate"]), ()


@worked_out("the same mask, the same scale")
def dropout_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """dy * mask / (1 - rate)."""
    return (_masked(takes[0], takes[1], arguments["rate"]),)


def _masked(x: Value, mask: Value, rate: float) -> Cells:
    scale, dropped = "what is kept is divided by 1 - rate", "the mask drops it"
    return tuple(
        Worked(
            f"{factor(a)}*{int(kept)}/(1 - {text(rate)})",
            a * kept / (1 - rate),
            slips=(Slip(a, scale if kept else dropped), Slip(a / (1 - rate), dropped)),
        )
        for a, kept in zip(x.flat, mask.flat, strict=True)
    )


@worked_out("{takes[0]} minus the rate times {takes[1]}")
def sgd(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """W - rate * dW."""
    cells = []
    for weight, sent in zip(takes[0].flat, takes[1].reads, strict=True):
        gradient, down = sent.value, products([(Read(arguments["rate"]), sent)])
        slips = (
            Slip(weight + down.value, "the step goes against the gradient: subtract"),
            Slip(weight - gradient, "the rate is missing"),
        )
        arithmetic = f"{text(weight)} - {down.arithmetic}"
        cells.append(Worked(arithmetic, weight - down.value, slips=slips))
    return (tuple(cells),)
