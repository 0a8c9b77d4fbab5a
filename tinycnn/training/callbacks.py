"""What is called while a network is trained, and early stopping, which is one of these."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.training.history import Epoch
from tinycnn.training.monitoring import check_monitor, error_of
from tinycnn.validation import check_int, check_number
from tinycnn.wording import many

if TYPE_CHECKING:
    from tinycnn.training.trainer import Trainer


class Callback:
    """What a `Trainer` calls, with itself as ``trainer``; subclass it and define what you need.

    What is to go on after a resume, it gives by `state_numbers` and `state_arrays`, as an optimizer does.
    ``trainer.stop()`` ends the run after the step.
    """

    def on_begin(self, trainer: Trainer) -> None:
        """Training begins, or goes on."""

    def on_step(self, trainer: Trainer, step: int) -> None:
        """Step number ``step``, from 1, is done; its loss is ``trainer.history.steps[-1]``."""

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        """An epoch is done and validated, ``row`` of the history; its checkpoint comes next."""

    def on_end(self, trainer: Trainer) -> None:
        """`Trainer.fit` is about to return; all is saved."""

    def state_numbers(self) -> dict[str, Any]:
        """What it remembers, as JSON holds it."""
        return {}

    def state_arrays(self) -> dict[str, Array]:
        """Arrays that it remembers."""
        return {}

    def load_state(self, arrays: Mapping[str, ArrayLike], numbers: Mapping[str, Any]) -> None:
        """Put back the ``arrays`` and ``numbers`` that these gave."""


class EarlyStopping(Callback):
    """Ends a ``trainer``'s run when ``monitor`` has not become better for ``patience`` epochs in a row.

    ``monitor`` is a loss, which should fall, or an accuracy, which should rise, of a history's row. Better
    is what passes the best so far by more than ``least``. With ``restore_best`` the model is in the end what
    it was in its best epoch; without it, `checkpoints.Folder.best` has that.
    Source: Prechelt, "Early stopping - but when?", 1998, where this is the class UP.

    Raises ArgumentError for numbers outside their ranges and a monitor that there is not.
    """

    def __init__(
        self,
        patience: int = 5,
        monitor: str = "validation_loss",
        *,
        least: float = 0.0,
        restore_best: bool = False,
    ) -> None:
        self.patience = check_int(patience, "patience")
        self.monitor = check_monitor(monitor)
        self.least = check_number(least, "least")
        self.restore_best = restore_best
        self.best, self.best_epoch, self.waited = (
            math.inf,
            0,
            0,
        )  # the best error, 1 - accuracy or loss
        self._arrays: dict[str, Array] = {}

    def on_begin(self, trainer: Trainer) -> None:
        """End at once where it has ended before."""
        self._stop_if_due(trainer)

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        """Look whether this epoch, ``row`` of the history, is better."""
        error = error_of(row, self.monitor)
        if error < self.best - (self.least if self.best < math.inf else 0.0):
            self.best, self.best_epoch, self.waited = error, row.epoch, 0
            if self.restore_best:
                self._arrays = {name: a.copy() for name, a in trainer.model.arrays().items()}
        else:
            self.waited += 1
        self._stop_if_due(trainer)

    def _stop_if_due(self, trainer: Trainer) -> None:
        if self.waited >= self.patience:
            trainer.stop(
                f"{self.monitor} was best in epoch {self.best_epoch}, "
                f"{many(self.waited, 'epoch')} ago"
            )

    def on_end(self, trainer: Trainer) -> None:
        """Put the best parameters back, if that is asked for and the run is not to go on."""
        if self._arrays and not trainer.interrupted:
            trainer.model.load_weights(self._arrays)

    def state_numbers(self) -> dict[str, Any]:
        """The best so far, and how long it has waited."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}

    def state_arrays(self) -> dict[str, Array]:
        """The best parameters, where they are to be put back."""
        return dict(self._arrays)

    def load_state(self, arrays: Mapping[str, ArrayLike], numbers: Mapping[str, Any]) -> None:
        """Put back the ``arrays`` and ``numbers`` that these gave."""
        self.best = float(numbers["best"])
        self.best_epoch, self.waited = int(numbers["best_epoch"]), int(numbers["waited"])
        kept = arrays if self.restore_best else {}
        self._arrays = {name: np.asarray(array) for name, array in kept.items()}
