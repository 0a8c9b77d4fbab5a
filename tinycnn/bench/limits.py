"""The roofs: what the processor and its memory can do at most, measured like everything else."""

from __future__ import annotations

from dataclasses import dataclass

from tinycnn.bench.contest import measure
from tinycnn.bench.engines.limits import STREAM, multiply_adds
from tinycnn.bench.report import BenchReport
from tinycnn.bench.team import Team
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress


@dataclass(frozen=True)
class Limits:
    """The most that the processor and its memory did, on the threads that were asked for."""

    flops: float  # a second: a multiply-add counts as two
    triad: float  # bytes a second, two read for one written
    read: float  # bytes a second, read only

    @property
    def bandwidth(self) -> float:
        """Bytes a second, read only or in the triad, whichever is more."""
        return max(self.triad, self.read)

    def __str__(self) -> str:
        return (
            f"peak {self.flops / 1e9:.0f} GFLOP/s, memory {self.read / 1e9:.0f} GB/s read, "
            f"{self.triad / 1e9:.0f} GB/s in the stream triad"
        )


def measure_limits(
    team: Team, threads: int, rounds: int, seconds: float, report: BenchReport, progress: Progress
) -> Limits:
    """Multiply-adds in registers, and memory streamed: arrays that no cache holds."""
    found = {}
    for work in ("multiply-add", "triad", "read"):
        times = measure(team, Workload(work, "", 1), rounds, seconds, report, progress)
        found[work] = min(next(iter(times.values())))  # a limit is what was reached once
    return Limits(
        flops=2 * multiply_adds(threads) / found["multiply-add"],
        # As STREAM counts: without the reading of what is overwritten.
        triad=3 * 4 * STREAM / found["triad"],
        read=4 * STREAM / found["read"],
    )
