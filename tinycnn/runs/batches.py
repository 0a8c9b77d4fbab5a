"""Batches of a run: the training part augmented as its settings say, and plain ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinycnn.data.augment import Mirror, RandomCrop
from tinycnn.data.batches import Batches, Step, batches
from tinycnn.data.colours import PCANoise
from tinycnn.data.dataset import Dataset
from tinycnn.data.preparation import Preparation
from tinycnn.runs.settings import RunSettings

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
