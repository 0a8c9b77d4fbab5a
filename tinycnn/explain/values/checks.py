"""Checks of sums: the engine's against the same terms added up in float64, and how far they may differ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinycnn.explain.values.explanation import Check
from tinycnn.explain.values.printing import number
from tinycnn.explain.values.sums import Part, Sum, Term, leaves, total
from tinycnn.wording import many


def half_epsilon(dtype: np.dtype[Any]) -> float:
    """The largest relative error of one rounding: 2^-24 for float32, 2^-53 for float64."""
    return float(np.finfo(dtype).eps) / 2


def rounding_unit(dtype: np.dtype[Any]) -> str:
    """A rounding's largest relative error in words: 2^-24 for float32, 2^-53 for float64."""
    return f"2^{math.log2(half_epsilon(dtype)):.0f}"


_FUNCTION = 8  # roundings of a term that are more than those of a product or two


def check_sum(
    tree: Sum,
    engine: float,
    dtype: np.dtype[Any],
    *,
    bias: float | None = None,
    extra: int = 0,
    hidden: float = 0.0,
) -> Check:
    """The engine's sum against the same terms added up in float64.

    Each of n terms is rounded once and meets at most n - 1 additions, each of which rounds by at
    most u = 2^-24 (float32) of a partial sum, so the error is at most n * u / (1 - n * u) times the
    sum of the terms' sizes (Higham, "Accuracy and stability of numerical algorithms", section 4.2).
    ``extra`` counts further roundings of a term, ``hidden`` is the size of what cancels inside one.
    Where all terms, before any rounding, are multiples of one power of two and their sizes add up to less
    than 1/u of it, every partial sum is a float: nothing is rounded, unless ``extra`` stands for a function.
    """
    terms = [*leaves(tree.parts), *([] if bias is None else [Term("bias", bias)])]
    values = [term.value for term in terms]
    reference = total(values)
    if not math.isfinite(reference):
        return Check("float64", engine, reference, 0.0, "not a finite number")
    u, size = half_epsilon(dtype), math.fsum(map(abs, values)) + hidden
    unit = min((_lowest_bit(term) for term in terms if term.value), default=1.0)
    if size == 0 or (size < unit / u and extra < _FUNCTION):
        return Check(
            "float64", engine, reference, 0.0, f"every partial sum is a {dtype.name}: exact"
        )
    roundings = len(values) + extra
    if dtype == np.float64:
        roundings += 1  # of the reference's own products
    bound = roundings * u / (1 - roundings * u) * size
    last = roundings * float(np.finfo(dtype).smallest_subnormal)
    if last > bound / 100:
        why = f"{roundings:,} times the smallest {dtype.name}: there are no more digits below it"
        return Check("float64", engine, reference, bound + last, why)
    noun = "term" if roundings == len(values) else "rounding"
    what = many(roundings, noun)
    why = f"{what} * {rounding_unit(dtype)} * the sum of the terms' sizes, {number(size)}"
    return Check("float64", engine, reference, bound + last, why)


def _lowest_bit(term: Part) -> float:
    """The largest power of two that divides a term, of a product before float64 rounds it."""
    return math.prod(map(_power_of_two, term.factors or (term.value,)))


def _power_of_two(value: float) -> float:
    """The largest power of two that divides ``value``."""
    mantissa, exponent = math.frexp(value)
    whole = int(mantissa * 2**53)
    return math.ldexp(whole & -whole, exponent - 53)
