"""A number measured round by round: its median and its spread, and ratios within the rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

# Seconds of a call by candidate, one number a round; None where a candidate had no turn in a round.
Rounds = dict[str, list[float]]


@dataclass(frozen=True)
class Spread:
    """Median, lower and upper quartile of some rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise the numbers of at least one round."""
        low, high = np.quantile(values, (0.25, 0.75)).tolist()
        return cls(median(values), low, high)

    def times(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)


def ratio(rounds: Rounds, over: str, under: str) -> Spread:
    """How many times longer ``over`` takes than ``under``: the quotients of their times in one round."""
    return Spread.of([a / b for a, b in zip(rounds[over], rounds[under], strict=True)])


def fastest(rounds: Rounds, names: Sequence[str]) -> str | None:
    """Whose median is least among those of ``names`` that were measured."""
    measured = [name for name in names if name in rounds]
    return min(measured, key=lambda name: median(rounds[name]), default=None)


def geometric_mean(values: Sequence[float]) -> float:
    """exp(mean(log(values))): the mean of ratios that treats 2 and 1/2 alike."""
    return float(np.exp(np.mean(np.log(values))))


def plain(value: object) -> object:
    """``value`` as plain data, a `Spread` as a dict of its numbers."""
    if isinstance(value, Spread):
        return {"median": value.median, "low": value.low, "high": value.high}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


def unplain(value: object) -> object:
    """The `Spread` or number of which `plain` made ``value``."""
    return Spread(**value) if isinstance(value, dict) else value
