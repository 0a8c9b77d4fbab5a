"""What a file uses beyond NumPy and the standard library, as Python itself reports it.

Whatever is imported and not loaded yet is looked for by Python's finders, of which this is the first. Of
processes, connections and C libraries Python tells an audit hook, which cannot be taken away again.
"""

from __future__ import annotations

import errno
import mmap
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

_ALLOWED = {*sys.stdlib_module_names, "numpy", "__main__", "__mp_main__"}
# Events of the audit table in Python's documentation, and what they are called here.
_DEEDS = {
    "ctypes.dlopen": "ctypes (loads a C library)",
    "os.exec": "os.exec (starts a program)",
    "os.fork": "os.fork (starts a process)",
    "os.forkpty": "os.forkpty (starts a process)",
    "os.posix_spawn": "os.posix_spawn (starts a process)",
    "os.spawn": "os.spawn (starts a process)",
    "os.startfile": "os.startfile (starts a program)",
    "os.system": "os.system (starts a program)",
    "socket.connect": "socket (connects to a network)",
    "subprocess.Popen": "subprocess (starts a program)",
}

_STARTS = tuple(event for event, words in _DEEDS.items() if "starts" in words)
_STARTED = 64  # processes, by a file and by those that it has forked
_BESIDE = " (beside the file)"


def beside(uses: Iterable[str]) -> Iterator[str]:
    """Of what was used, the names of files and folders that stand beside the file."""
    return (use.removesuffix(_BESIDE) for use in uses if use.endswith(_BESIDE))


class Witness(MetaPathFinder):
    """Remembers what is used, and finds modules beside a file: copies of them, in its own folder."""

    def __init__(self, neighbours: Path, folder: Path) -> None:
        self._neighbours = neighbours
        self._folder = folder
        self._modules: dict[str, bool] = {}  # whether there is one of that name
        self._deeds: dict[str, None] = {}
        self._beside: set[str] = set()
        self._started = mmap.mmap(-1, 1)  # how many processes; forks share it
        self._others = {"numpy"}  # packages whose imports are their own affair

    def watch(self) -> None:
        """Begin: what has been loaded so far does not count."""
        sys.meta_path.insert(0, self)
        sys.addaudithook(self._hear)

    def seen(self) -> list[str]:
        """Names of modules, and words for what else was done, in their order."""
        for name, there in self._modules.items():
            self._modules[name] = there or _exists(name)
        return [*(name for name, there in self._modules.items() if there), *self._deeds]

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module beside the file; Python's own come first, and NumPy."""
        if path is not None or not self._foreign(name):
            return None
        for found in (self._neighbours / f"{name}.py", self._neighbours / name):
            if found.is_file() or (found / "__init__.py").is_file():
                self._copy(found)
                self._beside.add(name)
                self._deeds[found.name + _BESIDE] = None
                return PathFinder.find_spec(name, [str(self._folder)])
        if self._by_the_file():
            self._modules.setdefault(name, False)
        self._others.add(name)
        return None

    def _copy(self, found: Path) -> None:
        to = self._folder / found.name
        if to.exists():
            return
        if found.is_dir():
            shutil.copytree(found, to)
        else:
            shutil.copyfile(found, to)

    def _foreign(self, name: str) -> bool:
        return not (name in _ALLOWED or name in self._beside or name.startswith("_sysconfigdata"))

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what the file does; processes that start others without end are refused, as by a system."""
        if event in _DEEDS and self._by_the_file():
            self._deeds[_DEEDS[event]] = None
        if event in _STARTS:
            if self._started[0] >= _STARTED:
                raise BlockingIOError(errno.EAGAIN, f"more than {_STARTED} processes")
            self._started[0] += 1

    def _by_the_file(self) -> bool:
        """Whether this is the doing of the file, not of a package that it uses: by the code that is run."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
            if package in self._others:
                return False
            if package not in sys.stdlib_module_names:
                return True
            frame = frame.f_back
        return True


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return name in sys.modules
