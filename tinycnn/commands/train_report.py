"""What ``tinycnn train`` says while it works, and how it is told to end."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tinycnn.wording import many, option

if TYPE_CHECKING:
    from tinycnn.runs.run import TrainingRun
    from tinycnn.training import Epoch, Trainer

_SAY_EVERY = 60  # seconds


class Report:
    """Says on stderr how far a run is, where no bar shows it; and ends it when the system asks."""

    def __init__(self) -> None:
        self.is_terminated = False
        self._trainer: Trainer | None = None
        self._said = time.monotonic()

    def on_begin(self, trainer: Trainer) -> None:
        self._trainer = trainer
        if trainer.steps:
            say(f"going on after {many(trainer.steps, 'step')}")
        self._stop_if_terminated()

    def on_step(self, trainer: Trainer, step: int) -> None:
        if not sys.stderr.isatty() and time.monotonic() - self._said > _SAY_EVERY:
            self._said = time.monotonic()
            running = trainer.running
            say(
                f"epoch {trainer.epoch + 1}: {many(running.images, 'image')} in "
                f"{running.seconds:,.0f} s, loss {running.mean_loss:.4f}"
            )

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        if not sys.stderr.isatty():
            say(str(row))

    def on_end(self, trainer: Trainer) -> None:
        if (
            not self.is_terminated
            and not trainer.interrupted
            and trainer.outcome.startswith("stopped")
        ):
            say(trainer.outcome)

    def terminate(self, *_: object) -> None:
        """What SIGTERM does."""
        self.is_terminated = True
        self._stop_if_terminated()

    def words(self, work: TrainingRun) -> str:
        """How far it is, and how to go on."""
        steps = 0 if self._trainer is None else self._trainer.steps
        saved = "and saved" if work.folder.latest.exists() else "before anything was saved"
        way_on = f"tinycnn train --resume {option('--out', work.folder.path)}"
        return f"{many(steps, 'step')}, {saved}; go on with: {way_on}"

    def _stop_if_terminated(self) -> None:
        if self.is_terminated and self._trainer is not None:
            self._trainer.stop("SIGTERM")


@contextlib.contextmanager
def ended_by_sigterm(report: Report) -> Iterator[None]:
    """SIGTERM, by which systems and `timeout` end programs, finishes the step and saves."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, report.terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say(text: str) -> None:
    """Print a message at once, on stderr."""
    print(f"tinycnn: {text}", file=sys.stderr, flush=True)
