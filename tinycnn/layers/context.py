"""What a pass tells its layers besides the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinycnn.arrays import Array

Shape = tuple[int, ...]
Params = Mapping[str, Array]


@dataclass(frozen=True)
class Context:
    """What a pass tells its layers besides the data.

    ``training`` turns dropout on, and ``rng``, ``layer`` and ``first_sample`` are what its masks are
    drawn by: the pass's 64-bit key, the layer's place, the number of the batch's first image.
    ``algorithm`` is that of all convolutions, None for each layer's own. Where ``need_dx`` is False,
    backward may return None for dx; ``at_logits`` says that dy is already the gradient before the
    layer's activation; in ``out``, backward may write its gradients.
    """

    training: bool = False
    rng: int = 0  # the 64-bit key of this pass's random masks
    layer: int = 0  # the layer's place in the model, so that masks differ from layer to layer
    first_sample: int = 0  # the number of the batch's first image, so that masks follow the image
    algorithm: str | None = None  # of all convolutions; None: each layer's own
    need_dx: bool = True  # False: backward may return None for dx
    at_logits: bool = False  # True: dy is already the gradient before the layer's activation
    out: Params = field(default_factory=dict)  # where backward may write its gradients
