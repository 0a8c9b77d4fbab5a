"""Differences at several steps extrapolated to step 0, with an estimate of what is still wrong.

A central difference is off by a series in step**2, so the polynomial in step**2 through several of
them, taken at 0, is closer (Richardson). Neville's tableau and the choice of its entry are Ridders'
("Accurate computation of F'(x) and F'(x)F''(x)", 1982; Press et al., Numerical Recipes, 5.7).

The slopes ahead of the point and behind it differ by a series in step where the function is smooth,
however curved, and by more than that at a kink: the gap is extrapolated likewise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

WINDOW = 5  # steps that are extrapolated together
SLOWLY = "the slopes ahead and behind come together too slowly to tell whether here is a kink"
SAFETY = 4.0  # times an estimated error is allowed for


@dataclass(frozen=True)
class Reading:
    """The differences at one step: the slope, and what may be wrong about it."""

    step: float
    slope: float  # central difference
    gap: float  # slope ahead minus slope behind
    noise: float  # what rounding of the outputs that move may have added to slope
    blind: float  # the same, of all outputs: a slope below it may leave every output as it is
    spread: float  # root of the sum of squares of the outputs' shares in gap
    still: bool = False  # no output moves, though some do at larger steps


@dataclass(frozen=True)
class Derivative:
    """A derivative, what may be wrong about it, and the kink that makes it meaningless, if any."""

    value: float
    error: float  # estimated, in the units of value
    step: float  # the smallest of the steps that it was found from
    noise: float
    blind: float
    gap: float = 0.0  # of the slopes ahead and behind, where it does not go to 0
    kink: str = ""
    unclear: str = ""  # why a value that differs from it is not proven wrong

    @property
    def own_noise(self) -> bool:
        """Whether float64's rounding of the outputs explains the whole error."""
        return self.error <= 100 * max(self.noise, self.blind)


def extrapolate(
    readings: Sequence[Reading], allowed: float, *, smooth: bool, coarse: bool = False
) -> Derivative:
    """The derivative from the last few readings, two at least.

    Unless the function is known to be ``smooth`` between these points, a gap that does not go to 0
    makes it a kink; one within ``allowed`` does not matter. Of a function that rounds coarsely
    (``coarse``) no smaller gap is seen than its rounding makes: that one is an error like others.
    """
    readings = readings[-WINDOW:]
    # Python's floats: of five numbers NumPy's take several times as long.
    steps = [reading.step / readings[0].step for reading in readings]
    squares = [step * step for step in steps]
    value, error, row = _neville(squares, [reading.slope for reading in readings])
    noise, blind = readings[row].noise, readings[0].blind
    found = Derivative(value, max(error, noise), readings[-1].step, noise, blind)
    if smooth or not any(reading.gap for reading in readings):
        return found
    gap, doubt, row = _neville(steps, [reading.gap for reading in readings])
    doubt += SAFETY * readings[row].noise
    if abs(gap) + doubt <= allowed:
        return found
    found = replace(found, gap=abs(gap))
    if abs(gap) > SAFETY * doubt:
        return replace(found, kink="a kink: the slope ahead is another than behind, at any step")
    if coarse:  # gaps of several outputs may cancel, their spread does not
        spread = _neville(steps, [reading.spread for reading in readings])[0]
        left = max(abs(gap), abs(spread) - SAFETY * SAFETY * readings[-1].noise)
        return replace(found, error=max(found.error, left / 2))
    return replace(found, error=found.error + (abs(gap) + doubt) / 2, unclear=SLOWLY)


def refuted(claim: float, readings: Sequence[Reading]) -> bool:
    """Whether a slope of ``claim`` lies outside what some step leaves open.

    The slope at the point lies between those ahead and behind, if it varies evenly in between; so
    their gap bounds it whatever the series in step looks like (that of |x|**1.5 near 0 has roots).
    The gaps of several outputs may cancel: here they are added as independent ones are.
    """
    return any(
        abs(claim - reading.slope) > 2 * reading.spread + SAFETY * reading.noise
        for reading in readings
    )


def settled(found: Sequence[Derivative]) -> Derivative:
    """The best value that its neighbours confirm and no smaller step contradicts.

    ``found`` is in the order of falling steps. Three in a row must be about equal: values that still
    run away as the step falls have a small error by chance only.
    """
    plateaus = []
    for i in range(len(found) - 2):
        trio = found[i : i + 3]
        error = max(one.error for one in trio)
        best = replace(min(trio, key=lambda one: one.error), error=error)
        contradicted = any(_contradicts(one, best) for one in found[i + 3 :])
        if len(clear(trio)) == 3 and _level(trio) and not contradicted:
            plateaus.append(best)
    if plateaus:
        return min(plateaus, key=lambda one: one.error)
    return replace(certain(found), unclear="differences at several steps do not settle")


def clear(found: Sequence[Derivative]) -> list[Derivative]:
    """The derivatives that no kink may have spoilt."""
    return [one for one in found if not (one.kink or one.unclear)]


def certain(found: Sequence[Derivative]) -> Derivative:
    """The value of least error among those that no kink may have spoilt, if there are any.

    A kink at the point itself is there at every step: smaller steps that leave no room for one of
    its size show that it only lies nearby.
    """
    safe = clear(found)
    kinks = [i for i, one in enumerate(found) if one.kink]
    if not safe and kinks:
        last = found[kinks[-1]]
        safe = [one for one in found[kinks[-1] + 1 :] if one.error < 0.01 * last.gap] or [last]
    return min(safe or found, key=lambda one: one.error)


def _level(trio: Sequence[Derivative]) -> bool:
    values = [one.value for one in trio]
    doubt = max(max(values) - min(values), max(one.error for one in trio))
    rounding = max(max(one.noise, one.blind) for one in trio)
    return doubt <= max(1e-3 * max(map(abs, values)), 100 * rounding)


def _contradicts(one: Derivative, other: Derivative) -> bool:
    return abs(one.value - other.value) > 10 * (one.error + other.error)


def _neville(x: Sequence[float], values: Sequence[float]) -> tuple[float, float, int]:
    """Extrapolate ``values`` at ``x`` to x = 0: the value, its estimated error, the last row used.

    T[i, j] is the polynomial of degree j through values i-j .. i, at 0. Its error is estimated by
    how far it lies from both entries that it was made of; the entry of least error is taken.
    """
    best = (values[-1], abs(values[-1] - values[-2]), len(values) - 1)
    row = [values[0]]
    for i in range(1, len(values)):
        new = [values[i]]
        for j in range(1, i + 1):
            factor = 1 / (x[i - j] / x[i] - 1)
            new.append(new[-1] + (new[-1] - row[j - 1]) * factor)
            error = max(abs(new[j] - new[j - 1]), abs(new[j] - row[j - 1]))
            if error <= best[1]:
                best = (new[j], error, i)
        row = new
    return best
