"""The training loop with all that people want around it; each piece is a file beside this one."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.checkpoints import Folder
from tinycnn.errors import ArgumentError
from tinycnn.losses import CrossEntropy, LossFunction
from tinycnn.model import Sequential
from tinycnn.optimizers import Optimizer, clip_by_norm
from tinycnn.progress import Progress
from tinycnn.schedules import Schedule
from tinycnn.trace import Gradients, Trace
from tinycnn.training import checkpointing
from tinycnn.training.callbacks import EarlyStopping
from tinycnn.training.checkpointing import Timetable
from tinycnn.training.divergence import LossWatch
from tinycnn.training.evaluation import Evaluation, are_classes, evaluate
from tinycnn.training.history import Epoch, History
from tinycnn.training.interruption import Interruption
from tinycnn.training.monitoring import check_monitor, chosen_monitor, error_of
from tinycnn.training.preconditions import expect_fit
from tinycnn.training.running import Running
from tinycnn.training.source import (
    Source,
    classes_of,
    facts_of,
    images_in,
    rest_of_epoch,
)
from tinycnn.validation import check_int, check_items, check_number, check_rng
from tinycnn.wording import many


class _StoppedError(Exception):
    """A validation that is not to go on."""


class Trainer:
    """Trains ``model`` by ``optimizer``, epoch by epoch; `fit` is the loop, `history` what it came to.

    - ``loss``: one of `tinycnn.losses`; None: cross-entropy.
    - ``schedule``: called with the number of steps made so far, gives the next step's rate. One that goes by
      validations, as `schedules.DivideOnPlateau`, is told each epoch's error; when it has ended, so does fit.
    - ``clip``: the largest norm of a gradient; see `optimizers.clip_by_norm`.
    - ``callbacks``: objects with any of the methods of `Callback`; ``early_stopping``: an `EarlyStopping`.
    - ``checkpoints``: a folder, by its path or as `checkpoints.Folder`. The latest checkpoint is written
      after each epoch, every ``checkpoint_steps`` steps and every ``checkpoint_minutes`` minutes, and the
      best one, by ``monitor``. ``parts`` by name are kept in each, besides what the run goes on from.
    - ``monitor``: "validation_accuracy", "validation_loss", "accuracy" or "loss"; None: the first of these
      that is measured. A schedule's error is it, an accuracy from 1.
    - ``rng``: a seed, or a Generator, from which each step draws its dropout masks.
    - ``progress``: a bar on stderr by tqdm, with images a second and the time left; None: on a terminal.

    For callbacks: ``gradients`` are those of the last step, clipped, in memory that the next one uses again;
    ``evaluation`` is the last validation, with its confusion matrix; ``epoch`` counts from 0, ``batch`` is
    the next one of it; ``outcome`` says why the last fit ended.

    The same seeds give the same bits, for any number of threads and after a resume at any step.

    Raises ArgumentError for arguments outside their range and an optimizer of another model, and
    CheckpointError where the folder cannot be made.
    """

    def __init__(
        self,
        model: Sequential,
        optimizer: Optimizer,
        *,
        loss: LossFunction | None = None,
        schedule: Schedule | None = None,
        clip: float | None = None,
        callbacks: Sequence[Any] = (),
        early_stopping: EarlyStopping | None = None,
        checkpoints: str | Path | Folder | None = None,
        checkpoint_steps: int | None = None,
        checkpoint_minutes: float | None = None,
        parts: Mapping[str, Any] | None = None,
        monitor: str | None = None,
        rng: int | np.random.Generator | None = 0,
        progress: bool | None = None,
    ) -> None:
        if not isinstance(optimizer, Optimizer) or optimizer.model is not model:
            raise ArgumentError(
                f"optimizer must be one of this model, such as tc.optimizers.SGD(model), got {optimizer!r}"
            )
        if schedule is not None and not isinstance(schedule, Schedule):
            raise ArgumentError(
                f"schedule must be called with the number of steps, as those of tinycnn.schedules, got "
                f"{schedule!r}; a rate that stays is the optimizer's"
            )
        self.model, self.optimizer, self.schedule = model, optimizer, schedule
        self.loss = CrossEntropy() if loss is None else loss
        self.clip = math.inf if clip is None else check_number(clip, "clip", above=0)
        expected = "objects with any of the methods of tinycnn.training.Callback"
        given = check_items(callbacks, "callbacks", expected)
        self.callbacks = [*([] if early_stopping is None else [early_stopping]), *given]
        self.folder = Folder(checkpoints) if isinstance(checkpoints, (str, Path)) else checkpoints
        self._timetable = Timetable(
            None if checkpoint_steps is None else check_int(checkpoint_steps, "checkpoint_steps"),
            None if checkpoint_minutes is None
            else check_number(checkpoint_minutes, "checkpoint_minutes", above=0),
        )  # fmt: skip
        self.parts = checkpointing.check_parts(parts or {})
        self.monitor = None if monitor is None else check_monitor(monitor)
        self.rng = check_rng(rng)
        self.progress = progress

        self.history, self.running = History(), Running()
        self.epoch, self.batch = 0, 0  # which is being trained on, and the next one of it
        self.data: dict[str, int] | None = None  # of which data that is
        self.interrupted = False
        self.outcome = ""
        self.gradients: Gradients | None = None
        self.evaluation: Evaluation | None = None
        self._watch = LossWatch()
        self._stopping = False

    @property
    def steps(self) -> int:
        """Steps made so far, those before a resume among them."""
        return len(self.history.steps)

    @property
    def is_good(self) -> bool:
        """Whether the last step's loss was within bounds, so that a checkpoint is worth writing."""
        return self._watch.is_good

    def resume(self) -> bool:
        """Go on from the latest checkpoint of the folder, and say whether there is one.

        Parameters, optimizer, schedule, random state, position, history and callbacks are as they were: the
        run ends in the same bits as one that was never stopped. Build all as before, with the same data,
        seeds and settings. Raises CheckpointError for a damaged file, or another network's, and ArgumentError
        for another optimizer's or schedule's state; then all is as it was.
        """
        return checkpointing.resume(self)

    def stop(self, why: str = "it was asked to") -> None:
        """Let `fit` finish the step, save and return, ``why`` being its ``outcome``.

        From a callback, another thread or a signal's handler.
        """
        self._stopping, self.outcome = True, f"stopped: {why}"

    def fit(self, batches: Source, validation: Source | None = None, *, epochs: int) -> History:
        """Train until ``epochs`` epochs are done, those before a resume among them; gives the history.

        ``batches`` are `tinycnn.data.Batches`, or a list of (x, labels), the same in each epoch; so is
        ``validation``, which is looked at after each epoch. The position of Batches is the trainer's matter.

        Ctrl-C: the step is finished and saved, then KeyboardInterrupt is raised as ever; ``interrupted`` says
        so. A second one ends at once. Raises TrainingError, with what to try, where the loss or the gradient
        is no number or the loss stays far above where it began; the last good checkpoint is kept. Raises
        ArgumentError for batches of another kind, for a folder that holds a run which has not been resumed,
        and for an epoch that is gone on with in its middle on other data.
        """
        epochs = check_int(epochs, "epochs")
        expect_fit(self, batches, validation)
        self.data = facts_of(batches)
        self._stopping, self.interrupted, self.outcome = False, False, f"{epochs} epochs are done"
        self._watch = LossWatch()  # one that has seen a run diverge would not let it save
        each = images_in(batches)
        done = min(self.epoch * each + self.running.images, epochs * each)
        bar = Progress("training", epochs * each, unit=" images", done=done, shown=self.progress)
        with Interruption(lambda: self.stop("Ctrl-C")) as interruption, bar:
            self._tell("on_begin")
            while self.epoch < epochs and not self._stopping and not self._has_ended():
                bar.name(f"epoch {self.epoch + 1}/{epochs}")
                self._timetable.begin()
                self._epoch(batches, validation, bar)
            self.interrupted = interruption.pressed
            self._tell("on_end")
        if interruption.pressed:
            raise KeyboardInterrupt(self._said())
        return self.history

    # ------------------------------------------------------------------------------------ an epoch

    def _epoch(self, batches: Source, validation: Source | None, bar: Progress) -> None:
        """Train on what is left of the epoch, validate and save; or save where it was stopped."""
        with closing(rest_of_epoch(batches, self.epoch, self.batch)) as rest:
            began = time.perf_counter()
            for following, x, labels in rest:
                self._step(x, labels)
                self.batch = following
                now = time.perf_counter()
                self.running.seconds += now - began
                began = now
                self._after_step(labels, bar)
                if self._stopping:
                    checkpointing.save(self)
                    return
        self.batch = len(batches)
        measured = None if validation is None else self._validate(validation)
        if validation is not None and measured is None:  # stopped in its middle
            checkpointing.save(self)
            return
        self._end_epoch(measured, bar)

    def _step(self, x: ArrayLike, labels: Array) -> None:
        """The explicit loop's four lines, and a look at the loss before anything changes."""
        if self.schedule is not None:
            self.optimizer.rate = self.schedule(self.steps)
        trace = self.model.trace(x, training=True, rng=self.rng)
        gradients = trace.backward(labels=labels, loss=self.loss, out=self.gradients)
        self.gradients = gradients
        norm = clip_by_norm(gradients, self.clip)
        self._watch.expect_good(self, trace, labels, norm)
        self.optimizer.step(gradients)
        self._count(trace, labels, norm)

    def _count(self, trace: Trace, labels: Array, norm: float) -> None:
        outputs = trace.outputs_for(self.loss)
        right = None
        if are_classes(outputs, labels):
            right = int((outputs.argmax(axis=1) == labels).sum())
        self.running.add(len(labels), float(trace.loss or 0.0), right, norm)
        self.history.steps.append(float(trace.loss or 0.0))

    def _after_step(self, labels: Array, bar: Progress) -> None:
        bar.note(f"loss {self.running.mean_loss:.4f}")
        bar.advance(len(labels))
        self._tell("on_step", self.steps)
        if self._timetable.is_due(self.steps) and not self._stopping:
            checkpointing.save(self)
            self._timetable.begin()

    def _validate(self, validation: Source) -> Evaluation | None:
        """The network on the validation part; None where it is to stop before that is done."""

        def until_stopped() -> Iterator[tuple[ArrayLike, Array]]:
            with closing(rest_of_epoch(validation, 0, 0)) as rest:
                for _, x, labels in rest:
                    if self._stopping:
                        raise _StoppedError
                    yield x, labels

        try:
            return evaluate(
                self.model, until_stopped(), loss=self.loss, classes=classes_of(validation)
            )
        except _StoppedError:
            return None

    def _end_epoch(self, measured: Evaluation | None, bar: Progress) -> None:
        row = self.running.row(self.epoch + 1, self.steps, self.optimizer.rate, measured)
        self.history.rows.append(row)
        self.evaluation = measured
        self.epoch, self.batch, self.running = self.epoch + 1, 0, Running()
        if self.schedule is not None:
            self.schedule.update(error_of(row, self.monitor or chosen_monitor(row)))
        bar.write(str(row))
        self._tell("on_epoch", row)
        checkpointing.save(self, row)

    # ---------------------------------------------------------------------------------- around it

    def _has_ended(self) -> bool:
        """Whether the schedule says that the run is over."""
        if self.schedule is None or not self.schedule.ended:
            return False
        self.outcome = "the schedule has ended"
        return True

    def _tell(self, event: str, *facts: int | Epoch) -> None:
        for callback in self.callbacks:
            told = getattr(callback, event, None)
            if told is not None:
                told(self, *facts)

    def _said(self) -> str:
        words = f"stopped after {many(self.steps, 'step')}"
        if self.folder is None or not self.folder.latest.exists():
            return words
        return f"{words}; trainer.resume() goes on from {str(self.folder.latest)!r}"
