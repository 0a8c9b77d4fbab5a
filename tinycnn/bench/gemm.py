"""How much of a matrix product's own speed does conv2d by im2col reach?"""

from __future__ import annotations

from tinycnn.bench import contest
from tinycnn.bench.engines import LIMITS, OURS
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Spread, ratio
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, MORE, Column, ResultTable, identity
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress
from tinycnn.wording import many

LAYERS = {"conv1": 0.6, "conv2": 0.8, "conv3": 0.8, "conv4": 0.8, "conv5": 0.8}  # least ratios
QUICK = ("conv3",)
BATCH = 32


def run(settings: Settings, report: BenchReport) -> None:
    """Measure AlexNet's convolutions, with bias and ReLU, beside NumPy's product of their sizes."""
    batch = settings.batch_of(BATCH, quick=8)
    layers = settings.chosen(LAYERS, QUICK)
    rounds = settings.rounds_of(9)
    columns = [
        identity("layer", "layer"),
        Column("product", "product, ms", 2),
        Column("conv2d", "conv2d, ms", 2, LESS),
        Column("ratio", "product / conv2d", 2, MORE, paired=True, spread=True),
        Column("goal", "at least", 1),
        Column("verdict", "goal"),
    ]
    note = (
        f"Both on {many(settings.threads, 'thread')}; (N*OH*OW, K) @ (K, F) by NumPy's BLAS into memory that "
        f"is there already. 1 means that unrolling, bias, ReLU and the result's memory cost nothing."
    )
    title = f"im2col and the matrix product, batch {batch}"
    table = report.table(ResultTable("gemm", title, columns, note=note))
    with (
        report.team([OURS, LIMITS], settings.threads) as team,
        Progress("im2col", len(layers) * rounds * 2) as progress,
    ):
        for layer in layers:
            network = f"one-tower/{layer}"
            team.load(Workload("im2col", network, batch), [OURS])
            team.load(Workload("product", network, batch), [LIMITS])
            right = contest.checked(team, Workload("im2col", network, batch), report)
            times = team.time(rounds, settings.seconds, progress, right)
            if len(times) < 2:
                continue
            found, goal = ratio(times, LIMITS, OURS), LAYERS[layer]
            ours, product = (Spread.of(times[name]).times(1e3) for name in (OURS, LIMITS))
            verdict = report.require(
                f"im2col, {layer}: {goal} of the product", holds=found.median >= goal
            )
            table.add(
                layer=layer, product=product, conv2d=ours, ratio=found, goal=goal, verdict=verdict
            )
