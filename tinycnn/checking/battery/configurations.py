"""The configurations that every operation is checked in: shapes, strides, padding, groups and the like."""

from __future__ import annotations

from typing import Any

# x's shape, W's shape and options; x's shape and options; options.
CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "plain": ((2, 5, 6, 2), (3, 2, 2, 3), {}),
    "1 x 1": ((2, 3, 4, 3), (1, 1, 3, 2), {}),
    "kernel as large as the image": ((2, 3, 4, 2), (3, 4, 2, 3), {}),
    "stride 2 x 3": ((2, 7, 8, 2), (3, 2, 2, 3), {"stride": (2, 3)}),
    "padding on four sides": ((1, 4, 5, 2), (3, 3, 2, 2), {"padding": ((1, 0), (2, 3))}),
    "padding same, even kernel": ((1, 5, 4, 2), (2, 4, 2, 2), {"padding": "same"}),
    "dilation 2 x 3": ((1, 7, 8, 2), (3, 2, 2, 2), {"dilation": (2, 3)}),
    "3 groups": ((2, 4, 5, 6), (3, 3, 2, 6), {"groups": 3}),
    "everything at once": (
        (2, 9, 10, 4),
        (3, 2, 2, 4),
        {"stride": (2, 1), "padding": ((1, 2), (0, 1)), "dilation": (1, 2), "groups": 2},
    ),
}
POOLS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "plain": ((2, 4, 6, 2), {"kernel": 2}),
    "overlapping, 3 with stride 2": ((2, 7, 7, 2), {"kernel": 3, "stride": 2}),
    "kernel 3 x 2, stride 1 x 3": ((1, 5, 8, 2), {"kernel": (3, 2), "stride": (1, 3)}),
    "cells between the windows": ((1, 8, 7, 2), {"kernel": 2, "stride": 3}),
    "padding": ((1, 5, 6, 2), {"kernel": 3, "stride": 2, "padding": ((1, 0), (1, 1))}),
    "ceil mode": ((2, 6, 6, 2), {"kernel": 3, "stride": 2, "ceil_mode": True}),
    "ceil mode and padding": (
        (1, 7, 6, 2),
        {"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    ),
}
DILATED = {"dilation 2": ((1, 7, 8, 2), {"kernel": (2, 3), "stride": 1, "dilation": 2})}
NORMS: dict[str, dict[str, Any]] = {
    "the paper's": {},
    "alpha over size": {"alpha": 0.5, "k": 1.0, "alpha_over_size": True},
    "strong": {"size": 3, "alpha": 0.7, "beta": 0.5, "k": 1.5},
    "one channel alone": {"size": 1, "alpha": 0.3},
    "wider than the channels": {"size": 9, "alpha": 0.2, "beta": 1.25},
}
