"""Candidates in processes of their own, of which only the one whose turn it is is awake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any

import numpy as np

from tinycnn import strict_json
from tinycnn.arrays import Array
from tinycnn.bench.engines import ENGINES, Engine
from tinycnn.bench.machine import clean_environment
from tinycnn.bench.rounds import Rounds
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress
from tinycnn.wording import many

# Where processes cannot be stopped: OpenMP and BLAS threads spin for some hundredths of a second
# after their last work, and would take a core from whoever comes next.
_SPIN_SECONDS = 0.05


class Team:
    """Candidates by name; a name is an engine's, or "engine threads" for another number of threads.

    A candidate that is not installed is in ``missing``, one that failed in ``failed``, with the
    reason; both are left out from then on. One whose engine does not take so many images sits out
    until the next workload.
    """

    def __init__(self, names: Iterable[str], threads: int, **environment: str) -> None:
        self.names = list(names)
        self.missing: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.hello: dict[str, dict[str, Any]] = {}
        self._threads, self._environment = threads, environment
        self._members: dict[str, Member] = {}
        self._sitting_out: set[str] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="tinycnn-bench-")
        # However this object goes, for an interrupt may keep it from its ``with`` statement's end.
        self._end = weakref.finalize(self, _end, self._members, self._folder)

    def __enter__(self) -> Team:
        folder = Path(self._folder.name)
        try:
            for name in self.names:
                engine, _, threads = name.partition(" ")
                count = int(threads or self._threads)
                self._members[name] = Member(engine, count, folder, self._environment)
            self.hello = self._ask_each(self.names, do="hello")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def present(self) -> list[str]:
        """The candidates that take part."""
        return [name for name in self._installed if name not in self._sitting_out]

    @property
    def _installed(self) -> list[str]:
        return [n for n in self.names if n not in self.missing and n not in self.failed]

    def title(self, name: str) -> str:
        """A candidate in words."""
        threads = name.partition(" ")[2]
        return engine_of(name).title + (f", {many(int(threads), 'thread')}" if threads else "")

    def load(
        self, workload: Workload, names: Iterable[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """Let each load ``workload``; what they say about it."""
        asked = self._installed if names is None else list(names)
        self._sitting_out -= set(asked)
        self._sitting_out |= {name for name in asked if not engine_of(name).takes(workload)}
        asked = [name for name in asked if name not in self._sitting_out]
        return self._ask_each(
            asked, do="load", work=workload.work, network=workload.network, batch=workload.batch
        )

    def results(self) -> dict[str, dict[str, Array]]:
        """What each works out, to be checked."""
        found = {}
        for name, answer in self._ask_each(self.present, do="check").items():
            with np.load(answer["file"]) as arrays:
                found[name] = dict(arrays)
            Path(answer["file"]).unlink()
        return found

    def time(
        self, rounds: int, seconds: float, progress: Progress, only: Iterable[str] | None = None
    ) -> Rounds:
        """Seconds of a call, round by round: the median of the calls of a turn.

        Within a round the candidates take turns of about ``seconds``, in another order each time.
        """
        names = self.present if only is None else [name for name in only if name in self.present]
        times: Rounds = {name: [] for name in names}
        for turn in range(rounds):
            first = turn % max(len(names), 1)
            for name in names[first:] + names[:first]:
                progress.say(name)
                answer = self._ask(name, do="time", seconds=seconds)
                times[name].append(median(answer.get("seconds", [0.0])))
                progress.advance()
        return {name: times[name] for name in names if name in self.present}

    def peak(self, name: str, calls: int) -> dict[str, Any]:
        """One candidate's memory while it works."""
        return self._ask(name, do="peak", calls=calls)

    def first(self, name: str) -> float | None:
        """Seconds of one candidate's next call; None if it fails."""
        seconds: float | None = self._ask(name, do="first").get("seconds")
        return seconds

    def machine(self) -> dict[str, Any]:
        """The machine, as the first candidate that takes part sees it."""
        return self._ask(self.present[0], do="machine") if self.present else {}

    def _ask_each(self, names: Iterable[str], **request: Any) -> dict[str, dict[str, Any]]:
        """Ask all at once: nothing is timed meanwhile."""
        asked = list(names)
        for name in asked:
            self._members[name].send(request)
        answers = {name: self._answer(name) for name in asked}
        return {name: answer for name, answer in answers.items() if name in self.present}

    def _ask(self, name: str, **request: Any) -> dict[str, Any]:
        self._members[name].send(request)
        return self._answer(name)

    def _answer(self, name: str) -> dict[str, Any]:
        answer = self._members[name].receive()
        if "missing" in answer:
            self.missing[name] = answer["missing"]
        if "failed" in answer:
            self.failed[name] = answer["failed"]
        return answer


def engine_of(name: str) -> Engine:
    """The engine of a candidate."""
    return ENGINES[name.partition(" ")[0]]


def _end(members: Mapping[str, Member], folder: tempfile.TemporaryDirectory[str]) -> None:
    for member in members.values():
        member.end()
    folder.cleanup()


class Member:
    """One process, stopped as a whole unless it is asked something."""

    def __init__(
        self, engine: str, threads: int, folder: Path, environment: Mapping[str, str]
    ) -> None:
        command = [sys.executable, "-m", "tinycnn.bench.worker", engine, str(threads), str(folder)]
        # A process group of its own: Ctrl-C reaches the one who asks, and not those that are asked.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment() | {"TINYCNN_THREADS": str(threads), **environment},
            process_group=0 if os.name == "posix" else None,
        )

    def send(self, request: Mapping[str, Any]) -> None:
        """Wake the process with a request."""
        assert self.process.stdin is not None
        self._signal("SIGCONT")
        with suppress(BrokenPipeError):  # it has died; `receive` says so
            self.process.stdin.write(strict_json.dumps(request) + "\n")
            self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Wait for the answer, and stop the process."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self._signal("SIGSTOP")
        if not line:
            return {"failed": f"its process ended with {self.process.poll()}"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """End the process and what it has started, which hold nothing that is worth waiting for.

        Not by waiting for its pipes to close: what an engine has started may hold them for ever.
        """
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def _signal(self, name: str) -> None:
        number = getattr(signal, name, None)
        if number is None:
            time.sleep(_SPIN_SECONDS)
        elif self.process.poll() is None:
            self.process.send_signal(number)
            if name == "SIGSTOP":  # it works on until the signal has reached it
                with suppress(ChildProcessError):  # it has just died, and `send_signal` saw it
                    os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
