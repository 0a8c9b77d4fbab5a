"""The process in which a file is run: it answers calls, and knows neither what is expected nor the verdict.

It is started by `tinycnn.classroom.sandbox.process`. Its standard input and output are the two pipes that
calls come and answers go through, until both are moved out of the way of what the file reads and prints.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Container
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import IO, Any

from tinycnn.classroom.sandbox.calling import Trouble, call, look_up
from tinycnn.classroom.sandbox.frames import LARGEST, receive, send
from tinycnn.classroom.sandbox.limits import limit
from tinycnn.classroom.sandbox.values import decode, encode
from tinycnn.classroom.sandbox.witness import Witness

_MODULE = "solution"  # what the file is called as a module


@dataclass
class _Worker:
    """A file to be run, and what it then defines."""

    file: Path
    module: ModuleType

    def run(self) -> Trouble | None:
        """Run the file, read as Python reads it: its encoding, its line ends."""

        def execute() -> None:
            code = compile(self.file.read_bytes(), str(self.file), "exec", dont_inherit=True)
            exec(code, vars(self.module))

        ended: Trouble | None = call(execute, (), self.file.name, self._files())
        return ended

    def answer(self, name: str, values: tuple[Any, ...], words: str) -> Any | Trouble:
        """Call one of the file's functions."""
        function = look_up(vars(self.module), name, self.file.name)
        if isinstance(function, Trouble):
            return function
        return call(function, values, words, self._files())

    def _files(self) -> Container[str]:
        return _Within(str(self.file.parent))


@dataclass(frozen=True)
class _Within(Container[str]):
    """The files of a folder."""

    folder: str

    def __contains__(self, name: object) -> bool:
        return str(name).startswith(self.folder)


def main() -> None:
    """Run the file that the first message names, and answer until nobody asks any more."""
    requests, answers = _pipes()
    first = receive(requests)
    if first is None:
        return
    token, name, neighbours, memory, traces = decode(first)
    worker = _Worker(Path.cwd() / name, ModuleType(_MODULE))
    witness = _prepare(worker, Path(neighbours), memory, Path(traces))
    own = os.getpid()
    result: Any = worker.run()
    while True:
        data = _encoded(token, result, witness)
        if os.getpid() != own:  # a process that the file has started: it has nothing to say
            os._exit(0)
        send(answers, data)
        request = receive(requests)
        if request is None:
            os._exit(0)  # whatever else the file has left running here
        token, function, values, words = decode(request)
        result = worker.answer(function, values, words)


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Take both pipes for this file alone; in their place nothing to read, and where errors go."""
    requests, answers = (os.fdopen(os.dup(number), mode) for number, mode in ((0, "rb"), (1, "wb")))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _prepare(worker: _Worker, neighbours: Path, memory: int, traces: Path) -> Witness:
    module = worker.module
    module.__file__ = str(worker.file)
    sys.modules[_MODULE] = module
    sys.argv = [str(worker.file)]
    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # in the order in which it is printed, and before a crash
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    for name in list(sys.modules):  # what is loaded already is not seen when a file imports it
        if name.partition(".")[0] == "tinycnn":
            del sys.modules[name]
    _write_traces(traces)
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    limit(memory)
    witness = Witness(neighbours, worker.file.parent)
    witness.watch()
    return witness


def _write_traces(path: Path) -> None:
    """Write down where the process is when it crashes, and when it is asked: in C code as well."""
    traces = path.open("w")  # stays open
    faulthandler.enable(file=traces)
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, file=traces, all_threads=True)


def _end_with(parent: int) -> None:
    """End once whoever asks has gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _encoded(token: str, result: Any, witness: Witness) -> bytes:
    """The answer: the token of the question, trouble or a result, and what has been used so far."""
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    try:
        if not isinstance(result, Trouble):
            data = encode((token, "", result, witness.seen()))
            if len(data) <= LARGEST:
                return data
            result = Trouble("memory", f"what it returns takes more than {LARGEST >> 20} MB")
    except MemoryError:
        result = Trouble("memory", "what it returns asks for more memory than it may have")
    except RecursionError:
        result = Trouble("type", "what it returns is a list that holds itself")
    return encode((token, result.kind, result.text, witness.seen()))


def _flush(stream: Any) -> None:
    try:
        stream.flush()
    except Exception:  # closed or replaced by the file, or the limit on what is printed is reached
        return


if __name__ == "__main__":
    main()
