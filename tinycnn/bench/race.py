"""The race: a network forward and a training step, beside the engines people use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinycnn.bench import contest
from tinycnn.bench.contest import Contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.work import Workload

FORWARD, TRAINING = "forward", "training"
NETWORK = "one-tower"
BATCHES = {FORWARD: (1, 8, 32, 128), TRAINING: (32, 128)}
QUICK = {FORWARD: (1, 32), TRAINING: (32,)}
# How many times as fast as the fastest peer this engine is meant to be.
GOALS = {
    (FORWARD, 1): 1.3, (FORWARD, 8): 2.0, (FORWARD, 32): 2.1, (FORWARD, 128): 2.2,
    (TRAINING, 32): 2.5, (TRAINING, 128): 2.5,
}  # fmt: skip


def run(settings: Settings, report: BenchReport) -> None:
    """Measure each kind of work with each batch size."""
    batches = QUICK if settings.quick else BATCHES
    run_network("race", "AlexNet", NETWORK, batches, GOALS, settings, report)


def run_network(
    part: str, title: str, network: str, batches: Mapping[str, Sequence[int]],
    goals: Mapping[tuple[str, int], float], settings: Settings, report: BenchReport,
) -> None:  # fmt: skip
    """One network forward and in training, a table each; ``goals`` by work and batch."""
    titles = {FORWARD: f"{title} forward", TRAINING: f"A training step of {title}"}
    for work in settings.works or (FORWARD, TRAINING):
        contests = [
            Contest(
                {"batch": batch}, Workload(work, network, batch),
                f"{titles[work]}, batch {batch}", goals.get((work, batch)), batch,
            )
            for batch in settings.batches or batches.get(work, ())
        ]  # fmt: skip
        names = [OURS, *settings.peers(trainers=work == TRAINING)]
        rounds = settings.rounds_of(7)
        name, head = f"{part} {work}", f"{titles[work]}, ms an image"
        if contests:
            contest.hold(name, head, contests, names, rounds, settings, report)
