"""What must hold before anything is trained: data of the right kind, no other run's folder, a validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinycnn.errors import ArgumentError
from tinycnn.training.source import Source, check_source, facts_of

if TYPE_CHECKING:
    from tinycnn.training.trainer import Trainer


def expect_fit(trainer: Trainer, batches: Source, validation: Source | None) -> None:
    """Raise ArgumentError where `Trainer.fit` could only go wrong."""
    check_source(batches, "batches")
    if validation is not None:
        check_source(validation, "validation")
    _expect_same_data(trainer, batches)
    _expect_own_folder(trainer)
    for name in (trainer.monitor, *(getattr(each, "monitor", None) for each in trainer.callbacks)):
        if validation is None and str(name).startswith("validation"):
            raise ArgumentError(f"{name} is monitored: give fit(batches, validation, ...)")


def _expect_same_data(trainer: Trainer, batches: Source) -> None:
    """In the middle of an epoch: its position means nothing on other data."""
    facts = facts_of(batches)
    if trainer.batch and trainer.data != facts:
        raise ArgumentError(
            f"epoch {trainer.epoch + 1} was begun on other data, {trainer.data}, and its position means "
            f"nothing on {facts}: build the batches as they were"
        )


def _expect_own_folder(trainer: Trainer) -> None:
    folder = trainer.folder
    if folder is not None and not trainer.steps and folder.latest.exists():
        raise ArgumentError(
            f"{str(folder.path)!r} holds a run already: go on with it by trainer.resume(), or give "
            f"another folder"
        )
