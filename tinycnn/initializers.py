"""How parameters are drawn. An initializer fills an array it is handed: ``initializer(out, rng)``.

The fans of a weight tensor are fan_in = the product of all axes but the last, the terms of one
output, and fan_out = all axes but the last but one: for (KH, KW, C, F), KH*KW*C and KH*KW*F.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinycnn.arrays import Array, as_input_array, ieee, row_major
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import split_range
from tinycnn.validation import check_int, check_number

Initializer = Callable[[Array, np.random.Generator], None]

# Numbers that one child generator draws; how work is cut must not depend on threads.
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Constant:
    """Every element ``value``, a number."""

    value: float = 0.0

    def __call__(self, out: Array, rng: np.random.Generator) -> None:
        out[...] = as_input_array(self.value, "value", "...", out.dtype)


@dataclass(frozen=True)
class Gaussian:
    """Normal with mean 0 and standard deviation ``std``: the AlexNet paper's, with 0.01.

    What an array cannot hold becomes infinite there. Raises ArgumentError unless ``std`` is a finite
    number from 0 up.
    """

    std: float = 0.01

    def __post_init__(self) -> None:
        check_number(self.std, "std")

    def __call__(self, out: Array, rng: np.random.Generator) -> None:
        _draw(out, rng, lambda child, part: _normal(child, part, self.std))


@dataclass(frozen=True)
class He:
    """Normal with variance 2 / fan_in, which keeps activations level through ReLUs.

    Source: He et al., "Delving deep into rectifiers", 2015.
    """

    def __call__(self, out: Array, rng: np.random.Generator) -> None:
        Gaussian(math.sqrt(2 / max(fan_in(out), 1)))(out, rng)


@dataclass(frozen=True)
class Glorot:
    """Uniform within +-sqrt(6 / (fan_in + fan_out)).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010.
    """

    def __call__(self, out: Array, rng: np.random.Generator) -> None:
        fan_out = math.prod((*out.shape[:-2], *out.shape[-1:]))
        limit = math.sqrt(6 / max(fan_in(out) + fan_out, 1))
        _draw(out, rng, lambda child, part: _uniform(child, part, limit))


@dataclass(frozen=True)
class Dyadic:
    """Whole multiples of 1/1024, uniform within +-``limit``/1024: short sums of them are exact.

    With |x| <= 1 a multiple of 1/128 and 363 terms, a sum's partial sums are multiples of ``2**-17``
    below ``2**7`` as ``363 * 128 * 361 < 2**24``: float32 holds each without rounding, in any order.
    Raises ArgumentError unless ``limit`` is an int from 0 to ``2**53``, up to which float64 holds each.
    """

    limit: int = 361

    def __post_init__(self) -> None:
        check_int(self.limit, "limit", least=0, most=2**53)

    def __call__(self, out: Array, rng: np.random.Generator) -> None:
        out[...] = rng.integers(-self.limit, self.limit, out.shape, endpoint=True) / 1024


def fan_in(weights: Array) -> int:
    """Terms that are added up in one output: the product of all axes of ``weights`` but the last."""
    return math.prod(weights.shape[:-1])


def _draw(
    out: Array,
    rng: np.random.Generator,
    fill: Callable[[np.random.Generator, Array], None],
) -> None:
    """Fill ``out`` (C-contiguous) on all threads, each chunk from a child generator of its own."""
    flat, _ = row_major(out)
    chunks = split_range(flat.size, _CHUNK)
    children = zip(rng.spawn(len(chunks)), chunks, strict=True)
    parallel_for(lambda item: fill(item[0], flat[slice(*item[1])]), children)


@ieee
def _normal(rng: np.random.Generator, part: Array, std: float) -> None:
    rng.standard_normal(dtype=part.dtype, out=part)
    part *= part.dtype.type(std)


def _uniform(rng: np.random.Generator, part: Array, limit: float) -> None:
    rng.random(dtype=part.dtype, out=part)
    part -= part.dtype.type(0.5)
    part *= part.dtype.type(2 * limit)
