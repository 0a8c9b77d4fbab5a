"""A question on SGD: two steps of one weight, with momentum and weight decay."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.classroom.quiz.mistakes import told
from tinycnn.classroom.quiz.question import Question, Random, constants, pick
from tinycnn.explain.examples.arithmetic import factor, text
from tinycnn.explain.examples.sgd import sgd_step

_RATES, _MOMENTA, _DECAYS = (0.1, 0.2, 0.5), (0.5, 0.9), (0.1, 0.2, 0.5)
_LONGEST = len("-1.2345")  # of what is worked out on paper
_DECIMALS = 9  # more than any of its numbers has: what stands beyond is rounding
_State = tuple[float, float]  # a weight and its velocity


def sgd(rng: Random) -> Question:
    """Two steps of AlexNet's rule: what the first leaves in the velocity counts in the second."""
    while True:
        rate, momentum, decay = (pick(rng, of) for of in (_RATES, _MOMENTA, _DECAYS))
        w, v, *gradients = (int(number) for number in rng.permutation(np.r_[-4:0, 1:5])[:4])
        settings = {"rate": rate, "momentum": momentum, "decay": decay}
        states = list(_descent((w, v), gradients, **settings))
        wrong = _mistaken(states, gradients, settings)
        short = max(len(text(number)) for state in states for number in state) <= _LONGEST
        if short and states[-1][0] not in wrong.values():
            break
    _, (first, velocity), (second, _) = states
    given = {"w": w, "v": v, "g": gradients[0]}
    working = [
        line
        for before, g, after in zip(states, gradients, states[1:], strict=False)
        for line in _working(before, g, after, **settings)
    ]
    return Question(
        "Two steps of SGD",
        (f"A weight, its velocity and its gradient: {constants(given)}. With {constants(settings)}, "
         "AlexNet's rule is `v <- momentum*v - rate*(g + decay*w)`, then `w <- w + v`.",
         "(a) Give the new `v`.", "(b) Give the new `w`.",
         f"(c) The next gradient is {gradients[1]}. Give `w` after this second step."),
        (f"(a) `v = {text(velocity)}`", f"(b) `w = {text(first)}`", f"(c) `w = {text(second)}`"),
        (*(f"({part}) {line}" for part, line in zip("abcc", working, strict=True)),
         f"(c) {told(wrong)}"),
        4,
    )  # fmt: skip


def _descent(
    start: _State, gradients: list[int], *, rate: float, momentum: float, decay: float
) -> Iterator[_State]:
    """The weight and velocity at the start, and after each step of the engine."""
    w, v = start
    yield w, v
    for g in gradients:
        weights, gradient, velocities = (
            {"w": np.full((1, 1), float(number))} for number in (w, g, v)
        )
        stepped, moved = sgd_step(
            weights, gradient, rate, momentum=momentum, weight_decay=decay, velocities=velocities
        )
        # A decimal of paper, and 0 where it is -0 or 2e-16.
        w, v = (round(float(arrays["w"][0, 0]), _DECIMALS) + 0.0 for arrays in (stepped, moved))
        yield w, v


def _mistaken(
    states: list[_State], gradients: list[int], settings: dict[str, float]
) -> dict[str, float]:
    """The weight after both steps as mistakes give it, each after its words."""
    start, (moved, _), _ = states
    ways = {
        "momentum is left out": _descent(start, gradients, **settings | {"momentum": 0.0}),
        "decay is left out": _descent(start, gradients, **settings | {"decay": 0.0}),
        "the second step begins with the old v": _descent(
            (moved, start[1]), gradients[1:], **settings
        ),
    }
    return {words: list(descent)[-1][0] for words, descent in ways.items()}


def _working(
    before: _State, g: int, after: _State, *, rate: float, momentum: float, decay: float
) -> tuple[str, str]:
    (w, v), (stepped, moved) = before, after
    pull = f"{rate}*({g} + {decay}*{factor(w)})"
    return (
        f"v = {momentum}*{factor(v)} - {pull} = {text(moved)}",
        f"w = {text(w)} + {factor(moved)} = {text(stepped)}",
    )
