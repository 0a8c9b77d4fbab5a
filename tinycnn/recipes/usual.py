"""Optimizers and schedules by name, with what is usual for a small network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from tinycnn.model import Sequential
from tinycnn.optimizers import SGD, Adam, AdamW, Optimizer
from tinycnn.schedules import Cosine, DivideOnPlateau, Schedule, Steps, WarmUp
from tinycnn.validation import check_choice

_WITH_MOMENTUM: Mapping[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "nesterov": partial(SGD, nesterov=True),
}
OPTIMIZERS = {**_WITH_MOMENTUM, "adam": Adam, "adamw": AdamW}
USUAL_RATES = {"sgd": 0.02, "nesterov": 0.02, "adam": 0.002, "adamw": 0.002}

# By name: the schedule that begins with a rate and has so many steps.
SCHEDULES: Mapping[str, Callable[[float, float], Schedule]] = {
    "cosine": Cosine,
    "constant": lambda rate, steps: Steps(rate, ()),
    "steps": lambda rate, steps: Steps(rate, (steps / 2, steps * 3 / 4)),
    "plateau": lambda rate, steps: DivideOnPlateau(rate, times=3),
}

_EPOCHS, _STEPS = 30, 600


def optimizer_named(
    name: str,
    model: Sequential,
    rate: float | None = None,
    *,
    momentum: float | None = None,
    weight_decay: float | None = None,
) -> Optimizer:
    """One of `OPTIMIZERS` of ``model``; None is its usual rate, and the class's own momentum and decay.

    ``momentum`` is for those that have one. Raises ArgumentError for another name.
    """
    check_choice(name, tuple(OPTIMIZERS), "optimizer")
    asked = {"weight_decay": weight_decay}
    if name in _WITH_MOMENTUM:
        asked["momentum"] = momentum
    given = {setting: value for setting, value in asked.items() if value is not None}
    return OPTIMIZERS[name](model, USUAL_RATES[name] if rate is None else rate, **given)


def schedule_named(name: str, rate: float, steps: float, warm_up: float) -> WarmUp:
    """One of `SCHEDULES` over ``steps`` steps, in the first ``warm_up`` of which the rate rises."""
    return WarmUp(warm_up, SCHEDULES[name](rate, max(steps - warm_up, 1.0)))


def usual_epochs(steps: int) -> int:
    """How many epochs of ``steps`` steps each a small network is trained where nobody says.

    30, and more where these are less than 600 steps, which a small set needs all the same.
    """
    return max(_EPOCHS, -(-_STEPS // steps))
