"""The race: a network forward and a training step, beside the engines people use."""

from __future__ import annotations

from tinycnn.bench import contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.progress import Progress
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import ResultTable, identity
from tinycnn.bench.work import Workload

FORWARD, TRAINING = "forward", "training"
TITLES = {FORWARD: "AlexNet forward", TRAINING: "A training step of AlexNet"}
NETWORK = "one-tower"
BATCHES = {FORWARD: (1, 8, 32, 128), TRAINING: (32, 128)}
QUICK = {FORWARD: (1, 32), TRAINING: (32,)}
# How many times as fast as the fastest peer this engine is meant to be.
GOALS = {
    (FORWARD, 1): 1.15, (FORWARD, 8): 1.8, (FORWARD, 32): 2.2, (FORWARD, 128): 2.2,
    (TRAINING, 32): 2.2, (TRAINING, 128): 2.2,
}  # fmt: skip


def run(settings: Settings, report: BenchReport) -> None:
    """Measure each kind of work with each batch size."""
    for work in settings.works or (FORWARD, TRAINING):
        _race(work, settings, report)


def _race(work: str, settings: Settings, report: BenchReport) -> None:
    batches = settings.batches or (QUICK if settings.quick else BATCHES)[work]
    names = [OURS, *settings.peers(trainers=work == TRAINING)]
    rounds = settings.rounds_of(7)
    table = report.table(
        ResultTable(
            f"race {work}",
            f"{TITLES[work]}, ms an image",
            [identity("batch", "batch"), *contest.columns(names)],
            note=contest.note(names, settings.threads, rounds),
        )
    )
    with (
        report.team(names, settings.threads) as team,
        Progress(TITLES[work], len(batches) * rounds * len(team.present)) as progress,
    ):
        for batch in batches:
            workload = Workload(work, NETWORK, batch)
            measured = contest.measure(team, workload, rounds, settings.seconds, report, progress)
            what, goal = f"{TITLES[work]}, batch {batch}", GOALS.get((work, batch))
            table.add(batch=batch, **contest.row(measured, batch, report, what, goal))
