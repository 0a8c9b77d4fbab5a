"""A model's file written: its architecture, its parameters and its state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinycnn.arrays import Array
from tinycnn.errors import CheckpointError
from tinycnn.saving import archive
from tinycnn.saving.architecture import describe
from tinycnn.saving.plain import pack

if TYPE_CHECKING:
    from tinycnn.model import Sequential


def save(model: Sequential, path: str | Path, parts: Mapping[str, Any] | None = None) -> None:
    """Write ``model``, and beside it ``parts``, each a tree that `pack` takes.

    Raises CheckpointError where the file cannot be written or the model changes meanwhile, and
    ArgumentError for other parts.
    """
    others: dict[str, Array] = {}
    # No layer's name begins with a dot, so these arrays can't be taken for a model's.
    packed = {name: pack(value, f".{name}", others) for name, value in (parts or {}).items()}
    version, arrays = model.version, model.arrays()

    def expect_unchanged() -> None:
        if model.version != version:
            raise CheckpointError(
                f"the model changed while {str(path)!r} was written: save between training steps"
            )

    facts = {"model": describe(model), "parts": packed}
    archive.write(path, arrays | others, facts, before_replacing=expect_unchanged)
