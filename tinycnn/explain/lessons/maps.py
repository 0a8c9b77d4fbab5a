"""What a layer's feature maps hold, and which of its cells are worth opening."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.lessons.overview import ForwardRow, forward_row
from tinycnn.trace import Trace

_MOST = 8  # maps and cells named


@dataclass(frozen=True)
class FeatureMap:
    """One channel of a layer's output."""

    channel: int
    mean: float
    highest: float
    zeros: float


@dataclass(frozen=True)
class Maps:
    """A layer's output: its row of the overview, its liveliest maps, its most active cells."""

    row: ForwardRow
    maps: tuple[FeatureMap, ...]
    silent: int  # maps that are zero everywhere
    cells: tuple[tuple[tuple[int, ...], float], ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return asdict(self)


def describe(trace: Trace, name: str, *, sample: int = 0) -> Maps:
    """Describe layer ``name``'s output for image ``sample``."""
    record = trace[name]
    y = record.y[sample]
    channels = y.reshape(-1, y.shape[-1])
    means = channels.mean(axis=0, dtype=np.float64)
    liveliest = np.argsort(-means, kind="stable")[: _MOST if y.ndim == 3 else 0]
    return Maps(
        forward_row(trace, name),
        tuple(_map(int(k), channels[:, k]) for k in liveliest),
        int((~channels.any(axis=0)).sum()),
        tuple(_most_active(y)),
    )


def _map(channel: int, values: Array) -> FeatureMap:
    zeros = float((values == 0).mean())
    return FeatureMap(channel, float(values.mean(dtype=np.float64)), float(values.max()), zeros)


def _most_active(y: Array) -> list[tuple[tuple[int, ...], float]]:
    order = np.argsort(-y, axis=None, kind="stable")[:_MOST]
    places = [tuple(int(i) for i in np.unravel_index(flat, y.shape)) for flat in order]
    return [(place, float(y[place])) for place in places]
