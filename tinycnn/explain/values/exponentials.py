"""Sums of exponentials, of which softmax and the loss are made."""

from __future__ import annotations

import math

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.values.explanation import SumTree
from tinycnn.explain.values.printing import bracketed
from tinycnn.explain.values.sums import Source, Sum, Term, grouped
from tinycnn.wording import many


def exponentials(z: Array, at: tuple[int, ...] = ()) -> tuple[Sum, float]:
    """The exponentials of a row of logits, and the largest logit, by which they are shifted.

    ``at`` is the row's place, where there are several.
    """
    shift = float(z.max())
    terms = [
        Term(f"class {k}", math.exp(value - shift), Source("z", (*at, k)))
        for k, value in enumerate(z.tolist())
    ]
    return grouped("sum", terms, "classes"), shift


def exponentials_section(tree: Sum, shift: float) -> SumTree:
    """Show the exponentials; the shift carries enough digits to redo them."""
    largest = bracketed(f"{shift:.7f}")
    heading = f"{many(tree.terms, 'exponential')} exp(z - {largest}), shifted by the largest z:"
    return SumTree(heading, tree)


def exp_roundings(z: Array, shift: float) -> int:
    """Roundings of the sum of exponentials: n additions, 16 of exp, and those of z - shift.

    z - shift is rounded by its size times u, which exp makes a relative error; in the sum it counts
    as much as its exponential does.
    """
    gaps = shift - z[np.isfinite(z)] if math.isfinite(shift) else np.zeros(1)
    weights = np.exp(-gaps)
    return len(z) + 16 + math.ceil(float((gaps * weights).sum() / weights.sum()))
