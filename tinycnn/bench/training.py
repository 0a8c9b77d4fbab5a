"""An epoch with all that is around a loop: what the trainer adds to the bare one, and PyTorch's beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinycnn.bench import contest
from tinycnn.bench.engines import ENGINES, OURS, TRAINER
from tinycnn.bench.epochs import STEPS
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Rounds, Spread, fastest, ratio
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, MORE, Column, ResultTable, identity
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress
from tinycnn.wording import many

BATCH = 128
MOST = 3.0  # percent that the trainer adds to a step
LEAST = 1.5  # times the fastest peer
# The goals are those of the network in the box; the other's steps are a tenth as long.
GOALS: Mapping[str, tuple[float, float] | None] = {"fashion": (MOST, LEAST), "LeNet-5": None}


def run(settings: Settings, report: BenchReport) -> None:
    """Measure an epoch of each network."""
    batch, rounds = settings.batch_of(BATCH, quick=32), settings.rounds_of(7)
    networks = settings.chosen(GOALS, ["fashion"])
    names = [TRAINER, OURS, *settings.peers(trainers=True)]
    title = f"An epoch of {STEPS} batches of {batch}, ms a step"
    table = report.table(ResultTable("training", title, _columns(names), _note(settings, rounds)))
    with (
        report.team(names, settings.threads) as team,
        Progress(title, len(networks) * rounds * len(names)) as progress,
    ):
        for network in networks:
            workload = Workload("epoch", network, batch)
            times = contest.measure(team, workload, rounds, settings.seconds, report, progress)
            table.add(network=network, **_row(times, network, report))


def _columns(names: list[str]) -> list[Column]:
    return [
        identity("network", "network"),
        *(Column(n, ENGINES[n].title, 2, LESS if n in (TRAINER, OURS) else "") for n in names),
        Column("added", "% added by Trainer", 1, LESS, paired=True, spread=True),
        Column("fastest", "fastest peer"),
        Column("ratio", "ratio", 2, MORE, paired=True, spread=True),
        Column("verdict", f"at most {MOST:g} %, at least {LEAST:g}"),
    ]


def _note(settings: Settings, rounds: int) -> str:
    return (
        f"Medians of {rounds} rounds (quartiles in brackets), {many(settings.threads, 'thread')} each. "
        f"Trainer prepares its batches meanwhile (shifted, mirrored, standardized), measures loss, accuracy "
        f"and gradient norms, and draws its bar; all others have the same batches ready in memory. The ratio "
        f"is the fastest peer's time over Trainer's, within the rounds."
    )


def _row(rounds: Rounds, network: str, report: BenchReport) -> dict[str, Any]:
    row: dict[str, Any] = {name: Spread.of(s).times(1e3 / STEPS) for name, s in rounds.items()}
    goals, met = GOALS[network], []
    if {TRAINER, OURS} <= set(rounds):
        pairs = zip(rounds[TRAINER], rounds[OURS], strict=True)
        row["added"] = Spread.of([100 * (a / b - 1) for a, b in pairs])
        if goals is not None:
            what = f"training {network}: Trainer adds at most {goals[0]:g} %"
            met.append(report.require(what, holds=row["added"].median <= goals[0]))
    peer = fastest(rounds, [name for name in rounds if name not in (TRAINER, OURS)])
    if peer is not None and TRAINER in rounds:
        row |= {"fastest": ENGINES[peer].title, "ratio": ratio(rounds, peer, TRAINER)}
        if goals is not None:
            what = f"training {network}: {goals[1]:g} times the fastest peer"
            met.append(report.require(what, holds=row["ratio"].median >= goals[1]))
    return row | ({"verdict": ", ".join(met)} if met else {})
