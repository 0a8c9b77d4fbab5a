"""Passes compared: the failure says which array, when, and where the two differ most."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import CheckFailedError
from tinycnn.testing.subject import Given, Pass


def agree(passed: Pass, expected: Pass, when: str, bound: float = 0.0) -> None:
    """Fail unless both have the same arrays: bit for bit, or within ``bound`` of the largest value."""
    if set(passed.arrays) != set(expected.arrays):
        raise CheckFailedError(
            f"backward returns other gradients {when}: {sorted(passed.arrays)} instead of "
            f"{sorted(expected.arrays)}"
        )
    for name, other in expected.arrays.items():
        array = passed.arrays[name]
        if array.shape != other.shape:
            raise CheckFailedError(
                f"{name} has another shape {when}: {array.shape} instead of {other.shape}"
            )
        if array.size == 0 or np.array_equal(array, other, equal_nan=True):
            continue
        distance = np.abs(np.subtract(array, other, dtype=np.float64))
        worst = np.unravel_index(np.argmax(distance), distance.shape)
        if not distance[worst] <= bound * np.abs(other).max():
            place = ",".join(map(str, worst))
            raise CheckFailedError(
                f"{name} differs {when}: {name}[{place}] is {array[worst]:.9g} instead of "
                f"{other[worst]:.9g}"
            )


def expect_shapes(passed: Pass, expected: dict[str, tuple[int, ...]], when: str) -> None:
    """Fail unless the pass has these arrays, of these shapes."""
    if set(passed.arrays) != set(expected):
        raise CheckFailedError(
            f"backward must return a gradient for each parameter {when}: expected "
            f"{sorted(expected)[:-1]}, got {sorted(passed.arrays)[:-1]}"
        )
    for name, shape in expected.items():
        if passed.arrays[name].shape != shape:
            raise CheckFailedError(
                f"{name} must have shape {shape} {when}, got {passed.arrays[name].shape}"
            )


def unchanged(before: dict[str, Array], given: Given, text: str) -> None:
    """Fail, with ``text`` about an array's name, unless all hold the same bytes as before."""
    for name, array in given.arrays().items():
        if array.tobytes() != before[name].tobytes():
            raise CheckFailedError(
                f"{text.format(name)}: it belongs to the caller; work on a copy of it"
            )


def copied(passed: Pass) -> Pass:
    """The same in arrays of its own, that nothing else writes to."""
    return Pass({name: array.copy() for name, array in passed.arrays.items()}, None)
