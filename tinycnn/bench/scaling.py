"""How the speed goes with the batch, the image's size, the channels and the threads."""

from __future__ import annotations

from collections.abc import Mapping

from tinycnn.bench import contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.progress import Progress
from tinycnn.bench.report import Report
from tinycnn.bench.rounds import Spread, ratio
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, MORE, Column, Table, identity
from tinycnn.bench.work import Task, build

NETWORK = "one-tower"
GOAL = 1.7  # times as fast on two threads as on one
_QUICK = 2  # places of each table


def run(settings: Settings, report: Report) -> None:
    """Fill the four tables."""
    _by("batch", "AlexNet forward by batch", _batches(), settings, report)
    _by(
        "size",
        "conv 3 x 3, 64 to 64 channels, batch 8, by the image's size",
        _sizes(),
        settings,
        report,
    )
    _by("channels", "conv 3 x 3, 28 x 28, batch 8, by channels", _channels(), settings, report)
    _by_threads(settings, report)


def _batches() -> dict[int, Task]:
    return {n: Task("forward", NETWORK, n) for n in (1, 2, 4, 8, 16, 32, 64, 128)}


def _sizes() -> dict[int, Task]:
    return {n: Task("forward", f"conv {n} {n} 64 64 3 1 1", 8) for n in (7, 14, 28, 56, 112, 224)}


def _channels() -> dict[int, Task]:
    return {
        n: Task("forward", f"conv 28 28 {n} {n} 3 1 1", 8) for n in (8, 16, 32, 64, 128, 256, 512)
    }


def _by(
    name: str, title: str, tasks: Mapping[int, Task], settings: Settings, report: Report
) -> None:
    chosen = dict(list(tasks.items())[: _QUICK if settings.quick else None])
    rounds = settings.rounds_of(5)
    columns = [
        identity(name, name),
        Column("ms", "ms an image", 3, LESS),
        Column("gflops", "GFLOP/s by the formula", 0),
    ]
    table = report.table(Table(f"scaling {name}", title, columns))
    with (
        report.team([OURS], settings.threads) as team,
        Progress(title, len(chosen) * rounds) as progress,
    ):
        for value, task in chosen.items():
            times = contest.measure(team, task, rounds, settings.seconds, report, progress)
            for seconds in times.values():
                spread = Spread.of(seconds).times(1 / task.batch)
                flops = 2 * build(task.network).summary().multiply_adds
                row = {name: value, "ms": spread.times(1e3), "gflops": flops / spread.median / 1e9}
                table.add(**row)


def _by_threads(settings: Settings, report: Report) -> None:
    """1, 2, 4, ... threads, each in a process of its own, in turns."""
    counts = [n for n in (1 << i for i in range(10)) if n < settings.threads] + [settings.threads]
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
    table = report.table(Table("scaling threads", "AlexNet by threads", columns))
    tasks = [
        Task("forward", NETWORK, 1),
        Task("forward", NETWORK, 32),
        Task("training", NETWORK, 32),
    ]
    tasks = tasks[1:2] if settings.quick else tasks
    with (
        report.team(names, settings.threads) as team,
        Progress("threads", len(tasks) * rounds * len(names)) as progress,
    ):
        for task in tasks:
            times = contest.measure(team, task, rounds, settings.seconds, report, progress)
            for count, name in zip(counts, names, strict=True):
                if not {name, names[0]} <= set(times):
                    continue
                row = {"work": task.work, "batch": task.batch, "threads": count}
                row |= {"ms": Spread.of(times[name]).times(1e3 / task.batch)}
                if count > 1:
                    faster = ratio(times, names[0], name)
                    row |= {"ratio": faster}
                    if count == 2:
                        what = f"{task.work}, batch {task.batch}: two threads {GOAL} times one"
                        row |= {
                            "goal": GOAL,
                            "verdict": report.require(what, faster.median >= GOAL),
                        }
                table.add(**row)
