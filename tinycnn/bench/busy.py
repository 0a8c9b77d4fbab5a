"""Beside a busy process on each core: by how much does everybody slow down?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tinycnn.bench import contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.machine import clean_environment
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Rounds, Spread, fastest, ratio
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, Column, ResultTable, identity
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress
from tinycnn.runtime.cores import cores

NETWORK = "one-tower"
BATCHES = (1, 32)
# Held to its core, where the system can do that.
_LOOP = """
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {int(sys.argv[1])})
while True:
    pass
"""


def run(settings: Settings, report: BenchReport) -> None:
    """Time AlexNet forward on a quiet machine and on a busy one, in turns."""
    names = [OURS, *settings.peers()]
    batches = settings.batches or (BATCHES[-1:] if settings.quick else BATCHES)
    rounds = settings.rounds_of(5)
    columns = [
        identity("batch", "batch"),
        identity("engine", "engine"),
        Column("quiet", "quiet, ms an image", 2),
        Column("busy", "busy, ms an image", 2, LESS),
        Column("slower", "busy / quiet", 2, LESS, paired=True, spread=True),
        Column("verdict", "no more than the fastest peer"),
    ]
    title = f"AlexNet forward beside {cores()} busy processes"
    table = report.table(ResultTable("busy", title, columns))
    with (
        report.team(names, settings.threads) as team,
        Progress(title, 2 * len(batches) * rounds * len(team.present)) as progress,
    ):
        for batch in batches:
            workload = Workload("forward", NETWORK, batch)
            team.load(workload)
            right = contest.checked(team, workload, report)
            quiet: Rounds = {name: [] for name in right}
            busy: Rounds = {name: [] for name in right}
            for _ in range(rounds):
                _collect(quiet, team.time(1, settings.seconds, progress, right))
                with busy_cores():
                    _collect(busy, team.time(1, settings.seconds, progress, right))
            _rows(table, batch, quiet, busy, report)


def _collect(into: Rounds, times: Rounds) -> None:
    for name, seconds in times.items():
        into[name] += seconds


def _rows(table: ResultTable, batch: int, quiet: Rounds, busy: Rounds, report: BenchReport) -> None:
    slower = {
        name: ratio({"busy": busy[name], "quiet": quiet[name]}, "busy", "quiet") for name in quiet
    }
    peer = fastest(quiet, [name for name in quiet if name != OURS])
    for name in quiet:
        row: dict[str, object] = {"batch": batch, "engine": name, "slower": slower[name]}
        row |= {
            key: Spread.of(times[name]).times(1e3 / batch)
            for key, times in (("quiet", quiet), ("busy", busy))
        }
        if name == OURS and peer is not None:
            what = f"batch {batch}: slowed down by no more than {peer} beside busy processes"
            row["verdict"] = report.require(what, holds=slower[name].median <= slower[peer].median)
        table.add(**row)


@contextmanager
def busy_cores() -> Iterator[list[int]]:
    """One process on each core that does nothing but count; gives their ids."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(cores())
    processes = [
        subprocess.Popen([sys.executable, "-c", _LOOP, str(core)], env=clean_environment())
        for core in usable
    ]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait()
