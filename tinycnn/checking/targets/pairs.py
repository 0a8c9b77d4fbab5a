"""A pair of functions (forward, backward) that somebody wrote, as a target."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.checking.targets.target import Arrays, Gradients, Target, own_copy
from tinycnn.errors import ArgumentError


def of_pair(
    forward: Callable[..., Any], backward: Callable[..., Any], given: tuple[ArrayLike, ...]
) -> Target:
    """Make a target of ``forward(*arrays) -> y`` and ``backward(dy, *arrays)``, a gradient an array."""
    if not given:
        raise ArgumentError("a pair of functions needs the arrays that forward is called with")
    names = _names(forward, len(given))
    arrays = {name: own_copy(value, name) for name, value in zip(names, given, strict=True)}
    movable = tuple(name for name, array in arrays.items() if array.dtype.kind == "f")
    if not movable:
        raise ArgumentError(
            f"there is nothing to move: {', '.join(names)} hold integers; pass floats"
        )

    def back(dy: Array, values: Arrays) -> Gradients:
        return _named(backward(dy, *values.values()), names)

    def run(values: Arrays) -> Array:
        y: Any = forward(*values.values())
        return np.asarray(y) if isinstance(y, (float, np.generic)) else y

    def delayed(dy: Array, values: Arrays, others: Arrays) -> Gradients:
        run(values)
        run(others)
        return back(dy, values)

    titles = (getattr(function, "__name__", repr(function)) for function in (forward, backward))
    return Target(f"pair {', '.join(titles)}", arrays, run, back, movable, delayed=delayed)


def _names(forward: Callable[..., Any], count: int) -> list[str]:
    """Names of the arrays as ``forward``'s signature has them, else "array 0" and so on."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):  # some functions written in C have none
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [named[i] if i < len(named) else f"array {i}" for i in range(count)]


def _named(result: Any, names: Sequence[str]) -> Gradients:
    """Give each array its gradient by position; one array's may come bare."""
    if len(names) == 1 and not isinstance(result, (tuple, list)):
        result = (result,)
    if not isinstance(result, (tuple, list)):
        raise ArgumentError(
            f"backward must return a tuple of gradients ({', '.join(f'd{n}' for n in names)}), "
            f"got {type(result).__name__}"
        )
    if len(result) != len(names):
        raise ArgumentError(
            f"backward must return a gradient for each of {', '.join(names)} (None: not "
            f"differentiable), {len(names)} in all, got {len(result)}"
        )
    return dict(zip(names, result, strict=True))
