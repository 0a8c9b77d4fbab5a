"""What a pass tells its layers besides the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinycnn.arrays import Array

__all__ = ["BackwardContext", "ForwardContext", "Params", "Shape"]

Shape = tuple[int, ...]
Params = Mapping[str, Array]


@dataclass(frozen=True)
class ForwardContext:
    """What a forward pass tells a layer.

    ``training`` turns dropout on, and ``rng``, ``layer`` and ``first_sample`` are what its masks are
    drawn by. ``algorithm`` is that of all convolutions, ``state`` the layer's own, by name.
    """

    training: bool = False
    rng: int = 0  # the 64-bit key of this pass's random masks
    layer: int = 0  # the layer's place in the model, so that masks differ from layer to layer
    first_sample: int = 0  # the number of the batch's first image, so that masks follow the image
    algorithm: str | None = None  # of all convolutions; None: each layer's own
    state: Params = field(default_factory=dict)  # the layer's, see `Layer.state_shapes`


@dataclass(frozen=True)
class BackwardContext:
    """What a backward pass tells a layer.

    Where ``need_dx`` is False, dx may be None; in ``out``, backward may write its gradients, by name.
    ``algorithm`` is that of all convolutions, ``training`` what the forward pass was told.
    """

    training: bool = False
    need_dx: bool = True  # False: backward may return None for dx
    out: Params = field(default_factory=dict)  # where backward may write its gradients
    algorithm: str | None = None  # of all convolutions; None: each layer's own
