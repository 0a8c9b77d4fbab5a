"""Many files graded at once, by processes that take one file after the other."""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tinycnn.classroom.grading.judge import graded
from tinycnn.classroom.grading.report import Grade
from tinycnn.classroom.sandbox import python
from tinycnn.files import shown

_JUDGE = "tinycnn.classroom.grading.judge"
_TRIES = 2  # of a file whose judge ends, as where the system runs out of memory
_PATIENCE = 5.0  # seconds in which a judge ends what it has started


def grade_all(
    paths: Sequence[Path], *, jobs: int = 1, **options: Any
) -> Generator[tuple[int, Grade]]:
    """Grade files, ``jobs`` at a time; give each one's place and grade as soon as it is done.

    ``options`` are those of `grade`. A file that cannot be graded has a grade that says so. When the
    iterator is closed or interrupted, all that was started is ended.
    """
    if len(paths) == 1:  # to start a process would take longer than to grade
        yield 0, graded(paths[0], options)
        return
    judges = [_Judge() for _ in range(min(jobs, len(paths)))]
    free: SimpleQueue[_Judge] = SimpleQueue()
    for judge in judges:
        free.put(judge)

    def ask(path: Path) -> Grade:
        judge = free.get()
        try:
            return judge.grade(path, options)
        finally:
            free.put(judge)

    threads = ThreadPoolExecutor(max(1, len(judges)))
    try:
        places = {threads.submit(ask, path): place for place, path in enumerate(paths)}
        for done in as_completed(places):
            yield places[done], done.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for judge in judges:
            judge.close()


class _Judge:
    """A process that grades, started when it is first asked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def grade(self, path: Path, options: Mapping[str, Any]) -> Grade:
        """Grade a file; where the process ends before it has, in a new one."""
        for _ in range(_TRIES):
            with suppress(OSError, EOFError, pickle.UnpicklingError):
                return self._asked((path, options))
            self._end()
        problem = f"{shown(path.name)} is not graded: the process that grades it has ended"
        return Grade(options.get("exercise") or "", shown(path.name), problem=problem)

    def close(self) -> None:
        """End it for good."""
        self._closed = True
        self._end()

    def _asked(self, question: object) -> Grade:
        if self._closed:
            raise EOFError
        if self._process is None:
            self._process = python.start(_JUDGE, python.whole_environment())
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(pickle.dumps(question))
        stdin.flush()
        answer: Grade = pickle.load(stdout)
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError, AttributeError):
                pipe.close()  # type: ignore[union-attr]
