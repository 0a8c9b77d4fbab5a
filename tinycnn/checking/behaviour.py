"""How a target behaves besides its numbers: determinism, mutation, shapes, dtypes, hidden state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinycnn.arrays import Array, first_cell, misread
from tinycnn.checking.targets.target import Arrays, Gradients, Target
from tinycnn.errors import TinyCNNError
from tinycnn.wording import said


@dataclass
class Behaviour:
    """What was seen: problems in words, y, dy, and the gradients if there are any to check."""

    problems: list[str] = field(default_factory=list)
    y: Array | None = None
    dy: Array | None = None
    gradients: Gradients = field(default_factory=dict)
    mutates: bool = False  # calls must be given copies from here on

    @property
    def sound(self) -> bool:
        """Whether differences of this target mean anything."""
        return self.y is not None and self.dy is not None and bool(self.gradients)


def copies(arrays: Arrays) -> dict[str, Array]:
    """Arrays of their own, which may be written to."""
    return {name: array.copy() for name, array in arrays.items()}


def behave(target: Target, rng: np.random.Generator, dy: Array | None = None) -> Behaviour:
    """Call ``target`` a few times and look at everything but the numbers' truth.

    ``dy`` is drawn from normal numbers unless given, or 1 for a loss.
    """
    seen = Behaviour()
    try:
        _forward(target, seen)
        if seen.y is None:
            return seen
        seen.dy = _dy(target, seen.y, rng, dy)
        _backward(target, seen, seen.dy)
        if seen.sound:
            _state(target, seen, seen.dy, rng)
    except TinyCNNError as error:
        seen.problems.append(str(error))
        seen.gradients = {}
    except ValueError as error:
        if "read-only" not in said(error):
            raise
        seen.problems.append("mutates its input: it writes to an array that it was only to read")
        seen.gradients = {}
    return seen


def _dy(target: Target, y: Array, rng: np.random.Generator, given: Array | None) -> Array:
    if given is not None:
        return given
    return np.ones(y.shape) if target.scalar else np.asarray(rng.standard_normal(y.shape))


def _forward(target: Target, seen: Behaviour) -> None:
    values = copies(target.arrays)
    y = target.forward(values)
    _unchanged(values, target.arrays, "forward", seen)
    problem = _wrong_array(y, "forward's result")
    if problem:
        seen.problems.append(problem)
        return
    first = np.array(y)
    again = np.array(target.forward(copies(target.arrays)))
    if not np.array_equal(first, again):
        seen.problems.append(
            "is not deterministic: two forward passes on the same arrays differ"
            + (f" by up to {np.abs(first - again).max():.2g}" if first.shape == again.shape else "")
            + "; a random mask must be drawn from a fixed seed"
        )
        return
    seen.y = first


def _backward(target: Target, seen: Behaviour, dy: Array) -> None:
    values, given = copies(target.arrays), dy.copy()
    target.forward(copies(target.arrays))  # for those that read what it leaves behind
    gradients = target.backward(given, values)
    _unchanged(values, target.arrays, "backward", seen)
    if not np.array_equal(given, dy):
        seen.problems.append("mutates dy: backward writes to the array that it is given")
        seen.mutates = True
    kept: Gradients = {}
    for name, array in target.arrays.items():
        gradient = gradients.get(name)
        if gradient is None:
            if name in target.wrt:
                kept[name] = None
            continue
        if array.dtype.kind != "f":
            seen.problems.append(
                f"gives a gradient for {name}, which holds {array.dtype} and cannot be moved by a "
                f"small step; pass it as float64, or return None for it"
            )
            continue
        problem = _wrong_array(gradient, f"d{name}")
        if not problem and np.shape(gradient) != array.shape:
            problem = f"d{name} has shape {np.shape(gradient)}, but {name} has {array.shape}"
        if problem:
            seen.problems.append(problem)
        else:
            kept[name] = np.array(gradient)
    seen.gradients = kept


def _state(target: Target, seen: Behaviour, dy: Array, rng: np.random.Generator) -> None:
    """Ask for A's gradients after a forward on B."""
    if target.delayed is None:
        return
    others = {name: _other(array, rng) for name, array in target.arrays.items()}
    with np.errstate(all="ignore"):  # the other arrays need not lie in the function's domain
        late = target.delayed(dy.copy(), copies(target.arrays), others)
    for name, gradient in seen.gradients.items():
        if gradient is not None and not np.array_equal(np.asarray(late.get(name)), gradient):
            seen.problems.append(
                f"backward depends on state left by another forward: d{name} changes if forward "
                f"was called on other arrays in between"
            )
            return


def _other(array: Array, rng: np.random.Generator) -> Array:
    """Other values of the same kind: the same ones mixed and smaller, so that log takes them too."""
    if array.dtype.kind != "f":
        return array
    if not array.any():
        return 0.5 * rng.standard_normal(array.shape)
    return 0.75 * rng.permutation(array.reshape(-1)).reshape(array.shape)


def _unchanged(values: Arrays, originals: Arrays, who: str, seen: Behaviour) -> None:
    for name, array in values.items():
        if not np.array_equal(array, originals[name], equal_nan=array.dtype.kind == "f"):
            seen.problems.append(f"mutates its input: {who} writes to {name}")
            seen.mutates = True


def _wrong_array(value: Any, what: str) -> str:
    """Why ``value`` is no float64 array of finite numbers, "" if it is one."""
    if not isinstance(value, (np.ndarray, np.generic)):
        hint = ""
        if isinstance(value, (tuple, Mapping)):
            hint = "; wrap a function of several results in one that returns the one to check"
        return f"{what} must be an array, got {type(value).__name__}{hint}"
    if reason := misread(value):
        return f"{what} {reason}"
    if value.dtype != np.float64:
        return (
            f"{what} must be float64 as its arrays are, got {value.dtype}: its rounding would hide "
            f"small errors; compute in the dtype of the input"
        )
    unfit = ~np.isfinite(value)
    if unfit.any():
        cell = f" at ({', '.join(map(str, first_cell(unfit)))})" if value.ndim else ""
        return f"{what} holds NaN or infinity{cell}"
    return ""
