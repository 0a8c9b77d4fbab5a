"""What a part of the engine knows of each kind of layer, found by the layer itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar

from tinycnn.layers.base import Layer

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """One entry a kind of layer, and a ``default`` for every other.

    An entry holds for a kind and for its subclasses, as long as they compute what it computes: where
    ``forward`` is another, in a subclass or put in its place later, the layer has the default. With
    ``subclasses=False`` an entry holds for its kind alone.
    """

    def __init__(self, default: T, *, subclasses: bool = True) -> None:
        self._default = default
        self._subclasses = subclasses
        self._entries: dict[type[Layer], T] = {}

    def register(self, kind: type[Layer]) -> Callable[[T], T]:
        """Decorate the entry of ``kind``; the last one registered holds."""

        def enter(entry: T) -> T:
            self._entries[kind] = entry
            return entry

        return enter

    def of(self, layer: Layer) -> T:
        """Give the entry of the nearest kind that ``layer`` is of, or the default."""
        kinds = type(layer).__mro__ if self._subclasses else type(layer).__mro__[:1]
        for kind in kinds:
            if kind in self._entries:
                return self._entries[kind] if layer.computes_as(kind) else self._default
        return self._default


def load_modules(package: str, path: Iterable[str]) -> None:
    """Import all modules of a package, a file a kind of layer, so that they enter what they know."""
    for module in iter_modules(path):
        import_module(f"{package}.{module.name}")
