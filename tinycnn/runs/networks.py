"""A network by one word: a variant's name, somebody's code, a saved model, or a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinycnn import checkpoints
from tinycnn.checking.targets import own_code
from tinycnn.data.preparation import Preparation
from tinycnn.errors import ArgumentError, CheckpointError, FileError, UnknownNameError
from tinycnn.files import code_file, expect_regular, is_model_file, is_there
from tinycnn.model import Sequential
from tinycnn.networks import VARIANTS, alexnet, trained_file
from tinycnn.runs.folder import RunFolder
from tinycnn.runs.settings import RunSettings
from tinycnn.shapes import times
from tinycnn.small_networks import SMALL, small_network
from tinycnn.wording import many

_PICTURE = (28, 28, 1)
_PART = "preparation"


@dataclass(frozen=True)
class Network:
    """A ``model``, how pictures become its input, if that is known, and whether its weights are drawn.

    ``source`` is the word it was asked for by; ``settings`` are those of the run that it comes from. One that
    ``adapts`` is made anew for pictures of any shape.
    """

    model: Sequential
    source: str
    preparation: Preparation | None = None
    random: bool = False
    adapts: bool = False
    settings: RunSettings | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names; () where nobody has told them."""
        return () if self.preparation is None else self.preparation.classes


def open_network(
    source: str,
    *,
    classes: int | None = None,
    picture: Sequence[int] | None = None,
    seed: int = 0,
    trained: bool = True,
) -> Network:
    """Give the network ``source``, one of:

    - a key of `VARIANTS`: where it comes trained, and ``trained`` is not false, as it comes; else for
      ``classes`` (None: its own number), its weights drawn from ``seed``;
    - "small", a `small_network` for pictures of the shape ``picture`` (None: 28 x 28 x 1), drawn likewise;
    - "FILE.py:NAME", a Sequential or a function that makes one;
    - an .npz or .safetensors file that a model or a checkpoint was saved in;
    - the folder of a run: its best checkpoint.

    Raises UnknownNameError for anything else, ArgumentError where the network has another number of classes,
    and for files the errors of `checkpoints.load` and of `own_code.value_of`.
    """
    if trained and source in VARIANTS and VARIANTS[source].weights is not None:
        with trained_file(source) as path:
            network = _saved(path, source)
    else:
        network = _opened(source, classes, picture, seed)
    expect_classes(network, classes)
    return network


def expect_classes(network: Network, classes: int | None) -> None:
    """Raise ArgumentError where a network does not end in so many classes (None: in any number of them)."""
    shape = network.model.shapes[-1]
    if len(shape) != 1:
        raise ArgumentError(
            f"{network.source} ends in {times(shape)}, not in a number for each class"
        )
    if classes is not None and shape != (classes,):
        raise ArgumentError(
            f"{network.source} tells {many(shape[0], 'class')} apart, and the data have {classes:,}: its "
            f"last layer must give {classes} numbers"
        )


def _opened(source: str, classes: int | None, picture: Sequence[int] | None, seed: int) -> Network:
    if code_file(source):
        return Network(_own_model(source), source)
    if is_model_file(source):
        return _saved(Path(source), source)
    if source in VARIANTS:
        drawn = alexnet(classes, variant=source, trained=False, rng=seed)
        return Network(drawn, source, random=True)
    if source == SMALL:
        small = small_network(picture or _PICTURE, classes or 10, rng=seed)
        return Network(small, source, random=True, adapts=True)
    run = RunFolder(source)
    if not run.is_there:
        names = ", ".join((*VARIANTS, SMALL))
        raise UnknownNameError(
            f"there is no network {source!r}: give {names}, FILE.py:NAME, a file that a model was saved in "
            f"(.npz, .safetensors), or the folder of a run"
        )
    return _of_run(run, source)


def _saved(path: Path, source: str, model: Sequential | None = None) -> Network:
    expect_regular(path, "model file")
    found = checkpoints.load(path, model, only=(_PART,))
    return Network(found.model, source, _preparation(found.parts, path))


def _of_run(run: RunFolder, source: str) -> Network:
    """The best network of a run; of code, where its layers are none of ours, in a model that it makes."""
    settings = run.settings()
    try:
        network = _saved(run.checkpoint, source)
    except CheckpointError:
        if not code_file(settings.model):
            raise
        network = _saved(run.checkpoint, source, _own_model(settings.model))
    return replace(network, settings=settings)


def _preparation(parts: Mapping[str, Any], path: Path) -> Preparation | None:
    if _PART not in parts:
        return None
    try:
        return Preparation.from_dict(parts[_PART])
    except ArgumentError as error:
        raise CheckpointError(
            f"{path.name} says wrongly how pictures are prepared: {error}"
        ) from error


def _own_model(source: str) -> Sequential:
    """The Sequential that FILE.py:NAME is, or that it makes."""
    file = code_file(source)
    if not is_there(Path(file)):
        raise FileError(f"there is no file {file!r}; --model takes a variant or FILE.py:NAME")
    _, model = own_code.value_of(source)
    if callable(model):
        with own_code.reporting(source, file):
            model = model()
    if not isinstance(model, Sequential):
        raise ArgumentError(f"{source} must be a tinycnn.Sequential, got {type(model).__name__}")
    return model
