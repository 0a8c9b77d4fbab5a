"""What the benchmarks share: a clean process, fair timing in turns, the machine in words, a report.

A benchmark compares candidates in one run, in turns, so that whatever else the machine does meets
all of them; what it says is a ratio, for times say more about the machine than about the code. Each
checks its candidates' results before it times them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the checkout that these benchmarks belong to is what they measure

# Settings that some environments carry and that make the numbers say something else: a BLAS held to
# an older processor's kernels, kernels that are not compiled or that check each index.
_MISLEADING = (
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
    "MKL_NUM_THREADS", "TINYCNN_THREADS", "NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK",
)  # fmt: skip
_REMOVED = "TINYCNN_BENCHMARK_REMOVED"

# A BLAS or OpenMP thread spins for some hundredths of a second after its last work, and would take a
# core from whoever comes next.
_SPIN_SECONDS = 0.05


def parser(description: str | None) -> argparse.ArgumentParser:
    """Give the options that all benchmarks have."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--quick", action="store_true", help="check the results, hardly time them")
    result.add_argument("--json", metavar="FILE", type=Path, help="write the numbers to FILE too")
    return result


def clean_environment() -> None:
    """Start this program again without the settings that mislead, if there are any."""
    found = [name for name in _MISLEADING if name in os.environ]
    if found:
        rest = {name: value for name, value in os.environ.items() if name not in found}
        rest[_REMOVED] = " ".join(found)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], rest)


# -------------------------------------------------------------------------------------------- time


@dataclass(frozen=True)
class Spread:
    """A number measured round by round: its median and its extremes."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} - {self.most:.2f})"


Rounds = dict[str, list[float]]


def compare(
    candidates: Mapping[str, Callable[[], object]], rounds: int, seconds: float = 0.15
) -> Rounds:
    """Seconds of each candidate, round by round: the fastest of its calls in its turn.

    Within a round the candidates take turns, in another order each time; a turn is three calls, or
    as many as take ``seconds``. What disturbs a call only ever adds to its time, hence the fastest.
    """
    times: Rounds = {name: [] for name in candidates}
    names = list(candidates)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            time.sleep(_SPIN_SECONDS)
            candidates[name]()
            calls: list[float] = []
            while len(calls) < 3 or sum(calls) < seconds:
                calls.append(_seconds(candidates[name]))
            times[name].append(min(calls))
    return times


def ratio(rounds: Rounds, over: str, under: str) -> Spread:
    """How many times longer ``over`` takes than ``under``, from their times in the same round."""
    return Spread.of([a / b for a, b in zip(rounds[over], rounds[under], strict=True)])


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


# ----------------------------------------------------------------------------------------- machine


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine(*packages: str) -> dict[str, Any]:
    """What the numbers depend on: kind of processor, cores, BLAS, versions. Never a machine's name."""
    from threadpoolctl import threadpool_info

    names = ("numpy", "numba", "tinycnn", *packages)
    versions = {name: import_module(name).__version__ for name in names}
    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return {
        "processor": _processor(),
        "simd": _simd(),
        "cores": cores(),
        "system": platform.system(),
        "blas": [
            {
                "name": library["internal_api"],
                "version": library["version"],
                "kernels": library.get("architecture"),
            }
            for library in blas
        ],
        "versions": {"python": platform.python_version(), **versions},
        "removed_from_environment": os.environ.get(_REMOVED, "").split(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _simd() -> str:
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    for feature, name in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("neon", "NEON")):
        if features.get(feature):
            return name
    return "neither AVX2 nor NEON"


class _Load:
    """How much of the cores other processes use meanwhile; None where the system does not tell."""

    def __init__(self) -> None:
        self.wall, self.busy, self.own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def others(self) -> float | None:
        busy = _busy_seconds()
        if busy is None or self.busy is None:
            return None
        spent = busy - self.busy - (_own_seconds() - self.own)
        return max(spent, 0) / ((time.perf_counter() - self.wall) * (os.cpu_count() or 1))


def _busy_seconds() -> float | None:
    try:
        user, nice, system, _, _, *rest = Path("/proc/stat").read_text().split()[1:9]
    except OSError:
        return None
    return sum(map(int, (user, nice, system, *rest))) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    return sum(os.times()[:4])


# ------------------------------------------------------------------------------------------ report


class Report:
    """Lines for people as they come, and the same numbers as JSON at the end."""

    def __init__(self, name: str, options: argparse.Namespace, *packages: str) -> None:
        self.path: Path | None = options.json
        self.quick: bool = options.quick
        self.rows: list[dict[str, Any]] = []
        self.missed: list[str] = []
        self.machine = machine(*packages)
        settings = {key: value for key, value in vars(options).items() if key != "json"}
        self.data = {"benchmark": name, "options": settings, "machine": self.machine}
        self.load = _Load()
        print(f"{name}: {_sentence(self.machine)}")
        if removed := self.machine["removed_from_environment"]:
            print(f"run without {', '.join(removed)}, which were set")

    def add(self, line: str, **row: Any) -> None:
        """Print ``line``, and keep ``row`` for the JSON."""
        self.rows.append({key: asdict(v) if isinstance(v, Spread) else v for key, v in row.items()})
        print(line, flush=True)

    def require(self, what: str, holds: bool, *, timed: bool = True) -> str:
        """Say "met" or "missed"; what is ``timed`` counts only in a full run."""
        if not holds and not (timed and self.quick):
            self.missed.append(what)
        return "met" if holds else "missed"

    def end(self) -> int:
        """Write the JSON; gives the exit code: 1 if something required was missed."""
        others = self.load.others()
        if others is not None and others > 0.05 and not self.quick:
            print(
                f"other processes used {others:.0%} of the cores meanwhile: better measured again"
            )
        for what in self.missed:
            print(f"missed: {what}")
        if self.path is not None:
            result = {**self.data, "others_used": others, "rows": self.rows, "missed": self.missed}
            self.path.write_text(json.dumps(result, indent=1) + "\n")
        return 1 if self.missed else 0


def _sentence(machine: Mapping[str, Any]) -> str:
    blas = ", ".join(f"{b['name']} {b['version']} for {b['kernels']}" for b in machine["blas"])
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    kind = f"{machine['processor']}, {machine['cores']} cores, {machine['simd']}"
    return f"{kind}; {blas}; {versions}"
