"""What results must be: this engine's im2col in float64, which tests compare with PyTorch's float64."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.operations import operation_of
from tinycnn.bench.work import Workload
from tinycnn.layers.activation import SOFTMAX
from tinycnn.model import Sequential

FORWARD_BOUND = 1e-4  # of the largest number: logits of a network, outputs of a layer
# Of each tensor's length, sqrt(sum of squares). Of two nearly equal cells of a pool, rounding decides
# which one wins and gets the gradient: single numbers differ then, in whoever's float32, by a percent.
GRADIENT_BOUND = 1e-2
# In the paper's AlexNet such cells add up, in whoever's float32: 1.1e-2 here and in PyTorch, 1.8e-2 there
# with channels last.
PAPER_BOUND = 2e-2

STEPS = ("training", "epoch")  # works of which one step is checked
_CHECKED = 8  # images of a batch whose outputs are compared


def bound(workload: Workload) -> float:
    """How large `largest_error` may be."""
    if workload.work in STEPS:
        return PAPER_BOUND if workload.network == "paper" else GRADIENT_BOUND
    return GRADIENT_BOUND if workload.work.endswith("backward") else FORWARD_BOUND


def largest_error(workload: Workload, results: Mapping[str, Array]) -> float:
    """How far ``results`` are from what they must be, relative to that; see the bounds above."""
    if "expected" in results:
        return _error(results["sums"], results["expected"])
    if workload.work.startswith("op "):
        return _error_of_op(workload, results)
    if workload.work in STEPS:
        return _largest(results, _expected_step(workload.network, workload.batch))
    if workload.work in ("backward", "pool backward"):
        return _largest(results, _expected_gradients(workload))
    checked = np.linspace(0, workload.batch - 1, min(workload.batch, _CHECKED)).astype(int)
    model = double(workload.network)
    x = work.images(workload.batch, model.input_shape)[checked]
    expected = model.trace(x, algorithm="im2col").y
    found = results["y"][checked]
    if model.layers[-1].activation is SOFTMAX:
        found, expected = logits(found), logits(expected)
    return _error(found, expected)


def _error_of_op(workload: Workload, results: Mapping[str, Array]) -> float:
    direction = workload.work.removeprefix("op ")
    expected = operation_of(workload.network).expected(results, direction)
    if direction == "backward":
        return _largest(results, expected)
    return _error(results["y"], expected["y"])


@lru_cache(maxsize=1)
def double(network: str, *, dropout: bool = False) -> Sequential:
    """``network`` in float64 with the float32 weights."""
    drawn = work.build(network).parameters()
    model = work.build(network, dropout=dropout, dtype="float64")
    with model.edit() as weights:
        for name, array in drawn.items():
            weights[name] = array.astype(np.float64)
    return model


@lru_cache(maxsize=4)
def _expected_step(network: str, batch: int) -> dict[str, Array]:
    """v = 0 - rate * (g + decay * w), w = w + v, from the distinct images of the checked batch alone."""
    count = min(work.CHECKED_IMAGES, batch)
    weights = np.bincount(work.repeated(batch), minlength=count) / batch
    model = double(network)
    x = work.images(work.CHECKED_IMAGES, model.input_shape)[:count]
    labels = work.labels(work.CHECKED_IMAGES, model.shapes[-1][0])[:count]
    trace = model.trace(x, algorithm="im2col")
    # The gradient of the weighted mean: where each stands equally often, that of the plain mean.
    dz = trace.y.copy()
    dz[np.arange(count), labels] -= 1
    losses = -np.log(trace.y[np.arange(count), labels])
    if not np.allclose(weights, 1 / count):
        raise AssertionError(f"a checked batch of {batch} must repeat its {count} images equally")
    gradients = trace.backward(labels=labels, keep=False)
    changes = {
        name: -work.CHECK_RATE * (g + (work.WEIGHT_DECAY * weight if g.ndim > 1 else 0))
        for (name, g), weight in zip(gradients.items(), model.parameters().values(), strict=True)
    }
    sampled = {name: work.sample(change).copy() for name, change in changes.items()}
    return {"loss": np.asarray(losses @ weights), **sampled}


def _expected_gradients(workload: Workload) -> dict[str, Array]:
    model = double(workload.network, dropout=True)
    x = work.images(workload.batch, model.input_shape)
    trace = model.trace(x, training=True, rng=0, algorithm="im2col")
    gradients = trace.backward(dy=work.upstream(trace.y.shape), keep=True)
    dx = trace.records[0].dx
    assert dx is not None
    return {**gradients, "dx": dx}


def _largest(results: Mapping[str, Array], expected: Mapping[str, Array]) -> float:
    """The largest error of any tensor, each as length over length."""
    return max(
        _relative(
            float(np.linalg.norm(found - expected[name])), float(np.linalg.norm(expected[name]))
        )
        for name, found in results.items()
    )


def _error(found: Array, expected: Array) -> float:
    return _relative(float(np.abs(found - expected).max()), float(np.abs(expected).max()))


def _relative(difference: float, size: float) -> float:
    """A difference as a part of what it is a difference from; as it is where that is nothing."""
    return difference / size if size else difference


def logits(probabilities: Array) -> Array:
    """A softmax's inputs, up to their mean, which it forgets."""
    logits: Array = np.log(probabilities.astype(np.float64))
    centred: Array = logits - logits.mean(axis=1, keepdims=True)
    return centred
