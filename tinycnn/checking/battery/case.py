"""One check of the battery, as a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinycnn.checking.report import GradientReport

OPS_AND_LAYERS = 1e-7  # worst relative error of an op or a layer
NETWORKS = 1e-6  # and of a whole network


@dataclass(frozen=True)
class GradientCase:
    """One check of the battery: ``run(**options)`` gives its report, ``bound`` what must hold."""

    name: str
    bound: float
    run: Callable[..., GradientReport]
