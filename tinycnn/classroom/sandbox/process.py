"""A file in a process of its own, seen from here: its functions are called, its end is put into words."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tinycnn.classroom.sandbox import python
from tinycnn.classroom.sandbox.calling import ENDINGS, Trouble
from tinycnn.classroom.sandbox.frames import receive, send
from tinycnn.classroom.sandbox.leftovers import MARK, end, now
from tinycnn.classroom.sandbox.output import Output, shortened
from tinycnn.classroom.sandbox.values import decode, encode
from tinycnn.classroom.sandbox.watch import Watch
from tinycnn.files import shown

_LAST_WORDS = 0.3  # seconds: what a process that is late has to write down where it is
_DISTURBS = "disturbs the process that it runs in: no result came back"
_WORKER = "tinycnn.classroom.sandbox.worker"


@dataclass(frozen=True)
class Allowance:
    """What a file may take: seconds for a call, bytes of memory."""

    seconds: float
    memory: int


class Sandbox:
    """A file run in a process of its own, and again in a new one where that has ended.

    ``uses`` names what it has used beyond NumPy and the standard library, ``output`` what it printed
    in the last call.
    """

    def __init__(self, file: Path, allowance: Allowance) -> None:
        self.file = file
        self.allowance = allowance
        self.uses: tuple[str, ...] = ()
        self.output = ""
        self._running: _Running | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, with all that it has started and written."""
        if self._running is not None:
            self._running.close()
        self._running = None

    def run(self) -> Trouble | None:
        """Run the file in a new process."""
        self.close()
        self._running = _Running(self.file, self.allowance)
        first = (str(self.file.resolve().parent), self.allowance.memory, str(self._running.traces))
        name = shown(self.file.name)
        ended: Trouble | None = self._ask(name, *first, what=name)
        return ended

    def call(self, function: str, values: tuple[Any, ...], words: str) -> Any | Trouble:
        """Call one of its functions; ``words`` say how it is called."""
        if self._running is None and isinstance(trouble := self.run(), Trouble):
            return trouble
        return self._ask(function, values, words, what=function)

    def _ask(self, *question: Any, what: str) -> Any | Trouble:
        running, seconds = self._running, self.allowance.seconds
        assert running is not None
        token = secrets.token_hex(8)
        answer = running.answer(encode((token, *question)), seconds)
        self.output = running.output.read()
        if answer is None:
            trouble = running.ended(what, seconds)
        else:
            match _read(answer):
                case (str(came), str(kind), result, list(uses)) if came == token:
                    self.uses = tuple(dict.fromkeys([*self.uses, *map(shortened, map(str, uses))]))
                    if not kind:
                        return result
                    trouble = Trouble(kind, shortened(str(result)))
                case _:
                    trouble = Trouble("ended", f"{what} {_DISTURBS}")
        if trouble.kind in ENDINGS:
            self.close()
        return trouble


def _read(answer: bytes) -> Any:
    try:
        return decode(answer)
    except ValueError:
        return None


class _Running:
    """One process of a file: its temporary folder, its pipes, its end."""

    def __init__(self, file: Path, allowance: Allowance) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tinycnn-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        work, self.traces = folder / "work", folder / "traces.txt"
        work.mkdir()
        (work / shown(file.name)).write_bytes(file.read_bytes())
        self.output = Output(folder / "output.txt")
        self._mark, self._since = secrets.token_hex(16), now() - 1
        environment = {**python.bare_environment(work), MARK: self._mark}
        self._process = python.start(_WORKER, environment, folder=work, errors=self.output.fileno())
        self._watch = Watch(self._stop, lambda: self._process.poll() is None)

    def answer(self, question: bytes, seconds: float) -> bytes | None:
        """Ask, and give what is answered within that time, None if nothing is."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self.output.begin()
        self._watch.within(seconds)
        try:
            send(self._process.stdin, question)
            return receive(self._process.stdout)
        except OSError:
            return None
        finally:
            self._watch.done()

    def ended(self, what: str, seconds: float) -> Trouble:
        """Why no answer came."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_WORDS)
        code, place = self._process.poll(), _place(self.traces)
        if self._watch.late:
            return Trouble("timeout", f"{what} did not end in {seconds:g} s{place}")
        if code is None:
            return Trouble("ended", f"{what} {_DISTURBS}")
        if code < 0:
            return Trouble("ended", f"{what} crashes its process: {_signal(-code)}{place}")
        return Trouble(
            "ended", f"{what} ends its process with exit code {code} instead of returning"
        )

    def close(self) -> None:
        """End it, with all that it has started and written."""
        self._watch.close()
        end(self._process, self._mark, self._since)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what could not be written
                assert pipe is not None
                pipe.close()
        self.output.close()
        self._folder.cleanup()

    def _stop(self) -> None:
        """Let it write down where it is, where the system has signals, and end it."""
        if hasattr(signal, "SIGUSR1"):
            self._process.send_signal(signal.SIGUSR1)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_LAST_WORDS)
        end(self._process, self._mark, self._since)


def _place(traces: Path) -> str:
    """The line of the file's folder that a process was at, the innermost, as faulthandler wrote it."""
    text = traces.read_text(encoding="utf-8", errors="replace") if traces.exists() else ""
    frames = re.findall(r'^  File "(?:[^"]*/)?work/([^"/]+)", line (\d+) in', text, re.MULTILINE)
    return f", line {frames[0][1]}" if frames else ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
