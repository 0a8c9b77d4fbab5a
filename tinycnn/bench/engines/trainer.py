"""This engine by `tinycnn.training`, with all that is around the loop: data, metrics, norms, a bar."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from tinycnn.arrays import Array
from tinycnn.bench import epochs, work
from tinycnn.bench.engines import Contender
from tinycnn.bench.engines.ours import checked_step
from tinycnn.bench.work import Workload
from tinycnn.model import Sequential
from tinycnn.optimizers import SGD
from tinycnn.training import Trainer


def load(workload: Workload, way: str, threads: int, folder: Path) -> Contender:
    """Load a network; a call is an epoch."""
    model = work.build(workload.network)
    batches = epochs.pictures(workload, model)
    optimizer = SGD(model, work.RATE, work.MOMENTUM, work.WEIGHT_DECAY)
    trainer = Trainer(model, optimizer, progress=True)

    def call() -> None:
        with redirect_stderr(StringIO()):  # the bar is drawn, where nobody sees it
            trainer.fit(batches, epochs=trainer.epoch + 1)

    return Contender(call, lambda: checked_step(workload, _step))


def _step(model: Sequential, optimizer: SGD, x: Array, labels: Array) -> float:
    history = Trainer(model, optimizer).fit([(x, labels)], epochs=1)
    return history.steps[0]
