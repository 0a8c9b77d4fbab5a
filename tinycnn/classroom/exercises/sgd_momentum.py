"""The exercise "sgd-momentum"."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.momentum import SGD_STEP, SGD_STEPS, steps
from tinycnn.checking.mistakes.naive import sgd_step
from tinycnn.classroom.exercises.exercise import Assignment, Case, Chooser, Exercise

_RATES = (1.0, 0.5, 0.25)
_MOMENTA = (0.5, 0.75, 0.9)
_DECAYS = (1.0, 0.5, 0.125)


def _numbers(
    choose: Chooser,
    *,
    momentum: bool = False,
    decay: bool = False,
    weights: int = 1,
    any_shape: bool = False,
) -> tuple[tuple[int, ...], Arguments]:
    """The shape of the weights, and the coefficients: 0 where they are not asked for."""
    axes = (2, 3, 2, 4) if any_shape else (weights,)
    return tuple(choose.integer(1, most) for most in axes), {
        "momentum": choose.choice(_MOMENTA) if momentum else 0.0,
        "weight_decay": choose.choice(_DECAYS) if decay else 0.0,
    }


def _step(choose: Chooser, **options: Any) -> Arguments:
    shape, coefficients = _numbers(choose, **options)
    w, v, g = (choose.numbers(*shape) for _ in range(3))
    return {"w": w, "v": v, "g": g, "rate": choose.choice(_RATES), **coefficients}


def _steps(choose: Chooser, *, count: int, **options: Any) -> Arguments:
    shape, coefficients = _numbers(choose, **options)
    T = choose.integer(1, count)
    rates = np.array([choose.choice(_RATES[t % 3 :] + _RATES[: t % 3]) for t in range(T)])
    w, gradients = choose.numbers(*shape), choose.numbers(T, *shape)
    return {"w": w, "gradients": gradients, "rates": rates, **coefficients}


_ONE: dict[str, dict[str, Any]] = {
    "the gradient alone": {},
    "momentum": {"momentum": True},
    "weight decay": {"decay": True},
    "several weights": {"momentum": True, "decay": True, "weights": 5},
    "weights of any shape": {"momentum": True, "decay": True, "any_shape": True},
}
_SEVERAL: dict[str, dict[str, Any]] = {
    "one step": {"count": 1, "decay": True},
    "several steps: the velocity is kept": {"count": 4, "momentum": True},
    "several steps with weight decay": {"count": 4, "momentum": True, "decay": True},
    "weights of any shape": {"count": 3, "momentum": True, "decay": True, "any_shape": True},
}

EXERCISE = Exercise(
    "sgd-momentum",
    "AlexNet's step: momentum, with weight decay in the velocity",
    (
        Assignment(
            "sgd_step",
            ("new_w", "new_v"),
            sgd_step,
            tuple(Case(name, partial(_step, **options)) for name, options in _ONE.items()),
            SGD_STEP,
        ),
        Assignment(
            "sgd_steps",
            ("ws",),
            lambda a: (steps(a),),
            tuple(Case(name, partial(_steps, **options)) for name, options in _SEVERAL.items()),
            SGD_STEPS,
        ),
    ),
)
