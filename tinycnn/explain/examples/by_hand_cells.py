"""The ops without windows worked out by hand: dense, ReLU, dropout, softmax, cross-entropy, LRN."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.examples.arithmetic import (
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
    added: list[tuple[float, str] | tuple[()]] = [()] * give.array.shape[-1]
    for value in bias:
        added = list(zip(value.flat, value.exact or [""] * len(value.flat), strict=True))
    return tuple(
        products(terms[place], *added[place[-1]]) for place in np.ndindex(give.array.shape)
    )


def gradients(terms: Mapping[Index, list[Pair]], give: Value) -> Cells:
    """Sums of upstream gradients times factors; terms whose gradient is 0 are left out."""
    return tuple(_gradient(terms.get(place, [])) for place in np.ndindex(give.array.shape))


def _gradient(pairs: Sequence[Pair]) -> Worked:
    kept = [pair for pair in pairs if pair[0]]
    if kept:
        return products(kept)
    return nothing("only gradients of 0 reach it" if pairs else "lies in no window")


def bias_gradient(dy: Value) -> Cells:
    """All gradients of a filter added up; those of 0 are left out."""
    rows = dy.array.reshape(-1, dy.array.shape[-1])
    columns = [[float(number) for number in column if number] for column in rows.T]
    return tuple(
        plain(column) if column else nothing("only gradients of 0 reach it") for column in columns
    )


@worked_out("a cell is its row of {takes[0]} times {takes[1]}, added up")
def dense(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """z[n,f] = sum of x[n,d] * W[d,f], plus b[f]."""
    rows, W = takes[0].array.reshape(len(takes[0].array), -1), takes[1].array
    terms: dict[Index, list[Pair]] = {
        (n, f): [(float(a), float(b)) for a, b in zip(rows[n], W[:, f], strict=True)]
        for n, f in np.ndindex(len(rows), W.shape[1])
    }
    return (sums(terms, gives[0], takes[2:]),)


@worked_out(
    f"each {{takes[0]}}{OMITTED} times the weights",
    "each {takes[0]} times the number that met this weight, added up over all rows",
    "all {takes[0]} added up",
)
def dense_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """dx[n,d] = sum of dy[n,f] * W[d,f]; dW[d,f] = sum of dy[n,f] * x[n,d]; db = sum of dy."""
    dy, x, W = (value.array for value in takes)
    cells = list(np.ndindex(x.shape[1:]))
    into: list[dict[Index, list[Pair]]] = [{}, {}]
    for n, f, d in np.ndindex(*dy.shape, len(W)):
        sent, place = float(dy[n, f]), (n, *cells[d])
        into[0].setdefault(place, []).append((sent, float(W[d, f])))
        into[1].setdefault((d, f), []).append((sent, float(x[place])))
    dx, dW = (gradients(terms, give) for terms, give in zip(into, gives[:2], strict=True))
    return dx, dW, bias_gradient(takes[0])


@worked_out(
    "each cell is a row of {takes[0]} times {takes[1]}; what is multiplied with 0 is left out"
)
def transform(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """y[i] = sum of matrix[i,l] * x[l]; what the matrix multiplies with 0 is left out."""
    return (_rows_times(takes[0].array, takes[1].flat),)


@worked_out("each cell is a column of {takes[1]} times {takes[0]}")
def transform_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """dx[l] = sum of matrix[i,l] * dy[i]."""
    return (_rows_times(takes[1].array.T, takes[0].flat),)


def _rows_times(matrix: Array, x: Sequence[float]) -> Cells:
    return tuple(
        products([(float(a), b) for a, b in zip(row, x, strict=True) if a]) for row in matrix
    )


@worked_out("{takes[0]} times {takes[1]}, cell by cell")
def multiply(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """m[j] = u[j] * v[j]."""
    u, v = takes
    return (tuple(products([pair]) for pair in zip(u.flat, v.flat, strict=True)),)


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
    return (tuple(Worked(f"max(0, {text(z)})", max(0.0, z)) for z in takes[0].flat),)


@worked_out("{takes[0]} passes where the number had passed, {takes[1]} > 0")
def relu_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """Gradients pass where y > 0."""
    dy, y = takes
    cells = []
    for place, (sent, passed) in enumerate(zip(dy.flat, y.flat, strict=True)):
        if passed > 0:
            cells.append(Worked(text(sent), sent, f"passes: {y.cell(place)} > 0"))
        else:
            cells.append(nothing(f"stopped, for there {y.name} is 0"))
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
    return tuple(
        Worked(f"{factor(a)}*{int(kept)}/(1 - {text(rate)})", a * kept / (1 - rate))
        for a, kept in zip(x.flat, mask.flat, strict=True)
    )


def _exponentials(z: Value) -> list[tuple[str, float]]:
    """exp of each logit; of ln(5) it is 5."""
    if all(exact.startswith("ln(") for exact in z.exact) and z.exact:
        return [(exact[3:-1], float(exact[3:-1])) for exact in z.exact]
    written = z.exact or [text(number) for number in z.flat]
    return [
        (f"exp({logit})", math.exp(number)) for logit, number in zip(written, z.flat, strict=True)
    ]


@worked_out("exp of each logit over the sum of all of them")
def softmax(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """exp(z) over its sum; of logits that are logarithms, fractions."""
    e = _exponentials(takes[0])
    below, total = " + ".join(name for name, _ in e), math.fsum(number for _, number in e)
    return (tuple(Worked(f"{name}/({below})", number / total) for name, number in e),)


@worked_out(
    "ln of the sum of all exponentials, minus the label's logit",
    "softmax minus onehot: the label's cell loses 1",
)
def cross_entropy(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """For one image: the mean over a batch of one is the loss itself."""
    e, label = _exponentials(takes[0]), int(takes[1].flat[0])
    below, total = " + ".join(name for name, _ in e), math.fsum(number for _, number in e)
    loss = Worked(f"ln({below}) - ln({e[label][0]})", math.log(total) - math.log(e[label][1]))
    gradient = tuple(
        Worked(f"{name}/({below}) - {int(k == label)}", number / total - (k == label))
        for k, (name, number) in enumerate(e)
    )
    return (loss,), gradient


@worked_out("{takes[0]} minus the rate times {takes[1]}")
def sgd(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """W - rate * dW."""
    cells = []
    for weight, gradient in zip(takes[0].flat, takes[1].flat, strict=True):
        down = products([(arguments["rate"], gradient)])
        cells.append(Worked(f"{text(weight)} - {down.arithmetic}", weight - down.value))
    return (tuple(cells),)


@worked_out("{takes[1]} times ({takes[0]} minus the sum of all {takes[0]}*{takes[1]})")
def softmax_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """p * (dp - the sum of dp * p)."""
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


@worked_out("each channel over a power of k + alpha * the squares of the channels around it")
def local_response_norm(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """x / (k + a * the sum of squares around)^beta."""
    beta = arguments["beta"]
    return (
        tuple(
            Worked(f"{factor(a)}/({name})^{text(beta)}", a / s**beta)
            for a, (name, s) in zip(takes[0].flat, _energies(takes[0], arguments), strict=True)
        ),
    )


@worked_out("its own {takes[0]} over s^beta, minus its share in the s of the channels around it")
def local_response_norm_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """dy / s^beta - 2*a*beta*x * the sum of dy * x / s^(beta + 1) around."""
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
