"""Questions on softmax and cross-entropy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinycnn import ops
from tinycnn.classroom.quiz.question import Question, Random, at, pick, small, worked
from tinycnn.explain.examples.arithmetic import Value, fraction
from tinycnn.explain.examples.calculation import Result

_LOGARITHMS = {2: 0.6931, 3: 1.0986, 10: 2.3026}  # what a student is given


def softmax(rng: Random) -> Question:
    """The softmax of logarithms, of the same logits shifted, and the loss of an even guess."""
    z = logarithms(rng, "z", pick(rng, (3, 4)))
    shift, k = int(rng.integers(2, 100)), int(rng.integers(len(z.flat)))
    (p,) = worked("softmax", [z], ["p"])
    shares, moved = _fractions(p), ops.softmax(z.array + shift)
    classes, spelled = _classes(rng)
    loss, _ = ops.cross_entropy(np.zeros((1, classes)), [0])
    known = ", ".join(f"`ln {base} = {number}`" for base, number in _LOGARITHMS.items())
    return Question(
        "Softmax, and the loss of chance",
        (f"The logits of {len(shares)} classes:", (z,), "(a) Give their softmax `p`, as fractions.",
         f"(b) {shift} is added to each logit. Give `{at('p', k)}` now.",
         f"(c) A network of {classes:,} classes gives all of them the same probability. Give its "
         f"cross-entropy loss, with {known}."),
        (f"(a) `p = {', '.join(shares)}`", f"(b) `{fraction(float(moved.flat[k]))}`, as before",
         f"(c) `ln({classes:,})`, about `{loss:.3f}`"),
        (*_equations(p, shares),
         f"(b) exp({shift}) multiplies each exponential and their sum alike",
         f"(c) loss = ln({classes:,}) = {spelled} = {loss:.6g}, rounded"),
        4,
    )  # fmt: skip


def softmax_gradient(rng: Random) -> Question:
    """Cross-entropy and its gradient at the logits."""
    z = logarithms(rng, "z", pick(rng, (3, 4, 5)))
    label = int(rng.integers(len(z.flat)))
    labels = Value("labels", np.array([label]), (1,))
    loss, dz = worked("cross_entropy", [z, labels], ["loss", "dz"])
    gradients = _fractions(dz)
    likely = f"ln({fraction(float(np.exp(z.array).sum() / np.exp(z.flat[label])))})"
    return Question(
        "Softmax and cross-entropy, backward",
        (f"The logits of {len(gradients)} classes; the label is class {label}.", (z,),
         "(a) Give the cross-entropy loss, as a logarithm.",
         "(b) Give its gradient `dz` at the logits, as fractions."),
        (f"(a) `loss = {likely}`, about `{loss.value.flat[0]:.4f}`",
         f"(b) `dz = {', '.join(gradients)}`"),
        (loss.cells[0].equation("loss", likely), *_equations(dz, gradients)),
    )  # fmt: skip


def logarithms(rng: Random, name: str, count: int) -> Value:
    """Logits that are logarithms of whole numbers which add up to one with few prime factors."""
    while True:
        numbers = [int(number) for number in small(rng, 1, 9, count)]
        if sum(numbers) in (6, 8, 9, 10, 12, 15, 16, 18, 20, 24) and len(set(numbers)) > 1:
            logits = np.array([[math.log(number) for number in numbers]])
            return Value(name, logits, (count,), tuple(f"ln({number})" for number in numbers))


def _classes(rng: Random) -> tuple[int, str]:
    """A number of classes that is a product of 2, 3 and 10, and its logarithm by theirs."""
    while True:
        powers = {base: int(rng.integers(4)) for base in _LOGARITHMS}
        classes = math.prod(base**power for base, power in powers.items())
        if 4 <= classes <= 9000 and classes not in _LOGARITHMS:
            terms = [f"{power}*ln({base})" for base, power in powers.items() if power]
            return classes, " + ".join(term.removeprefix("1*") for term in terms)


def _fractions(result: Result) -> list[str]:
    return [fraction(number) for number in result.value.flat]


def _equations(result: Result, fractions: Sequence[str]) -> Sequence[str]:
    return [
        cell.equation(result.value.cell(place), exact)
        for place, (cell, exact) in enumerate(zip(result.cells, fractions, strict=True))
    ]
