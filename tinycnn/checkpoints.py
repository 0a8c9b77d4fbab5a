"""Checkpoints: a model and all that its training goes on from, in one file.

A part is what you name: an optimizer's arrays and numbers, an epoch, a random generator. A resumed run
gives the same bits if all that it draws from and counts is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tinycnn import files
from tinycnn.errors import CheckpointError, UnknownNameError
from tinycnn.model import Sequential
from tinycnn.saving import models, weights
from tinycnn.saving.archive import Archive, opened
from tinycnn.saving.loading import built
from tinycnn.saving.plain import unpack
from tinycnn.validation import check_choice

__all__ = ["Checkpoint", "Folder", "load", "save"]

# What is to be put back, of a checkpoint with these parts.
Restoring = Callable[[Mapping[str, Any]], Mapping[str, "HasState"]]


def save(path: str | Path, model: Sequential, **parts: Any) -> None:
    """Write ``model`` and ``parts`` by name to an .npz or .safetensors file.

    A part is None, a bool, a number, a text, an array of real numbers, a numpy.random.Generator, or a list
    or a mapping by text of these; or an optimizer or schedule, whose state is kept. The file is a model's
    as well, for `tinycnn.load` and `Sequential.load_weights`. It is written beside ``path``, forced to the
    disk and then put in its place, so that whatever happens a whole file is there, the old or the new one.

    Raises CheckpointError where it cannot be written or the model changes meanwhile, and ArgumentError for
    a part of another kind.
    """
    models.save(model, path, {name: _state(part) for name, part in parts.items()})


def _state(part: Any) -> Any:
    """What an optimizer or a schedule keeps of itself, by what its ``load_state`` calls it; else ``part``."""
    kept = {kind: getattr(part, f"state_{kind}", None) for kind in ("arrays", "numbers")}
    given = {kind: give() for kind, give in kept.items() if give is not None}
    return given or part


def load(
    path: str | Path, model: Sequential | None = None, *, only: Collection[str] | None = None
) -> Checkpoint:
    """Read the checkpoint ``path`` into ``model`` or into a new model as it was when it was saved.

    A model with layers of your own is one that you have built. ``only`` names the parts to read, of those
    that there are; None is all. What a model's `save` wrote has none. All is checked before anything changes.
    Raises CheckpointError for a file that is missing, damaged, not a checkpoint, or another network's.
    """
    with opened(path, "checkpoint") as archive:
        parts = _parts(archive, only)
        target = built(archive) if model is None else model
        target.load_weights(archive)
        return Checkpoint(target, parts)


def resume(path: str | Path, model: Sequential, kept: Restoring) -> dict[str, Any]:
    """Put ``model`` and what ``kept`` chooses back as they were saved, all of it or nothing; gives the parts.

    ``kept`` is handed the parts by name, and gives what takes its state back, as `Checkpoint.restore`.
    Raises what `load` and `Checkpoint.restore` raise; then everything is as it was.
    """
    with opened(path, "checkpoint") as archive:
        parts = _parts(archive, None)
        parameters, state = weights.read(model, archive)
    Checkpoint(model, parts).restore(**kept(parts))
    model.load_weights({**parameters, **state})
    return parts


def _parts(archive: Archive, only: Collection[str] | None) -> dict[str, Any]:
    packed = archive.facts.get("parts")
    if packed is None:
        raise CheckpointError(
            f"{archive.file} is no checkpoint: it holds arrays alone; build the network and call its "
            f"load_weights({archive.file!r})"
        )
    wanted = {name: part for name, part in packed.items() if only is None or name in only}
    parts: dict[str, Any] = unpack(wanted, archive.read)
    return parts


@dataclass(frozen=True)
class Checkpoint:
    """What a file held: ``model``, and ``parts``, by name what was saved with it."""

    model: Sequential
    parts: dict[str, Any]

    def restore(self, **kept: HasState) -> None:
        """Put the state of optimizers and schedules back: ``kept``, each by the name it was saved under.

        Raises UnknownNameError where the checkpoint has no such part, and what their ``load_state`` raises;
        then all of them are as they were.
        """
        for name in kept:
            if name not in self.parts:
                listed = ", ".join(self.parts) or "none"
                raise UnknownNameError(f"the checkpoint has no part {name!r}; it has {listed}")
        with ExitStack() as undo:
            for name, each in kept.items():
                undo.callback(each.load_state, **deepcopy(_state(each)))
                each.load_state(**self.parts[name])
            undo.pop_all()


class HasState(Protocol):
    """What keeps a state: ``state_arrays`` or ``state_numbers`` give it, or both, and this takes them."""

    def load_state(self, *args: Any, **kept: Any) -> None:
        """Put back ``arrays`` and ``numbers``, as many of them as it gives."""


class Folder:
    """The latest checkpoint of a run and the best, ``latest`` and ``best``, in the folder ``path``.

    It is made if it is not there. One process at a time may write to it: what one that was killed has left
    half written is removed. ``ending`` is ".npz" or ".safetensors". Raises CheckpointError where the folder
    cannot be made or its best checkpoint is damaged, and ArgumentError for another ending.
    """

    def __init__(self, path: str | Path, *, ending: str = ".npz") -> None:
        check_choice(ending, files.MODEL_ENDINGS, "ending")
        self.path = Path(path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"the folder {str(path)!r} cannot be made: {files.reason(error)}"
            ) from error
        files.sweep(self.path)
        self.latest = self.path / f"latest{ending}"
        self.best = self.path / f"best{ending}"
        self._best_score = _score(self.best) if self.best.exists() else -math.inf

    def save(self, model: Sequential, *, score: float | None = None, **parts: Any) -> bool:
        """Write the latest checkpoint; if its ``score`` is as high as any before, it is the best as well.

        A score is the higher the better: an accuracy, or a loss with a minus. Of equal ones, which small
        validation parts have often, the last counts. It is kept as a part. Gives whether this one is the
        best. The errors are those of `save`.
        """
        is_best = score is not None and float(score) >= self._best_score
        for path in (self.best, self.latest) if is_best else (self.latest,):
            save(path, model, score=score, **parts)
        if is_best:
            self._best_score = float(score)  # type: ignore[arg-type]
        return is_best


def _score(path: Path) -> float:
    """That of the best checkpoint, without reading its arrays."""
    with opened(path, "checkpoint") as archive:
        return float(unpack(archive.facts["parts"]["score"], archive.read))
