"""The ops that look along the channels, worked out by hand: softmax, cross-entropy, LRN."""

from __future__ import annotations

import math

from tinycnn.explain.examples.arithmetic import Value, Worked, factor, products, text
from tinycnn.explain.examples.by_hand_cells import Arguments, Results, Values, worked_out
from tinycnn.explain.values.task import Slip


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
    missing = "it is not divided by the sum of all exponentials"
    return (
        tuple(
            Worked(f"{name}/({below})", number / total, slips=(Slip(number, missing),))
            for name, number in e
        ),
    )


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
        Worked(
            f"{name}/({below}) - {int(k == label)}",
            number / total - (k == label),
            slips=(
                Slip(number / total, "the 1 of onehot is missing: this is the label's cell"),
                Slip(number / total - 1, "only the label's cell loses 1"),
            ),
        )
        for k, (name, number) in enumerate(e)
    )
    return (loss,), gradient


@worked_out("{takes[1]} times ({takes[0]} minus the sum of all {takes[0]}*{takes[1]})")
def softmax_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """p * (dp - the sum of dp * p)."""
    dp, p = takes[0].flat, takes[1].flat
    mean = products(list(zip(takes[0].reads, takes[1].reads, strict=True)))
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
