"""What a run goes on from, written to its folder and read again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinycnn import checkpoints
from tinycnn.errors import ArgumentError
from tinycnn.training.history import Epoch
from tinycnn.training.monitoring import chosen_monitor, score_of

if TYPE_CHECKING:
    from tinycnn.training.trainer import Trainer

_SECONDS = 60  # a minute


class Timetable:
    """When the next checkpoint within an epoch is due: every so many steps, minutes, or either."""

    def __init__(self, steps: int | None, minutes: float | None) -> None:
        self._steps, self._minutes = steps, minutes
        self.begin()

    def begin(self) -> None:
        """Count minutes from now, when one was written."""
        self._last = time.monotonic()

    def is_due(self, step: int) -> bool:
        """Whether one is, after ``step`` steps of the run."""
        by_steps = self._steps is not None and step % self._steps == 0
        passed = time.monotonic() - self._last
        return by_steps or (self._minutes is not None and passed >= _SECONDS * self._minutes)


# What `save` calls its own, besides callback_EarlyStopping and others.
_OWN = ("score", "rng", "position", "optimizer", "running", "history", "schedule")
_CALLBACK = "callback_"


def check_parts(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Read what is to be kept besides; ArgumentError for a name that is taken."""
    for name in parts:
        if name in _OWN or name.startswith(_CALLBACK):
            raise ArgumentError(f"parts may not be called {name}: that is the trainer's own")
    return dict(parts)


def state_of(trainer: Trainer) -> dict[str, Any]:
    """What the trainer keeps of itself, by name: all that has a state, and where it is."""
    kept = {
        "optimizer": trainer.optimizer,
        "running": trainer.running,
        "history": trainer.history,
    }
    if trainer.schedule is not None:
        kept["schedule"] = trainer.schedule
    return kept | _callbacks_of(trainer)


def _callbacks_of(trainer: Trainer) -> dict[str, Any]:
    """Those that have a state, by their class: one that is added or left out moves no other's."""
    kept: dict[str, Any] = {}
    for callback in trainer.callbacks:
        if hasattr(callback, "load_state"):
            name = f"{_CALLBACK}{type(callback).__name__}"
            number = 1 + sum(other.partition("-")[0] == name for other in kept)
            kept[name if number == 1 else f"{name}-{number}"] = callback
    return kept


def save(trainer: Trainer, row: Epoch | None = None) -> None:
    """Write the latest checkpoint; at the end of an epoch, ``row``, maybe the best as well.

    Nothing is written where the run has gone wrong, so that the last good one stays.
    """
    if trainer.folder is None or not trainer.is_good:
        return
    if not np.isfinite(trainer.model.parameters().flat).all():
        return
    score = None if row is None else score_of(row, trainer.monitor or chosen_monitor(row))
    position = {"epoch": trainer.epoch, "batch": trainer.batch, "data": trainer.data}
    trainer.folder.save(
        trainer.model, score=score, rng=trainer.rng, position=position, **state_of(trainer),
        **trainer.parts,
    )  # fmt: skip


def resume(trainer: Trainer) -> bool:
    """Go on where the latest checkpoint was written, if there is one."""
    if trainer.folder is None:
        raise ArgumentError(
            "there is nothing to resume from: give Trainer(..., checkpoints=FOLDER)"
        )
    if not trainer.folder.latest.exists():
        return False

    def kept(parts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: each
            for name, each in state_of(trainer).items()
            if name in parts or not name.startswith(_CALLBACK)  # a new callback begins anew
        }

    parts = checkpoints.resume(trainer.folder.latest, trainer.model, kept)
    position = parts["position"]
    trainer.rng = parts["rng"]
    trainer.epoch, trainer.batch, trainer.data = (
        position["epoch"], position["batch"], position["data"],
    )  # fmt: skip
    return True
