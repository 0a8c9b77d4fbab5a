"""Workloads measured with everybody: loaded, checked, timed in turns, and put in the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinycnn.bench import reference
from tinycnn.bench.engines import ENGINES, OURS
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Rounds, Spread, fastest, geometric_mean, ratio
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, MORE, Column, ResultTable, identity
from tinycnn.bench.team import Team, engine_of
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress
from tinycnn.wording import many


@dataclass(frozen=True)
class Contest:
    """A row to come.

    ``key`` tells it from the others, ``what`` says it in words; ``goal`` is the least ratio that is aimed
    at. Milliseconds are given for each of ``images``.
    """

    key: Mapping[str, Any]
    workload: Workload
    what: str
    goal: float | None = None
    images: int = 1


def hold(
    name: str, title: str, contests: Sequence[Contest], names: Sequence[str], rounds: int,
    settings: Settings, report: BenchReport, digits: int = 2,
) -> ResultTable:  # fmt: skip
    """Let the candidates ``names`` race in each of ``contests``; the table of that name, filled."""
    keys = [identity(key, key) for key in contests[0].key]
    words = note(names, settings.threads, rounds)
    table = report.table(ResultTable(name, title, [*keys, *columns(names, digits)], note=words))
    with (
        report.team(names, settings.threads) as team,
        Progress(title, len(contests) * rounds * len(team.present)) as progress,
    ):
        for one in contests:
            times = measure(team, one.workload, rounds, settings.seconds, report, progress)
            table.add(**one.key, **row(times, one.images, report, one.what, one.goal))
    return table


def add_mean(table: ResultTable, what: str, goal: float, report: BenchReport) -> None:
    """Add a row to a table that `hold` gave: the geometric mean of its ratios to the fastest peer."""
    ratios = [row["ratio"] for row in table.rows if "ratio" in row]
    if not ratios:
        return
    mean = Spread(
        *(geometric_mean([getattr(r, part) for r in ratios]) for part in ("median", "low", "high"))
    )
    verdict = report.require(
        f"{what}: {goal} times the fastest peer in the mean", holds=mean.median >= goal
    )
    first = next(column.name for column in table.columns if column.identity)
    table.add(**{first: "geometric mean"}, ratio=mean, goal=goal, verdict=verdict)


def columns(names: Sequence[str], digits: int = 2) -> list[Column]:
    """Columns of times by candidate, and the ratio to the fastest peer."""
    return [
        *(Column(n, ENGINES[n].title, digits, LESS if n == OURS else "") for n in names),
        Column("fastest", "fastest peer"),
        Column("ratio", "ratio", 2, MORE, paired=True, spread=True),
        Column("goal", "at least", 2),
        Column("verdict", "goal"),
    ]


def note(names: Sequence[str], threads: int, rounds: int) -> str:
    """A sentence for below a table: how the numbers of these candidates were measured."""
    limited = [ENGINES[name] for name in names if ENGINES[name].most_images]
    most = [f" {e.title} takes {many(e.most_images or 0, 'image')} at a time." for e in limited]
    return (
        f"Medians of {rounds} rounds (quartiles in brackets), {many(threads, 'thread')} each, results "
        f"checked before. The ratio is the fastest peer's time over tinycnn's, within the rounds."
        + "".join(most)
    )


def measure(
    team: Team,
    workload: Workload,
    rounds: int,
    seconds: float,
    report: BenchReport,
    progress: Progress,
) -> Rounds:
    """Load, check, and time one workload; whoever is wrong is not timed."""
    team.load(workload)
    return team.time(rounds, seconds, progress, checked(team, workload, report))


def checked(team: Team, workload: Workload, report: BenchReport) -> list[str]:
    """Those whose results are right."""
    right = []
    for name, results in team.results().items():
        error, bound = reference.largest_error(workload, results), reference.bound(workload)
        if report.check(team.title(name), workload, error, bound, engine_of(name).coarse):
            right.append(name)
    return right


def row(
    rounds: Rounds, images: int, report: BenchReport, what: str, goal: float | None = None
) -> dict[str, Any]:
    """A row of `columns`: milliseconds for each of ``images``; ``goal`` is a least ratio for ``what``."""
    found: dict[str, Any] = {name: Spread.of(s).times(1e3 / images) for name, s in rounds.items()}
    peer = fastest(rounds, [name for name in rounds if name != OURS])
    if peer is None or OURS not in rounds:
        return found
    quotient = ratio(rounds, peer, OURS)
    found |= {"fastest": ENGINES[peer].title, "ratio": quotient}
    if goal is not None:
        met = report.require(
            f"{what}: {goal} times the fastest peer", holds=quotient.median >= goal
        )
        found |= {"goal": goal, "verdict": met}
    return found
