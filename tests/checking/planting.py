"""How an error is planted: a right operation of `numpy_ops`, and one gradient replaced."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Planted:
    """A pair with a mistake in it."""

    name: str
    forward: Callable
    backward: Callable
    arrays: dict[str, np.ndarray]
    wrong: frozenset  # the arrays whose gradients are wrong, and no others
    kind: str | None = None  # what the diagnosis has to call it; None: nothing well known
    says: str = ""  # and what its text has to hold
    problem: str = ""  # or: what the report has to say of its behaviour
    awake: dict[str, np.ndarray] | None = None  # or: nothing is seen of it but at these values


def drawn(seed=0, **shapes):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def parts_of(op, returned):
    """A backward's result by the names of its forward's arguments."""
    names = list(inspect.signature(op.forward).parameters)
    return dict(zip(names, returned if isinstance(returned, tuple) else (returned,), strict=True))


def plant(name, op, arrays, *, kind=None, says="", **mistakes):
    """``op`` with another gradient for the arrays named in ``mistakes``, each f(dy, *arrays)."""

    def backward(dy, *given):
        right = parts_of(op, op.backward(dy, *given))
        wrong = {array: mistake(dy, *given) for array, mistake in mistakes.items()}
        return tuple((right | wrong).values())

    return Planted(name, op.forward, backward, arrays, frozenset(mistakes), kind, says)


def scaled(op, array, factor):
    """The right gradient of ``array`` times ``factor``, a number or an array."""
    return lambda dy, *given: parts_of(op, op.backward(dy, *given))[array] * factor
