"""Other people's layers: the 3 x 3 convolutions of VGG-16 and ResNet-18, with bias and ReLU."""

from __future__ import annotations

from tinycnn.bench import contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.progress import Progress
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Spread, geometric_mean
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import ResultTable, identity
from tinycnn.bench.work import Workload

# H W C F kernel stride padding: each size once, however often the network has it. Simonyan and
# Zisserman 2014, table 1, column D; He et al. 2015, table 1, 18 layers.
LAYERS = {
    "VGG-16 conv1-1": "conv 224 224 3 64 3 1 1",
    "VGG-16 conv1-2": "conv 224 224 64 64 3 1 1",
    "VGG-16 conv2-1": "conv 112 112 64 128 3 1 1",
    "VGG-16 conv2-2": "conv 112 112 128 128 3 1 1",
    "VGG-16 conv3-1": "conv 56 56 128 256 3 1 1",
    "VGG-16 conv3-2": "conv 56 56 256 256 3 1 1",
    "VGG-16 conv4-1": "conv 28 28 256 512 3 1 1",
    "VGG-16 conv4-2": "conv 28 28 512 512 3 1 1",
    "VGG-16 conv5": "conv 14 14 512 512 3 1 1",
    "ResNet-18 conv2": "conv 56 56 64 64 3 1 1",
    "ResNet-18 conv3-1": "conv 56 56 64 128 3 2 1",
    "ResNet-18 conv3": "conv 28 28 128 128 3 1 1",
    "ResNet-18 conv4-1": "conv 28 28 128 256 3 2 1",
    "ResNet-18 conv4": "conv 14 14 256 256 3 1 1",
    "ResNet-18 conv5-1": "conv 14 14 256 512 3 2 1",
    "ResNet-18 conv5": "conv 7 7 512 512 3 1 1",
}
QUICK = ("VGG-16 conv4-2", "ResNet-18 conv3")
BATCHES = (8, 32)
GOAL = 1.5  # of the geometric mean


def run(settings: Settings, report: BenchReport) -> None:
    """Measure each layer with each batch size, as a network of one layer."""
    batches = settings.batches or (BATCHES[:1] if settings.quick else BATCHES)
    layers = settings.chosen(LAYERS, QUICK)
    names = [OURS, *settings.peers()]
    rounds = settings.rounds_of(5)
    for batch in batches:
        table = report.table(
            ResultTable(
                f"others {batch}",
                f"Layers of VGG-16 and ResNet-18, batch {batch}, ms",
                [identity("layer", "layer"), *contest.columns(names)],
                note=contest.note(names, settings.threads, rounds),
            )
        )
        with (
            report.team(names, settings.threads) as team,
            Progress(f"layers at batch {batch}", len(layers) * rounds * len(team.present)) as bar,
        ):
            for layer in layers:
                workload = Workload("forward", LAYERS[layer], batch)
                measured = contest.measure(team, workload, rounds, settings.seconds, report, bar)
                table.add(layer=layer, **contest.row(measured, 1, report, layer))
        _mean(table, batch, report)


def _mean(table: ResultTable, batch: int, report: BenchReport) -> None:
    """Add the geometric mean of the ratios to the fastest peer of each layer."""
    ratios = [row["ratio"] for row in table.rows if "ratio" in row]
    if not ratios:
        return
    middle, low, high = (
        geometric_mean([getattr(ratio, name) for ratio in ratios])
        for name in ("median", "low", "high")
    )
    verdict = report.require(
        f"layers of VGG-16 and ResNet-18, batch {batch}: {GOAL} times the fastest peer in the mean",
        holds=middle >= GOAL,
    )
    mean = Spread(middle, low, high)
    table.add(layer="geometric mean", ratio=mean, goal=GOAL, verdict=verdict)
