"""Plain arguments (numbers, pairs, choices) read and checked; arrays are read in `arrays`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from contextlib import suppress
from types import NoneType
from typing import Any

import numpy as np

from tinycnn.errors import ArgumentError

Pair = tuple[int, int]

# What may do a convolution, and "auto", which chooses. Here, where no kernel is loaded, because layers
# and models check the word when they are made.
ALGORITHMS = ("auto", "im2col", "direct", "grouped", "winograd", "reference")

# Of each number that places a window, so that sums and products of two are exact in 64 bits.
_MOST = 2**31 - 1
# Of each size, units and filters among them: no axis of an array is longer.
MOST_CELLS = 2**63 - 1


def check_int(value: Any, name: str, *, least: int = 1, most: int | None = None) -> int:
    """Read an int of at least ``least`` and at most ``most``."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise ArgumentError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ArgumentError(f"{name} must be at least {least}, got {value!r}")
    if most is not None and value > most:
        raise ArgumentError(f"{name} must be at most {most}, got {value!r}")
    return int(value)


def check_pair(value: Any, name: str, *, least: int = 1) -> Pair:
    """Read an int or (height, width) of ints of at least ``least``."""
    values = (value, value) if isinstance(value, (int, np.integer)) else value
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 2:
        raise ArgumentError(
            f"{name} must be an int or a pair (height, width) of ints, got {value!r}"
        )
    return (
        check_int(values[0], name, least=least, most=_MOST),
        check_int(values[1], name, least=least, most=_MOST),
    )


def check_choice(value: Any, choices: Sequence[Any], name: str) -> None:
    """Raise ArgumentError unless ``value`` is one of ``choices``."""
    # An array is compared cell by cell; like all that may change, it has no hash and is no choice.
    if not isinstance(value, (str, NoneType, Hashable)) or value not in choices:  # quick ones first
        listed = ", ".join(repr(choice) for choice in choices)
        raise ArgumentError(f"{name} must be one of {listed}, got {value!r}")


def check_items(value: Any, name: str, expected: str) -> tuple[Any, ...]:
    """Read several things in a row; one, or a text, raises ArgumentError that says what is ``expected``."""
    try:
        # Asked, not looked up: an array without axes has the method, and raises.
        each = None if isinstance(value, str) else iter(value)
    except TypeError:
        each = None
    if each is None:
        raise ArgumentError(f"{name} must be {expected}, got {value!r}")
    return tuple(each)


def check_number(
    value: Any, name: str, *, above: float | None = None, below: float = math.inf
) -> float:
    """Read a finite number from 0 up, or above ``above``, and less than ``below``."""
    if isinstance(value, (int, float, np.integer, np.floating)):
        with suppress(OverflowError):  # a whole number may be more than any float
            if 0 <= float(value) < below and (above is None or value > above):
                return float(value)
    least = "from 0 up" if above is None else f"above {above:g}"
    limit = f" and below {below:g}" if below < math.inf else ""
    raise ArgumentError(f"{name} must be a finite number {least}{limit}, got {value!r}")


def lrn_coefficients(
    size: Any, alpha: Any, beta: Any, k: Any, alpha_over_size: bool
) -> tuple[int, float, float, float]:
    """Read local response normalisation's arguments: (size, a, beta, k) with a as its dialect has it."""
    size = check_int(size, "size", most=_MOST)
    if size % 2 == 0:
        raise ArgumentError(
            f"size must be odd, so that the channels around one lie evenly on both sides, got {size}"
        )
    alpha, beta, k = check_number(alpha, "alpha"), check_number(beta, "beta"), check_number(k, "k")
    return size, alpha / size if alpha_over_size else alpha, beta, k


def mask_key(rng: int | np.random.Generator | None) -> int:
    """Turn ``rng`` into a mask's 64-bit key: an int is the key, a Generator (None: fresh) gives one draw."""
    if rng is None:
        rng = np.random.default_rng()
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**64, dtype=np.uint64))
    if not isinstance(rng, (int, np.integer)) or not 0 <= rng < 2**64:
        raise ArgumentError(
            f"rng must be None, a numpy.random.Generator or an int with 0 <= rng < 2**64, got {rng!r}"
        )
    return int(rng)


def check_rng(rng: int | np.random.Generator | None) -> np.random.Generator:
    """Turn ``rng`` into a Generator: an int from 0 up is its seed, None draws one; a Generator stays."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None and (not isinstance(rng, (int, np.integer)) or rng < 0):
        raise ArgumentError(
            f"rng must be None, a numpy.random.Generator or an int from 0 up, got {rng!r}"
        )
    return np.random.default_rng(rng)


def check_seed(rng: int | np.random.Generator | None) -> int:
    """Turn ``rng`` into a seed: an int from 0 up is one, a Generator gives one draw, None a fresh one."""
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if rng is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    return check_int(rng, "rng", least=0)
