"""Max-pooling that keeps its winners, and its gradient, beside PyTorch's in both memory formats."""

from __future__ import annotations

from tinycnn.bench import contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.progress import Progress
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import ResultTable, identity
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
    names = [OURS, *settings.peers(trainers=True)]
    rounds = settings.rounds_of(9)
    key = [identity("pool", "pool"), identity("direction", "direction")]
    table = report.table(
        ResultTable(
            "pools",
            f"Max-pooling with winners, batch {batch}, ms",
            [*key, *contest.columns(names)],
            note=contest.note(names, settings.threads, rounds),
        )
    )
    pools = dict(list(POOLS.items())[: 1 if settings.quick else None])
    with (
        report.team(names, settings.threads) as team,
        Progress("pools", 2 * len(pools) * rounds * len(team.present)) as progress,
    ):
        for pool, network in pools.items():
            for direction, work in DIRECTIONS.items():
                workload = Workload(work, network, batch)
                measured = contest.measure(
                    team, workload, rounds, settings.seconds, report, progress
                )
                what = f"max-pooling {direction}, {pool}"
                table.add(
                    pool=pool, direction=direction, **contest.row(measured, 1, report, what, GOAL)
                )
