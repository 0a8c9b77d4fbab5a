"""The process of one candidate: ``python -m tinycnn.bench.worker ENGINE THREADS FOLDER``.

One JSON object a line comes in, one goes out. Between requests it waits for the next line, and
whoever started it may stop the whole process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn import strict_json
from tinycnn.bench import memory_peak
from tinycnn.bench.engines import ENGINES, Contender
from tinycnn.bench.machine import describe
from tinycnn.bench.work import Workload
from tinycnn.runtime import memory

# A call that takes this long warms itself up: what it finds cold costs it next to nothing.
_WARM_SECONDS = 0.5


class Worker:
    """What the process holds between requests."""

    def __init__(self, engine: str, threads: int, folder: Path) -> None:
        self.name, self.engine = engine, ENGINES[engine]
        self.threads, self.folder = threads, folder
        self.candidate: Contender | None = None
        self.seconds = 0.0  # of the latest call

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request says: the method of the name "do", its arguments beside it."""
        arguments = dict(request)
        try:
            found: dict[str, Any] = getattr(self, arguments.pop("do"))(**arguments)
        except ImportError as error:
            return {"missing": str(error)}
        except Exception as error:
            return {"failed": f"{type(error).__name__}: {error}"}
        return found

    def hello(self) -> dict[str, Any]:
        """Import what the engine needs."""
        start = time.perf_counter()
        versions = self.engine.versions()
        seconds = time.perf_counter() - start
        return {"versions": versions, "import_seconds": seconds}

    def machine(self) -> dict[str, Any]:
        """Say what the machine is, as this process sees it."""
        return describe()

    def first(self) -> dict[str, Any]:
        """The seconds of one call, without one before it."""
        assert self.candidate is not None
        return {"seconds": _timed(self.candidate.call)}

    def load(self, work: str, network: str, batch: int) -> dict[str, Any]:
        """Load a workload's network, in place of the one before."""
        self.candidate, self.seconds = None, 0.0
        start = time.perf_counter()
        self.candidate = self.engine.load(Workload(work, network, batch), self.threads, self.folder)
        return {"load_seconds": time.perf_counter() - start}

    def check(self) -> dict[str, Any]:
        """Work out the results that are checked, and leave them in a file."""
        assert self.candidate is not None
        path = self.folder / f"{self.name}-{self.threads}-{os.getpid()}.npz"
        np.savez(path, **self.candidate.check())  # type: ignore[arg-type]
        return {"file": str(path)}

    def time(self, seconds: float) -> dict[str, Any]:
        """Call for about ``seconds``, at least once; the seconds of each call."""
        assert self.candidate is not None
        call = self.candidate.call
        if self.seconds < _WARM_SECONDS:
            self.seconds = _timed(call)
        found: list[float] = []
        while not found or sum(found) < seconds:
            found.append(_timed(call))
        self.seconds = min(found)
        return {"seconds": found}

    def peak(self, calls: int) -> dict[str, Any]:
        """Resident bytes now, and at their peak while the work is done ``calls`` times."""
        assert self.candidate is not None
        memory.release()  # a peer's weights were arrays of ours first
        with memory_peak.watch() as seen:
            for _ in range(calls):
                self.candidate.call()
        return {"before": seen.before, "peak": seen.peak, "by": seen.by}


def _timed(call: Any) -> float:
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    del result  # its memory is given back outside the measured time, for everybody
    return seconds


def main(engine: str, threads: str, folder: str) -> None:
    """Answer requests until there are no more."""
    # What libraries print must come neither between the answers nor between the tables.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    worker = Worker(engine, int(threads), Path(folder))
    for line in sys.stdin:
        print(strict_json.dumps(worker.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
