"""A model made of its file."""

from __future__ import annotations

from pathlib import Path

from tinycnn.errors import CheckpointError, TinyCNNError
from tinycnn.model import Sequential
from tinycnn.saving.architecture import layers_of
from tinycnn.saving.archive import Archive, opened


def load(path: str | Path) -> Sequential:
    """Build the model that the file ``path`` holds, which `Sequential.save` or `checkpoints.save` wrote.

    Nothing in the file is run: a layer is one of the built-in ones, by name. How parameters were drawn at
    first is not kept. Whatever the file claims is checked before memory is taken for it, and the SHA-256
    of all that is read.

    Raises CheckpointError for a file that is missing, damaged, not a model's or has layers of your own:
    then build the model and call its `load_weights`.
    """
    with opened(path) as archive:
        model = built(archive)
        model.load_weights(archive)
        return model


def built(archive: Archive) -> Sequential:
    """The model that a file describes, its parameters not yet read."""
    described = archive.facts.get("model")
    if described is None:
        raise CheckpointError(
            f"{archive.file} holds arrays alone, not what network they belong to: build the network "
            f"and call its load_weights({archive.file!r})"
        )
    try:
        return Sequential(
            layers_of(described["layers"], archive.file),
            described["input_shape"],
            dtype=described["dtype"],
            algorithm=described["algorithm"],
            name=described["name"],
        )
    except CheckpointError:
        raise
    except TinyCNNError as error:
        raise CheckpointError(f"{archive.file} describes no network: {error}") from error
