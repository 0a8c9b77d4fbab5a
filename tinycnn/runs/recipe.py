"""What settings come to: augmentation, optimizer, the schedule of its rate, loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinycnn.data.augment import Mirror, RandomCrop
from tinycnn.data.batches import Batches, Step, batches
from tinycnn.data.colours import PCANoise
from tinycnn.data.dataset import Dataset
from tinycnn.data.preparation import Preparation
from tinycnn.losses import CrossEntropy
from tinycnn.model import Sequential
from tinycnn.optimizers import SGD, Adam, AdamW, Optimizer
from tinycnn.runs.settings import RunSettings
from tinycnn.schedules import Cosine, DivideOnPlateau, Schedule, Steps, WarmUp

_SHIFT = 14  # a picture is shifted by at most so small a part of its size: 2 pixels of 28
_EVALUATED = 256  # images at a time
_MOST_CELLS = 1 << 23  # of these, so that large images fit into memory, too


def training_batches(settings: RunSettings, data: Dataset, preparation: Preparation) -> Batches:
    """The training part, shuffled and augmented as the settings say, on pictures as they are stored."""
    augment, steps = settings.augment or (), list[Step]()
    if "colour" in augment:
        steps.append(PCANoise.of(data))
    if "shift" in augment:  # before they are scaled, so that what comes in is black
        H, W, _ = data.image_shape
        steps.append(RandomCrop((H, W), padding=(-(-H // _SHIFT), -(-W // _SHIFT))))
    if "mirror" in augment:
        steps.append(Mirror())
    return batches(
        data, settings.batch, rng=settings.seed, augment=[*steps, preparation],
        on_error=on_error(settings),
    )  # fmt: skip


def plain_batches(
    data: Dataset,
    shape: tuple[int, ...],
    steps: Step | Sequence[Step] = (),
    *,
    on_error: str = "raise",
) -> Batches:
    """Images in their order, by ``steps`` inputs of ``shape`` (H, W, C): to be evaluated or predicted."""
    size = max(1, min(_EVALUATED, _MOST_CELLS // math.prod(shape)))
    return batches(data, size, shuffle=False, augment=steps, on_error=on_error)


def on_error(settings: RunSettings) -> str:
    """What `data.batches` does with damaged pictures."""
    return "skip" if settings.damaged == "skip" else "raise"


def optimizer_of(settings: RunSettings, model: Sequential) -> Optimizer:
    """The optimizer that the settings name."""
    if settings.optimizer in ("adam", "adamw"):
        kind = Adam if settings.optimizer == "adam" else AdamW
        return kind(model, settings.rate, weight_decay=settings.decay)
    return SGD(
        model, settings.rate, settings.momentum, settings.decay,
        nesterov=settings.optimizer == "nesterov",
    )  # fmt: skip


def schedule_of(settings: RunSettings, steps_an_epoch: int) -> Schedule:
    """The rate of each step."""
    rate, warm_up = settings.rate, settings.warm_up * steps_an_epoch
    rest = max((settings.epochs or 1) * steps_an_epoch - warm_up, 1.0)
    after: Schedule
    if settings.schedule == "cosine":
        after = Cosine(rate, rest)
    elif settings.schedule == "plateau":
        after = DivideOnPlateau(rate, times=3)
    else:
        at = [rest / 2, rest * 3 / 4] if settings.schedule == "steps" else []
        after = Steps(rate, at)
    return WarmUp(warm_up, after) if warm_up else after


def loss_of(settings: RunSettings) -> CrossEntropy:
    """The loss."""
    return CrossEntropy(label_smoothing=settings.smoothing)
