"""A run whose loss is no number any more, or grows and stays there: stopped, with what to try."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import TrainingError
from tinycnn.trace import Trace

if TYPE_CHECKING:
    from tinycnn.training.trainer import Trainer

# A loss is out of bounds above so many times the first one, or that of a network that answers 0 throughout,
# which for cross-entropy is ln(classes): the larger of the two. A single step may be so; many in a row end.
_TIMES, _MANY = 10, 20
# Standardized inputs are seldom larger.
_LARGE = 20


class LossWatch:
    """Looks at each step before it is made."""

    def __init__(self) -> None:
        self._limit = math.nan
        self._above = 0  # steps in a row

    @property
    def is_good(self) -> bool:
        """Whether the last step's loss was within bounds."""
        return self._above == 0

    def expect_good(self, trainer: Trainer, trace: Trace, labels: Array, norm: float) -> None:
        """Raise TrainingError where ``trace``, whose gradient has ``norm``, shows that the run diverges."""
        loss = float(trace.loss or 0.0)
        if not math.isfinite(loss):
            raise _error(trainer, trace, norm, f"the loss is {loss}")
        if not math.isfinite(norm):
            raise _error(trainer, trace, norm, f"the gradient's norm is {norm}")
        if math.isnan(self._limit):
            first = [*trainer.history.steps[:1], loss][0]
            self._limit = _TIMES * max(first, _loss_of_zeros(trainer, trace, labels))
        self._above = self._above + 1 if loss > self._limit else 0
        if self._above >= _MANY:
            what = f"the loss has been above {self._limit:.4g} for {_MANY} steps"
            raise _error(trainer, trace, norm, what)


def _loss_of_zeros(trainer: Trainer, trace: Trace, labels: Array) -> float:
    with np.errstate(all="ignore"):
        value = float(trainer.loss(np.zeros_like(trace.outputs_for(trainer.loss)), labels)[0])
    return value if math.isfinite(value) else math.inf


def _error(trainer: Trainer, trace: Trace, norm: float, what: str) -> TrainingError:
    steps, rate, loss = trainer.history.steps, trainer.optimizer.rate, float(trace.loss or 0.0)
    before = f"; the loss was {steps[0]:.4g} at first, {steps[-1]:.4g} before" if steps else ""
    tried = "; ".join(f"({i}) {words}" for i, words in enumerate(_advice(trainer, trace.x), 1))
    seen = (
        f"{what} in step {len(steps) + 1} (loss {loss:.4g}, rate {rate:g}, gradient's norm {norm:.4g}"
        f"{before})"
    )
    return TrainingError(
        f"{seen}. Try {tried}.{_way_back(trainer)}", what=seen,
        step=len(steps), loss=loss, gradient_norm=norm, rate=rate,
    )  # fmt: skip


def _advice(trainer: Trainer, x: Array) -> list[str]:
    """What to try, the likeliest first."""
    largest = float(np.abs(x).max(initial=0.0))
    if not math.isfinite(largest):
        return ["to find where the NaN or infinity comes from that this batch holds"]
    tried = []
    if largest > _LARGE:
        tried.append(
            f"inputs of mean 0 and deviation 1, tc.data.Standardize.of(train): these go up to {largest:.4g}"
        )
    rate = trainer.optimizer.rate
    tried.append(
        f"half the rate, {rate / 2:g}" + (" (of the schedule)" if trainer.schedule else "")
    )
    if trainer.clip == math.inf:
        tried.append("clipped gradients, Trainer(..., clip=1.0)")
    else:
        tried.append(f"a lower clip than {trainer.clip:g}")
    if trainer.schedule is None:
        tried.append(f"a rate that rises at first, schedule=tc.schedules.WarmUp(100, {rate / 2:g})")
    return tried


def _way_back(trainer: Trainer) -> str:
    folder = trainer.folder
    if folder is None or not folder.latest.exists():
        return ""
    return f" The last good checkpoint is {str(folder.latest)!r}: trainer.resume() goes back to it."
