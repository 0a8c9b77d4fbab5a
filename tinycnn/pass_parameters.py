"""A layer's parameters, as a trace hands them out: no longer once they are not those of its pass."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

from tinycnn.arrays import Array
from tinycnn.errors import StaleTraceError

if TYPE_CHECKING:
    from tinycnn.model import Sequential


class PassParameters(Mapping[str, Array]):
    """A layer's parameters, for as long as they are those of the pass.

    Where it runs while parameters are edited, so that the version does not tell, ``digests`` of them do.
    """

    def __init__(self, model: Sequential, version: int, views: Mapping[str, Array]) -> None:
        self._model, self._version, self._views = model, version, views
        edited = model.is_being_edited
        self._digests = {name: _digest(view) for name, view in views.items()} if edited else {}

    def __getitem__(self, name: str) -> Array:
        refuse_stale(self._model, self._version)
        view = self._views[name]
        if name in self._digests and _digest(view) != self._digests[name]:
            raise StaleTraceError(
                f"{name} was written to after this trace, inside the edit in which it was made: its "
                f"activations and the new weights do not belong together; make a new trace"
            )
        return view

    def refuse_changed(self) -> None:
        """Raise StaleTraceError if any is not what it was, of those that the version does not tell."""
        for name in self._digests:
            self[name]

    def keys(self) -> KeysView[str]:
        return self._views.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)


def _digest(array: Array) -> bytes:
    return blake2b(array.data).digest()


def refuse_stale(model: Sequential, version: int) -> None:
    """Raise StaleTraceError unless the model's version is still that of the pass."""
    if model.version != version:
        raise StaleTraceError(
            f"the model's parameters changed after this trace (version {version}, now "
            f"{model.version}): its activations and the new weights do not belong together; make a "
            f"new trace"
        )
