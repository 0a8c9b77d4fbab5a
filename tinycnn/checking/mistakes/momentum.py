"""Mistakes in a step of gradient descent with momentum and weight decay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments, Mistake, mistakes_in
from tinycnn.checking.mistakes.naive import sgd_step

Step = Callable[[Arguments], tuple[Array, Array]]  # the new w and the new v


def steps(a: Arguments, step: Step = sgd_step) -> Array:
    """The weights after each of several steps."""
    w, v, ws = a["w"], np.zeros(a["w"].shape), np.zeros(a["gradients"].shape)
    for t, (g, rate) in enumerate(zip(a["gradients"], a["rates"], strict=True)):
        w, v = step({**a, "w": w, "v": v, "g": g, "rate": rate})
        ws[t] = w
    return ws


def _uphill(a: Arguments) -> tuple[Array, Array]:
    return sgd_step(a, rate=-a["rate"])


def _subtracted(a: Arguments) -> tuple[Array, Array]:
    v = sgd_step(a)[1]
    return a["w"] - v, v


def _decay_apart(a: Arguments) -> tuple[Array, Array]:
    w, v = sgd_step(a, weight_decay=0.0)
    return w - a["rate"] * a["weight_decay"] * a["w"], v


def _decay_unscaled(a: Arguments) -> tuple[Array, Array]:
    v = sgd_step(a, weight_decay=0.0)[1] - a["weight_decay"] * a["w"]
    return a["w"] + v, v


def _decay_first(a: Arguments) -> tuple[Array, Array]:
    """The weights shrunk before the step, as they are without momentum."""
    return sgd_step(a, w=a["w"] * (1 - a["rate"] * a["weight_decay"]), weight_decay=0.0)


def _rate_outside(a: Arguments) -> tuple[Array, Array]:
    v = a["momentum"] * a["v"] + a["g"] + a["weight_decay"] * a["w"]
    return a["w"] - a["rate"] * v, v


def _averaged(a: Arguments) -> tuple[Array, Array]:
    return sgd_step(a, rate=(1 - a["momentum"]) * a["rate"])


def _nesterov(a: Arguments) -> tuple[Array, Array]:
    v = sgd_step(a)[1]
    push = a["rate"] * (a["g"] + a["weight_decay"] * a["w"])
    return a["w"] + a["momentum"] * v - push, v


def _old_velocity(a: Arguments) -> tuple[Array, Array]:
    return a["w"] + a["v"], sgd_step(a)[1]


_USUAL: tuple[tuple[Step, str, str], ...] = (
    (
        _uphill,
        "sign",
        "a step uphill, because the gradient is added: it points where the loss grows",
    ),
    (
        _subtracted,
        "sign",
        "the velocity taken off, because w - v came: v has the minus in it, so w + v",
    ),
    (
        lambda a: sgd_step(a, weight_decay=0.0),
        "weight decay",
        "weight decay left out, because it is what weight_decay = 0 gives",
    ),
    (
        lambda a: sgd_step(a, weight_decay=-a["weight_decay"]),
        "weight decay",
        "weight decay with the wrong sign, because it drives the weights away from 0",
    ),
    (
        _decay_apart,
        "weight decay",
        "weight decay beside the velocity, because w is made smaller by it, and v knows nothing of it: "
        "in the paper it goes into v",
    ),
    (
        _decay_first,
        "weight decay",
        "weights that are made smaller before the step, because v knows nothing of weight decay: in "
        "the paper it goes into v",
    ),
    (
        _decay_unscaled,
        "weight decay",
        "weight decay without the rate, because v has weight_decay * w in it: it is "
        "rate * weight_decay * w",
    ),
    (
        lambda a: sgd_step(a, momentum=0.0),
        "velocity",
        "momentum left out, because it is what momentum = 0 gives",
    ),
    (
        lambda a: sgd_step(a, momentum=1.0),
        "velocity",
        "a velocity that never fades, because it is what momentum = 1 gives",
    ),
    (
        _averaged,
        "velocity",
        "a mean of gradients, because the new one counts 1 - momentum: here it counts in full",
    ),
    (
        _nesterov,
        "velocity",
        "Nesterov's step, because w is moved by momentum * v - rate * g, as if the velocity had been "
        "used twice: it is w + v",
    ),
    (
        _old_velocity,
        "velocity",
        "the old velocity, because w is moved by the v that came in: by the new one, please",
    ),
    (
        _rate_outside,
        "velocity",
        "the rate outside of the velocity, because v is momentum * v + g and w - rate * v came: in the "
        "paper v has the rate in it, which counts where the rate changes",
    ),
)


def _after(step: Step, result: int) -> Callable[[Arguments], Array]:
    """What one step gives: w, or v."""
    return lambda a: step(a)[result]


def _each_after(step: Step) -> Callable[[Arguments], Array]:
    return lambda a: steps(a, step)


# What one step gives rightly; the next steps tell.
_RIGHT: dict[Step, str] = {
    _subtracted: "new_v",
    _nesterov: "new_v",
    _old_velocity: "new_v",
    _decay_apart: "new_w",
    _decay_first: "new_w",
}
SGD_STEP = tuple(
    Mistake(result, _after(step, place), kind, text)
    for step, kind, text in _USUAL
    for place, result in enumerate(("new_w", "new_v"))
    if result != _RIGHT.get(step)
) + mistakes_in(
    "new_v",
    (lambda a: a["v"], "velocity", "the old velocity, because v came back as it went in"),
)
SGD_STEPS = tuple(
    Mistake("ws", _each_after(step), kind, text) for step, kind, text in _USUAL
) + mistakes_in(
    "ws",
    (
        lambda a: np.broadcast_to(steps(a)[-1], a["gradients"].shape),
        "overwritten",
        "the last weights everywhere, because every row of ws is the same: each step needs a copy",
    ),
    (
        lambda a: steps({**a, "rates": np.full_like(a["rates"], a["rates"][0])}),
        "velocity",
        "the first rate at every step, because ws is what rates[0] throughout gives",
    ),
    (
        lambda a: np.concatenate([a["w"][None], steps(a)[:-1]]),
        "bounds",
        "the weights before each step, because ws begins with w: those after it are asked for",
    ),
)
