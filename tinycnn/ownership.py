"""Which model a layer belongs to.

Kept outside the layer, so that layers copy and pickle freely, and by identity, for a layer of yours
may be equal to another or have no hash. An entry goes with its model; while that lives, so do its
layers, and no identity is given out twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakValueDictionary

_models: WeakValueDictionary[int, Any] = WeakValueDictionary()


def own(layers: Iterable[Any], model: Any) -> None:
    """Note that ``model`` is made of ``layers``."""
    for layer in layers:
        _models[id(layer)] = model


def owner(layer: Any) -> Any | None:
    """The living model that is made of ``layer`` among others."""
    return _models.get(id(layer))
