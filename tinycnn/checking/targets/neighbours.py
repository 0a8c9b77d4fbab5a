"""What a user's file imports from its own folder, whenever that is: as it runs, or late in a function.

`sys.path` is left alone: it would offer the folder to all code, and a student's queue.py would break
what imports Python's. Here a folder is offered to code in it alone.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_IMPORTERS = ("importlib", "_frozen_importlib", "_frozen_importlib_external")


class _Neighbours(MetaPathFinder):
    """Finds a module beside the file that imports it; Python's own modules come first."""

    def __init__(self) -> None:
        self.folders: set[Path] = set()
        self.found: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or name in sys.stdlib_module_names:  # with a path: in a package
            return None
        folder = next((f for f in _importing_file().parents if f in self.folders), None)
        spec = PathFinder.find_spec(name, [str(folder)]) if folder else None
        if spec is None or (spec.loader is None and PathFinder.find_spec(name)):
            return None  # any folder would do as a package of last resort
        self.found.add(name)
        return spec


_NEIGHBOURS = _Neighbours()


def offer(folder: Path) -> None:
    """Let what stands in ``folder`` import what stands beside it, from now on, as it is on the disk.

    What an earlier file had imported from its folder is forgotten: another's helper.py is another.
    """
    if _NEIGHBOURS not in sys.meta_path:
        sys.meta_path.insert(0, _NEIGHBOURS)
    for name in list(sys.modules):
        if name.partition(".")[0] in _NEIGHBOURS.found:
            del sys.modules[name]
    _NEIGHBOURS.found.clear()
    importlib.invalidate_caches()  # a file may be younger than the last look at its folder
    _NEIGHBOURS.folders.add(folder)


def _importing_file() -> Path:
    """The file of the code that is importing."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _IMPORTERS:
        frame = frame.f_back
    return Path(str(frame.f_globals.get("__file__")))
