"""What is kept from call to call: weights packed once a version, and memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinycnn.parameters import FlatArrays
from tinycnn.runtime.locks import new_reentrant_lock


class PackedWeights:
    """What is worked out from one version of the parameters, each thing when it is first needed."""

    def __init__(self, version: int, parameters: FlatArrays) -> None:
        self.version = version
        self.parameters = parameters
        self._lock = new_reentrant_lock()
        self._values: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[FlatArrays], Any]) -> Any:
        with self._lock:
            if key not in self._values:
                self._values[key] = make(self.parameters)
            return self._values[key]


class Workspace:
    """Memory of one running call, used again by later ones."""

    def __init__(self) -> None:
        self._values: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._values:
            self._values[key] = make()
        return self._values[key]
