"""One workload measured with everybody: loaded, checked, timed in turns, and put in a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinycnn.bench import reference
from tinycnn.bench.engines import ENGINES, OURS
from tinycnn.bench.progress import Progress
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Rounds, Spread, fastest, ratio
from tinycnn.bench.tables import LESS, MORE, Column
from tinycnn.bench.team import Team
from tinycnn.bench.work import Workload
from tinycnn.wording import many


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
        error = reference.largest_error(workload, results)
        if report.check(team.title(name), workload, error, reference.bound(workload)):
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
