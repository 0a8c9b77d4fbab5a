"""Targets made of what people have: a layer, a model, or a pair of functions.

A target never touches the caller's own arrays, layers or models: arrays are float64 copies, layers
are deep copies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.checking.targets.layers import of_layer
from tinycnn.checking.targets.models import of_model
from tinycnn.checking.targets.pairs import of_pair
from tinycnn.checking.targets.target import Target, own_copy
from tinycnn.errors import ArgumentError, DTypeError, UnknownNameError
from tinycnn.layers import Layer
from tinycnn.losses import LossFunction
from tinycnn.model import Sequential
from tinycnn.validation import check_items, check_rng


def as_target(
    what: Target | Layer | Sequential | tuple[Callable[..., Any], Callable[..., Any]],
    *arrays: ArrayLike,
    wrt: Sequence[str] | str | None = None,
    labels: ArrayLike | None = None,
    loss: LossFunction | None = None,
    training: bool = False,
    rng: int | np.random.Generator | None = 0,
) -> Target:
    """Make a target of a layer or model and its x, or of a pair (forward, backward) and its arrays."""
    generator = check_rng(rng)
    if labels is not None and not isinstance(what, Sequential):
        raise ArgumentError("labels= is for models (Sequential), whose loss is then checked")
    if loss is not None and labels is None:
        raise ArgumentError("loss= is for models (Sequential) with labels=, with which it compares")
    if isinstance(what, Target):
        target = what
    elif isinstance(what, Sequential):
        target = of_model(what, _only(arrays), labels, generator, loss=loss, training=training)
    elif isinstance(what, Layer):
        target = of_layer(what, _only(arrays), generator, training=training)
    elif isinstance(what, Sequence) and len(what) == 2 and all(map(callable, what)):
        target = of_pair(what[0], what[1], arrays)
    else:
        raise ArgumentError(
            f"what is checked must be a layer, a model, or a pair of functions (forward, backward), "
            f"got {what!r}"
        )
    return target if wrt is None else replace(target, wrt=_chosen(wrt, target))


def _chosen(wrt: Sequence[str] | str, target: Target) -> tuple[str, ...]:
    names = (wrt,) if isinstance(wrt, str) else check_items(wrt, "wrt", "names of arrays")
    for name in names:
        if name not in target.arrays:
            raise UnknownNameError(
                f"wrt names no array of {target.name}: {name!r}; there are "
                f"{', '.join(target.arrays)}"
            )
        if target.arrays[name].dtype.kind != "f":
            raise DTypeError(
                f"{name} holds {target.arrays[name].dtype} and cannot be moved by a small step; "
                f"pass it as float64"
            )
    if not names:
        raise ArgumentError(f"wrt must name an array: {', '.join(target.arrays)}")
    return names


def _only(arrays: tuple[ArrayLike, ...]) -> Array:
    if len(arrays) != 1:
        raise ArgumentError(f"a layer or model takes one array, its input x, got {len(arrays)}")
    return own_copy(arrays[0], "x").astype(np.float64)
