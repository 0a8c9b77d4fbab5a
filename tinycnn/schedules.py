"""Learning rates that change: a schedule is called with a step or an epoch, and gives the rate.

``optimizer.rate = schedule(epoch)``. What is counted, steps or epochs, is the caller's choice; numbers
between whole ones are fine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tinycnn.errors import ArgumentError
from tinycnn.validation import check_int, check_items, check_number


class Schedule:
    """A learning rate for each step or epoch, counted from 0: ``schedule(step)``.

    What a schedule remembers of a run, `state_numbers` gives as JSON holds it, and `load_state` puts back;
    most remember nothing. Where ``ended`` is true, a run that goes by it is over.
    """

    ended = False

    def __call__(self, step: float) -> float:
        raise NotImplementedError

    def update(self, error: float) -> float | None:
        """Take the ``error`` of a validation, what should fall; most schedules go by steps alone."""
        return None

    def state_numbers(self) -> dict[str, Any]:
        """What it remembers."""
        return {}

    def load_state(self, numbers: Mapping[str, Any]) -> None:
        """Put back ``numbers`` as `state_numbers` gave them; raises ArgumentError for others."""
        expected = self.state_numbers()
        if set(numbers) != set(expected):
            raise ArgumentError(
                f"the state of {type(self).__name__} has {', '.join(expected) or 'no numbers'}, "
                f"got {', '.join(map(str, numbers)) or 'none'}"
            )


class Steps(Schedule):
    """``rate``, multiplied by ``factor`` at each of the steps ``at``, a rising list: [30, 60], say.

    Raises ArgumentError for steps that do not rise, a rate or factor that is no finite number from 0 up.
    """

    def __init__(self, rate: float, at: Sequence[float], factor: float = 0.1) -> None:
        self.rate = check_number(rate, "rate")
        self.factor = check_number(factor, "factor")
        self.at = [check_number(step, "at") for step in check_items(at, "at", "a list of steps")]
        if any(after <= before for before, after in pairwise(self.at)):
            raise ArgumentError(f"at must be steps that rise, such as [30, 60], got {at!r}")

    def __call__(self, step: float) -> float:
        passed = sum(check_number(step, "step") >= change for change in self.at)
        return self.rate * self.factor**passed


class Cosine(Schedule):
    """From ``rate`` at step 0 along half a cosine down to ``least`` at step ``steps``, where it stays.

        least + (rate - least) * (1 + cos(pi * step / steps)) / 2

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5.
    Raises ArgumentError for steps that are not above 0, a rate that is no finite number from 0 up.
    """

    def __init__(self, rate: float, steps: float, least: float = 0.0) -> None:
        self.rate = check_number(rate, "rate")
        self.steps = check_number(steps, "steps", above=0)
        self.least = check_number(least, "least")

    def __call__(self, step: float) -> float:
        part = min(check_number(step, "step") / self.steps, 1.0)
        return self.least + (self.rate - self.least) * (1 + math.cos(math.pi * part)) / 2


class WarmUp(Schedule):
    """In the first ``steps`` steps the rate rises evenly to that with which ``then`` begins; then ``then``.

        then(0) * (step + 1) / (steps + 1)  before step ``steps``,  then(step - steps)  from it on

    ``then`` is a schedule or a rate that stays. Source: Goyal et al., "Accurate, large minibatch SGD:
    training ImageNet in 1 hour", 2017, section 2.2. Raises ArgumentError for another ``then``, and for steps
    that are no finite number from 0 up.
    """

    def __init__(self, steps: float, then: Schedule | float) -> None:
        self.steps = check_number(steps, "steps")
        self.then = then if isinstance(then, Schedule) else Steps(check_number(then, "then"), ())

    def __call__(self, step: float) -> float:
        step = check_number(step, "step")
        if step < self.steps:
            return self.then(0) * (step + 1) / (self.steps + 1)
        return self.then(step - self.steps)

    def update(self, error: float) -> float | None:
        rate = self.then.update(error)
        self.ended = self.then.ended
        return rate

    def state_numbers(self) -> dict[str, Any]:
        return self.then.state_numbers()

    def load_state(self, numbers: Mapping[str, Any]) -> None:
        self.then.load_state(numbers)
        self.ended = self.then.ended


class DivideOnPlateau(Schedule):
    """``rate``, divided by ``by`` when validation stalls, as in the AlexNet paper.

    Call ``schedule.update(error)`` after each validation: ``error`` is what should fall, an error rate or a
    loss. It stalls when, ``patience`` times in a row, it has not fallen below the best so far by more than
    ``least`` times that; then the rate is divided. After ``times`` divisions (None: any number) the next
    stall makes ``ended`` true, and the rate stays. NaN is never an improvement.

    Source: Krizhevsky et al. 2012, section 5: divided by 10 when the validation error rate stopped
    improving, three times before the end; patience and ``least`` are this engine's. Raises ArgumentError
    for numbers outside their ranges.
    """

    def __init__(
        self,
        rate: float,
        by: float = 10.0,
        *,
        patience: int = 3,
        times: int | None = None,
        least: float = 0.0,
    ) -> None:
        self.rate = check_number(rate, "rate")
        self.by = check_number(by, "by", above=1)
        self.patience = check_int(patience, "patience")
        self.times = None if times is None else check_int(times, "times", least=0)
        self.least = check_number(least, "least", below=1)
        self.best = math.inf
        self.stalled = 0  # validations in a row without improvement
        self.divisions = 0
        self.ended = False

    def __call__(self, step: float = 0) -> float:
        """The rate at present, whatever the step."""
        return self.rate / self.by**self.divisions

    def update(self, error: float) -> float:
        """Take the ``error`` of a validation; gives the rate from now on."""
        error = _number(error, "error")
        margin = self.least * abs(self.best) if self.best < math.inf else 0.0
        if error < self.best - margin:
            self.best, self.stalled = error, 0
            return self()
        self.stalled += 1
        if self.stalled >= self.patience:
            self.stalled = 0
            self.ended = self.ended or self.divisions == self.times
            self.divisions += not self.ended
        return self()

    def state_numbers(self) -> dict[str, Any]:
        best = None if self.best == math.inf else self.best
        return {
            "best": best, "stalled": self.stalled, "divisions": self.divisions, "ended": self.ended,
        }  # fmt: skip

    def load_state(self, numbers: Mapping[str, Any]) -> None:
        super().load_state(numbers)
        stalled, divisions = (
            check_int(numbers[name], name, least=0) for name in ("stalled", "divisions")
        )
        best = math.inf if numbers["best"] is None else _number(numbers["best"], "best")
        self.best, self.stalled, self.divisions, self.ended = (
            best, stalled, divisions, bool(numbers["ended"]),
        )  # fmt: skip


def _number(value: Any, name: str) -> float:
    """Read a number, which may be infinite or NaN."""
    if not isinstance(value, (int, float, np.integer, np.floating)):
        raise ArgumentError(f"{name} must be a number, got {value!r}")
    return float(value)
