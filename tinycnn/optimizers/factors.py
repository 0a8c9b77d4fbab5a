"""Of each parameter the factor on a rate or a decay, by patterns of names."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.parameters import Shapes
from tinycnn.validation import check_number
from tinycnn.wording import a

Factors = Mapping[str, float]


def factors_of(shapes: Shapes, given: Factors | None, name: str, default: Array) -> Array:
    """The factors (P,) of the parameters of ``shapes``: ``default`` but where a pattern names others.

    ``given`` maps patterns such as "fc3.W", "*.b" or "conv*" to factors; of two that name a parameter, the
    later one holds. Raises ArgumentError for a pattern that names nothing and a factor below 0.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ArgumentError(
            f"{name} must map names or patterns to factors, such as {{'*.b': 2}}, got "
            f"{a(type(given).__name__)}"
        )
    factors = default.copy()
    for pattern, factor in (given or {}).items():
        named = [fnmatchcase(parameter, str(pattern)) for parameter in shapes]
        if not any(named):
            raise ArgumentError(
                f"{name} has the pattern {pattern!r}, which names none of {', '.join(shapes)}"
            )
        factors[named] = check_number(factor, f"{name} of {pattern!r}")
    return factors


def undecayed(shapes: Shapes) -> Array:
    """1 for weights, 0 for parameters of one axis: biases, and a normalisation's scale and shift."""
    return np.array([float(len(shape) > 1) for shape in shapes.values()])
