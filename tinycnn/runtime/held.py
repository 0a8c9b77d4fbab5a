"""What is kept from run to run of recorded calls: weights packed once a version, and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinycnn.arrays import Array
from tinycnn.runtime.locks import new_reentrant_lock

NamedArrays = Mapping[str, Array]  # {"conv1.W": array, ...}


class PackedWeights:
    """What is worked out from one version of a model's arrays, each thing when it is first needed."""

    def __init__(self, version: int, arrays: NamedArrays) -> None:
        self.version = version
        self.arrays = arrays
        self._lock = new_reentrant_lock()
        self._values: dict[Any, Any] = {}
        self._begun: set[Any] = set()

    def begin_run(self, program: Any) -> bool:
        """Whether it is the program's first run of this version: for one, large weights are not packed."""
        with self._lock:
            is_first = program not in self._begun
            self._begun.add(program)
            return is_first

    def get(self, key: Any, make: Callable[[NamedArrays], Any]) -> Any:
        """Give what ``make`` made of the arrays for ``key``, or let it make that now."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make(self.arrays)
            return self._values[key]


class Workspace:
    """Memory of one running call, used again by later ones."""

    def __init__(self) -> None:
        self._values: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """Give what ``make`` made for ``key``, or let it make that now."""
        if key not in self._values:
            self._values[key] = make()
        return self._values[key]
