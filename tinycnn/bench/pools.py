"""Max-pooling that keeps its winners, and its gradient, beside PyTorch's in both memory formats."""

from __future__ import annotations

from tinycnn.bench import contest
from tinycnn.bench.contest import Contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.work import Workload

# H W C kernel stride padding
POOLS = {
    "pool1, 55 x 55 x 96": "pool 55 55 96 3 2 0",
    "pool2, 27 x 27 x 256": "pool 27 27 256 3 2 0",
    "112 x 112 x 64, padding 1": "pool 112 112 64 3 2 1",
}
DIRECTIONS = {"forward": "pool", "backward": "pool backward"}
GOAL = 1.2
BATCH = 32


def run(settings: Settings, report: BenchReport) -> None:
    """Measure each pool in both directions."""
    batch = settings.batch_of(BATCH, quick=8)
    contests = [
        Contest(
            {"pool": pool, "direction": direction}, Workload(work, network, batch),
            f"max-pooling {direction}, {pool}", GOAL,
        )
        for pool, network in list(POOLS.items())[: 1 if settings.quick else None]
        for direction, work in DIRECTIONS.items()
    ]  # fmt: skip
    names = [OURS, *settings.peers(trainers=True)]
    title = f"Max-pooling with winners, batch {batch}, ms"
    contest.hold("pools", title, contests, names, settings.rounds_of(9), settings, report)
