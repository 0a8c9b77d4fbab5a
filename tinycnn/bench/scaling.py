"""How the speed goes with the batch, the image's size, the channels and the threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinycnn.bench import contest
from tinycnn.bench.engines import LIMITS, OURS
from tinycnn.bench.limits import measure_limits
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Spread, ratio
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, MORE, Column, ResultTable, identity
from tinycnn.bench.work import Workload, build
from tinycnn.progress import Progress

NETWORK = "one-tower"
GOAL = 1.7  # times as fast on two threads as on one
_QUICK = 2  # places of each table


def run(settings: Settings, report: BenchReport) -> None:
    """Fill the tables."""
    _by("batch", "AlexNet forward by batch", _batches(), settings, report)
    _by(
        "size",
        "conv 3 x 3, 64 to 64 channels, batch 8, by the image's size",
        _sizes(),
        settings,
        report,
    )
    _by("channels", "conv 3 x 3, 28 x 28, batch 8, by channels", _channels(), settings, report)
    counts = [n for n in (1 << i for i in range(10)) if n < settings.threads] + [settings.threads]
    _by_threads(counts, settings, report)
    _roofs(counts, settings, report)


def _batches() -> dict[int, Workload]:
    return {n: Workload("forward", NETWORK, n) for n in (1, 2, 4, 8, 16, 32, 64, 128)}


def _sizes() -> dict[int, Workload]:
    return {
        n: Workload("forward", f"conv {n} {n} 64 64 3 1 1", 8) for n in (7, 14, 28, 56, 112, 224)
    }


def _channels() -> dict[int, Workload]:
    return {
        n: Workload("forward", f"conv 28 28 {n} {n} 3 1 1", 8)
        for n in (8, 16, 32, 64, 128, 256, 512)
    }


def _by(
    name: str,
    title: str,
    workloads: Mapping[int, Workload],
    settings: Settings,
    report: BenchReport,
) -> None:
    chosen = dict(list(workloads.items())[: _QUICK if settings.quick else None])
    rounds = settings.rounds_of(5)
    columns = [
        identity(name, name),
        Column("ms", "ms an image", 3, LESS),
        Column("gflops", "GFLOP/s by the formula", 0),
    ]
    table = report.table(ResultTable(f"scaling {name}", title, columns))
    with (
        report.team([OURS], settings.threads) as team,
        Progress(title, len(chosen) * rounds) as progress,
    ):
        for value, workload in chosen.items():
            times = contest.measure(team, workload, rounds, settings.seconds, report, progress)
            for seconds in times.values():
                spread = Spread.of(seconds).times(1 / workload.batch)
                flops = 2 * build(workload.network).summary().multiply_adds
                row = {name: value, "ms": spread.times(1e3), "gflops": flops / spread.median / 1e9}
                table.add(**row)


def _by_threads(counts: Sequence[int], settings: Settings, report: BenchReport) -> None:
    """1, 2, 4, ... threads, each in a process of its own, in turns."""
    names = [f"{OURS} {count}" for count in counts]
    rounds = settings.rounds_of(7)
    columns = [
        identity("work", "work"),
        identity("batch", "batch"),
        identity("threads", "threads"),
        Column("ms", "ms an image", 2, LESS),
        Column("ratio", "times one thread", 2, MORE, paired=True, spread=True),
        Column("goal", "at least", 1),
        Column("verdict", "goal"),
    ]
    table = report.table(ResultTable("scaling threads", "AlexNet by threads", columns))
    workloads = [
        Workload("forward", NETWORK, 1),
        Workload("forward", NETWORK, 32),
        Workload("training", NETWORK, 32),
    ]
    workloads = workloads[1:2] if settings.quick else workloads
    with (
        report.team(names, settings.threads) as team,
        Progress("threads", len(workloads) * rounds * len(names)) as progress,
    ):
        for workload in workloads:
            times = contest.measure(team, workload, rounds, settings.seconds, report, progress)
            for count, name in zip(counts, names, strict=True):
                if not {name, names[0]} <= set(times):
                    continue
                row = {"work": workload.work, "batch": workload.batch, "threads": count}
                row |= {"ms": Spread.of(times[name]).times(1e3 / workload.batch)}
                if count > 1:
                    faster = ratio(times, names[0], name)
                    row |= {"ratio": faster}
                    if count == 2:
                        what = (
                            f"{workload.work}, batch {workload.batch}: two threads {GOAL} times one"
                        )
                        row |= {
                            "goal": GOAL,
                            "verdict": report.require(what, holds=faster.median >= GOAL),
                        }
                table.add(**row)


def _roofs(counts: Sequence[int], settings: Settings, report: BenchReport) -> None:
    """What the processor and its memory can do on as many threads: no work gains more by a second one."""
    rounds = settings.rounds_of(7)
    columns = [
        identity("threads", "threads"),
        Column("flops", "peak, GFLOP/s", 0),
        Column("read", "memory read, GB/s", 1),
        Column("triad", "stream triad, GB/s", 1),
    ]
    table = report.table(ResultTable("scaling roofs", "The roofs by threads", columns))
    with Progress("roofs", 3 * len(counts) * rounds) as progress:
        for count in counts:
            with report.team([LIMITS], count) as team:
                found = measure_limits(team, count, rounds, settings.seconds, report, progress)
            rates = {name: getattr(found, name) / 1e9 for name in ("flops", "read", "triad")}
            table.add(threads=count, **rates)
