"""A run: data, network and settings put together, trained, and all of it kept in a folder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from tinycnn import figures, strict_json
from tinycnn.data.dataset import Dataset
from tinycnn.data.preparation import Preparation
from tinycnn.errors import MissingExtraError
from tinycnn.files import write_text
from tinycnn.losses import CrossEntropy
from tinycnn.recipes.usual import optimizer_named, schedule_named
from tinycnn.runs import filters
from tinycnn.runs.batches import on_error, plain_batches, training_batches
from tinycnn.runs.folder import RunFolder
from tinycnn.runs.networks import Network, expect_classes, open_network
from tinycnn.runs.reading import picture_shape, read_for
from tinycnn.runs.settings import RunSettings, settled
from tinycnn.shapes import times
from tinycnn.training import EarlyStopping, Evaluation, History, Trainer, evaluate


class TrainingRun:
    """The run that ``settings`` describe, in ``folder``; `train` does it, or goes on with it.

    A network known by name is drawn for the classes of the data; where no ``augment`` is set, it is what
    leaves the classes as they are. ``network``, ``preparation``, ``training``, ``validation`` and ``test``
    are what it works with. Nothing is written before `train`.

    Raises what `data.read` and `open_network` raise, and ShapeError for a network that takes no pictures.
    """

    def __init__(self, folder: RunFolder, settings: RunSettings) -> None:
        self.folder = folder
        asked = open_network(settings.model, seed=settings.seed, trained=False)
        parts = read_for(
            asked, settings.data, full=settings.full, skip=settings.damaged == "skip", in_memory=True,
            side=settings.size,
        )  # fmt: skip
        self.network = _fitted(asked, parts.train, settings)
        self.training, self.validation = parts.held_out(settings.validation, settings.seed)
        self.test = parts.test
        self.settings = settled(settings, len(self.training), parts.mirrors)
        self.preparation = _preparation(self.network, self.training)
        self._batches = training_batches(self.settings, self.training, self.preparation)
        self._filters = filters.first_filters(self.network.model)

    def __repr__(self) -> str:
        held = "none" if self.validation is None else f"{len(self.validation):,} images"
        count = sum(math.prod(s) for s in self.network.model.parameter_shapes().values())
        return (
            f"{self.training!r}, {held} for validation; {self.network.source}, {count:,} parameters, input "
            f"{times(self.preparation.input_shape)}"
        )

    def train(
        self,
        *,
        resume: bool = False,
        minutes: float | None = None,
        callbacks: Sequence[Any] = (),
        progress: bool | None = None,
    ) -> History:
        """Train to the end; what came of it is in the folder, also where this is interrupted.

        A checkpoint is written after each epoch and every ``minutes`` within one; ``callbacks`` and
        ``progress`` are the `Trainer`'s. With ``resume`` a run is gone on with, or begun if there is none.

        Raises what `Trainer.fit` raises, KeyboardInterrupt among it, and FileError where there is a run
        already which is not to be gone on with.
        """
        if resume and self.folder.is_there:
            self.folder.write(self.settings)
        else:
            self.folder.begin(self.settings)
        trainer = self._trainer(minutes, callbacks, progress)
        if not (resume and trainer.resume()):
            self._draw_filters("before")
        validation = None if self.validation is None else self._plain(self.validation)
        drawn = True
        try:
            return trainer.fit(self._batches, validation, epochs=self.settings.epochs or 1)
        except KeyboardInterrupt as interrupt:
            drawn = bool(interrupt.args)  # a second one is to end at once
            raise
        finally:
            self._keep(trainer.history, drawn)

    def evaluate(self) -> Evaluation | None:
        """The best network on the test part, kept in the folder, too; None where there is no such part."""
        if self.test is None:
            return None
        self.network.model.load_weights(self.folder.checkpoint)
        found = evaluate(self.network.model, self._plain(self.test))
        write_text(self.folder.test_file, strict_json.dumps(found.to_dict(), indent=1) + "\n")
        return found

    def _trainer(
        self, minutes: float | None, callbacks: Sequence[Any], progress: bool | None
    ) -> Trainer:
        settings, model, steps = self.settings, self.network.model, len(self._batches)
        optimizer = optimizer_named(
            settings.optimizer, model, settings.rate, momentum=settings.momentum,
            weight_decay=settings.decay,
        )  # fmt: skip
        schedule = schedule_named(
            settings.schedule,
            settings.rate,
            (settings.epochs or 1) * steps,
            settings.warm_up * steps,
        )
        return Trainer(
            model, optimizer, loss=CrossEntropy(settings.smoothing), schedule=schedule,
            clip=settings.clip or None, callbacks=callbacks,
            early_stopping=EarlyStopping(settings.patience) if settings.patience else None,
            checkpoints=self.folder.path, checkpoint_minutes=minutes,
            parts={"preparation": self.preparation.to_dict()}, rng=settings.seed, progress=progress,
        )  # fmt: skip

    def _plain(self, data: Dataset) -> Any:
        ready = self.preparation
        return plain_batches(data, ready.input_shape, ready, on_error=on_error(self.settings))

    def _keep(self, history: History, drawn: bool) -> None:
        """Write the history, and draw its curves and the filters, where they can be drawn."""
        history.save(self.folder.history_file)
        if drawn and len(history):
            _drawn(lambda: history.plot(self.folder.curves_file))
        if drawn:
            self._draw_filters("after")

    def _draw_filters(self, when: str) -> None:
        name = self._filters
        if name is not None:
            W = self.network.model.parameters()[f"{name}.W"]
            target = self.folder.filters_file(name, when)
            _drawn(lambda: figures.save(lambda: filters.draw(W, f"{name} {when}"), target))


def _drawn(draw: Callable[[], None]) -> None:
    """Draw, if matplotlib is there: a run is as good without pictures."""
    with suppress(MissingExtraError):
        draw()


def _fitted(network: Network, data: Dataset, settings: RunSettings) -> Network:
    """The network with as many classes as the data: drawn anew where it is known by name."""
    (H, W, C), side, classes = data.image_shape, settings.size, len(data.classes)
    if network.random:
        picture = (side or H, side or W, C)
        return open_network(
            network.source, classes=classes, picture=picture, seed=settings.seed, trained=False
        )
    expect_classes(network, classes)
    return network


def _preparation(network: Network, data: Dataset) -> Preparation:
    """How pictures are prepared: as the network knows them, or by the statistics of ``data``."""
    if network.preparation is not None:
        return network.preparation.with_classes(data.classes)
    H, W, C = picture_shape(network)
    return Preparation.of(data, (H, W), C)
