"""Networks that people train on a processor: what they predict, and a training step."""

from __future__ import annotations

from tinycnn.bench import contest
from tinycnn.bench.contest import Contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.race import FORWARD, TRAINING
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.small_networks import SMALL_NETWORKS
from tinycnn.bench.work import Workload

TITLES = {FORWARD: "Small networks: predict", TRAINING: "Small networks: a training step"}
BATCHES = (1, 32, 128)
QUICK = ("digits 8 x 8", "LeNet-5")
LEAST = 0.8  # times the fastest peer, each
MEANS = {FORWARD: 1.5, TRAINING: 1.3}


def run(settings: Settings, report: BenchReport) -> None:
    """Measure both kinds of work, with each network and batch size."""
    networks = settings.chosen(SMALL_NETWORKS, QUICK)
    for work in settings.works or (FORWARD, TRAINING):
        contests = [
            Contest(
                {"network": network, "batch": batch}, Workload(work, network, batch),
                f"{TITLES[work]}, {network}, batch {batch}", LEAST,
            )
            for network in networks
            for batch in settings.batches or (BATCHES[:2] if settings.quick else BATCHES)
        ]  # fmt: skip
        names = [OURS, *settings.peers(trainers=work == TRAINING)]
        table = contest.hold(
            f"small {work}", f"{TITLES[work]}, ms a batch", contests, names, settings.rounds_of(7),
            settings, report, digits=3,
        )  # fmt: skip
        contest.add_mean(table, TITLES[work], MEANS[work], report)
