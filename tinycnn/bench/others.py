"""Other people's layers, with bias and ReLU, and the AlexNet of the paper, in two groups and with LRN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinycnn.bench import contest
from tinycnn.bench.contest import Contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.race import FORWARD, TRAINING, run_network
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.work import Workload


@dataclass(frozen=True)
class Layers:
    """Layers that are compared, by name, and the least ratios that are aimed at."""

    title: str
    sizes: Mapping[
        str, str
    ]  # H W C F kernel stride padding, and groups where there are more than 1
    quick: tuple[str, ...]
    each: float
    mean: float


# Each size once, however often the network has it. Simonyan and Zisserman 2014, table 1, column D; He
# et al. 2015, table 1, 18 layers.
PLAIN = Layers(
    "Plain 3 x 3 layers of VGG-16 and ResNet-18",
    {
        "VGG-16 conv1-2": "conv 224 224 64 64 3 1 1",
        "VGG-16 conv2-1": "conv 112 112 64 128 3 1 1",
        "VGG-16 conv2-2": "conv 112 112 128 128 3 1 1",
        "VGG-16 conv3-1": "conv 56 56 128 256 3 1 1",
        "VGG-16 conv3-2": "conv 56 56 256 256 3 1 1",
        "VGG-16 conv4-1": "conv 28 28 256 512 3 1 1",
        "VGG-16 conv4-2": "conv 28 28 512 512 3 1 1",
        "VGG-16 conv5": "conv 14 14 512 512 3 1 1",
        "ResNet-18 conv2": "conv 56 56 64 64 3 1 1",
        "ResNet-18 conv3": "conv 28 28 128 128 3 1 1",
        "ResNet-18 conv4": "conv 14 14 256 256 3 1 1",
        "ResNet-18 conv5": "conv 7 7 512 512 3 1 1",
    },
    ("VGG-16 conv4-2", "ResNet-18 conv3"),
    each=1.25,
    mean=1.8,
)
# ResNet-18 and 50; Krizhevsky et al. 2012; Xie et al. 2017, ResNeXt-50 32 x 4d, table 1; Howard et al. 2017,
# MobileNet, table 1; LeCun et al. 1998.
KINDS = Layers(
    "Strided, grouped, depthwise and 1 x 1 layers, and such of few channels",
    {
        "3 x 3 stride 2, ResNet-18 conv3-1": "conv 56 56 64 128 3 2 1",
        "3 x 3 stride 2, ResNet-18 conv4-1": "conv 28 28 128 256 3 2 1",
        "3 x 3 stride 2, ResNet-18 conv5-1": "conv 14 14 256 512 3 2 1",
        "1 x 1, ResNet-50 conv3": "conv 28 28 512 128 1 1 0",
        "2 groups, AlexNet conv2": "conv 27 27 96 256 5 1 2 2",
        "32 groups, ResNeXt-50 conv2": "conv 56 56 128 128 3 1 1 32",
        "depthwise, MobileNet": "conv 56 56 128 128 3 1 1 128",
        "5 x 5 of 1 channel, LeNet-5": "conv 28 28 1 6 5 1 2",
        "3 x 3 of 1 channel, MNIST net": "conv 28 28 1 32 3 1 1",
        "3 x 3 of 3 channels, CIFAR net": "conv 32 32 3 32 3 1 1",
        "7 x 7 stride 2, ResNet-18 conv1": "conv 224 224 3 64 7 2 3",
        "3 x 3 of 3 channels, VGG-16 conv1-1": "conv 224 224 3 64 3 1 1",
    },
    ("3 x 3 stride 2, ResNet-18 conv4-1", "depthwise, MobileNet"),
    each=0.8,
    mean=1.1,
)
GROUPS = {"plain": PLAIN, "kinds": KINDS}
BATCHES = (8, 32)
PAPER = "paper"
PAPER_BATCHES = {FORWARD: (1, 32), TRAINING: (32,)}
PAPER_QUICK = {FORWARD: (1,)}
PAPER_GOALS = {(FORWARD, 1): 1.2, (FORWARD, 32): 1.5, (TRAINING, 32): 1.5}


def run(settings: Settings, report: BenchReport) -> None:
    """Measure each layer with each batch size, as a network of one layer, then the paper's network."""
    chosen = settings.chosen(
        [name for group in GROUPS.values() for name in group.sizes],
        [name for group in GROUPS.values() for name in group.quick],
    )
    for batch in settings.batches or (BATCHES[:1] if settings.quick else BATCHES):
        for name, group in GROUPS.items():
            layers = [layer for layer in group.sizes if layer in chosen]
            if layers:
                _layers(name, group, layers, batch, settings, report)
    if not settings.layers:
        batches = PAPER_QUICK if settings.quick else PAPER_BATCHES
        title = "the paper's AlexNet"
        run_network("others paper", title, PAPER, batches, PAPER_GOALS, settings, report)


def _layers(
    name: str, group: Layers, layers: list[str], batch: int, settings: Settings, report: BenchReport
) -> None:
    contests = [
        Contest({"layer": layer}, Workload(FORWARD, group.sizes[layer], batch), layer, group.each)
        for layer in layers
    ]
    title, names = f"{group.title}, batch {batch}", [OURS, *settings.peers()]
    table = contest.hold(
        f"others {name} {batch}", f"{title}, ms", contests, names, settings.rounds_of(5), settings, report
    )  # fmt: skip
    contest.add_mean(table, title, group.mean, report)
