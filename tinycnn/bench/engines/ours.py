"""This engine, by its public names only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.bench import epochs, work
from tinycnn.bench.engines import Contender
from tinycnn.bench.operations import operation_of
from tinycnn.bench.work import Workload
from tinycnn.layers import BackwardContext, ForwardContext
from tinycnn.model import Sequential
from tinycnn.optimizers import SGD
from tinycnn.parameters import FlatArrays
from tinycnn.trace import Trace


def load(workload: Workload, way: str, threads: int, folder: Path) -> Contender:
    """Load a network; the number of threads is in the environment (TINYCNN_THREADS)."""
    return _WORKS[workload.work](workload)


def _forward(workload: Workload) -> Contender:
    model = work.build(workload.network)
    model.parameters()  # drawn now: whoever loads a network has its weights
    x = work.images(workload.batch, model.input_shape)

    def call() -> Array:
        return model.predict(x, batch_size=workload.batch)

    return Contender(call, lambda: {"y": call()})


def _training(workload: Workload) -> Contender:
    model = work.build(workload.network)
    x = work.images(workload.batch, model.input_shape)
    labels = work.labels(workload.batch, model.shapes[-1][0])
    optimizer = SGD(model, work.RATE, work.MOMENTUM, work.WEIGHT_DECAY)
    step = _TrainingStep(model, optimizer)
    model.parameters()
    return Contender(lambda: step(x, labels), lambda: checked_step(workload, _one_step))


def _epoch(workload: Workload) -> Contender:
    """The bare loop over batches that are ready."""
    model = work.build(workload.network)
    prepared = list(epochs.pictures(workload, model))
    step = _TrainingStep(model, SGD(model, work.RATE, work.MOMENTUM, work.WEIGHT_DECAY))

    def call() -> None:
        for x, labels in prepared:
            step(x, labels)

    return Contender(call, lambda: checked_step(workload, _one_step))


class _TrainingStep:
    """Training steps one after the other, as a user's loop makes them."""

    def __init__(self, model: Sequential, optimizer: SGD) -> None:
        self.model, self.optimizer = model, optimizer
        self.gradients: FlatArrays | None = None
        self.number = 0

    def __call__(self, x: Array, labels: Array) -> float:
        trace = self.model.trace(x, training=True, rng=self.number)
        self.gradients = trace.backward(labels=labels, out=self.gradients)
        self.optimizer.step(self.gradients)
        self.number += 1
        assert trace.loss is not None
        return trace.loss


def _one_step(model: Sequential, optimizer: SGD, x: Array, labels: Array) -> float:
    return _TrainingStep(model, optimizer)(x, labels)


def checked_step(
    workload: Workload, step: Callable[[Sequential, SGD, Array, Array], float]
) -> Mapping[str, Array]:
    """One step without dropout over the checked batch: the loss, and how each parameter changed."""
    model = work.build(workload.network, dropout=False)
    before = {name: work.sample(array).copy() for name, array in model.parameters().items()}
    places = work.repeated(workload.batch)
    x = work.images(work.CHECKED_IMAGES, model.input_shape)[places]
    labels = work.labels(work.CHECKED_IMAGES, model.shapes[-1][0])[places]
    optimizer = SGD(model, work.CHECK_RATE, work.MOMENTUM, work.WEIGHT_DECAY)
    loss = step(model, optimizer, x, labels)
    after = {name: work.sample(array) for name, array in model.parameters().items()}
    return {"loss": np.array(loss)} | {name: after[name] - before[name] for name in before}


def _im2col(workload: Workload) -> Contender:
    forward = _layer_forward(workload, algorithm="im2col")
    return Contender(forward, lambda: {"y": forward()[0]})


def _layer_forward(
    workload: Workload, algorithm: str | None = None
) -> Callable[[], tuple[Array, Any]]:
    """The forward pass of the network's one layer: the result, and what backward needs."""
    model = work.build(workload.network)
    (layer,) = model.layers
    x, params = (
        work.images(workload.batch, model.input_shape),
        model.parameters().of(str(layer.name)),
    )
    context = ForwardContext(algorithm=algorithm)
    return lambda: layer.forward(params, x, context)


def _pass(workload: Workload) -> Contender:
    """One pass forward and backward: "pass kept" keeps the gradients between layers, as lessons do."""
    model = work.build(workload.network)
    x = work.images(workload.batch, model.input_shape)
    labels = work.labels(workload.batch, model.shapes[-1][0])
    weights = model.parameters()
    release = workload.work == "pass released"
    for name in ops.__all__:
        getattr(ops, name)  # ops load on first use, and Numba with them

    def call() -> tuple[Trace, FlatArrays]:
        trace = model.trace(x, training=release, rng=0)
        return trace, trace.backward(labels=labels)

    def check() -> Mapping[str, Array]:
        trace, gradients = call()
        kept = _bytes_kept(trace, [weights.flat, gradients.flat, x])
        return {"gradients": np.array(gradients.flat.nbytes), "activations": np.array(kept)}

    return Contender(call, check)


def _bytes_kept(trace: Trace, others: list[Array]) -> int:
    """Bytes of the distinct arrays that the trace's records hold, except for ``others``."""
    owners = {id(owner): owner for record in trace.records for owner in _owners(vars(record))}
    for other in others:
        owners.pop(id(_owner(other)), None)
    return sum(owner.nbytes for owner in owners.values())


def _owners(value: Any) -> Iterator[Array]:
    if isinstance(value, np.ndarray):
        yield _owner(value)
    elif isinstance(value, dict):
        yield from _owners(tuple(value.values()))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _owners(item)


def _owner(array: Array) -> Array:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _backward(workload: Workload) -> Contender:
    model = work.build(workload.network)
    x = work.images(workload.batch, model.input_shape)
    trace = model.trace(x, training=True, rng=0)
    dy = work.upstream(trace.y.shape)
    first = workload.network.endswith("/conv1")  # nothing before it has parameters: no dx is needed

    def call() -> Mapping[str, Array]:
        gradients = trace.backward(dy=dy, keep=not first)
        dx = trace.records[0].dx
        return {**gradients, **({} if dx is None else {"dx": dx})}

    return Contender(call, call)


def _pool(workload: Workload) -> Contender:
    forward = _layer_forward(workload)
    return Contender(forward, lambda: {"y": forward()[0]})


def _pool_backward(workload: Workload) -> Contender:
    y, saved = _layer_forward(workload)()
    (layer,) = work.build(workload.network).layers
    dy, context = work.upstream(y.shape), BackwardContext()

    def call() -> Array:
        dx: Array = layer.backward({}, dy, saved, context)[0]
        return dx

    return Contender(call, lambda: {"dx": call()})


def _operation(workload: Workload) -> Contender:
    op = operation_of(workload.network)
    inputs = op.inputs()
    return Contender(lambda: op.forward(inputs), lambda: op.results(inputs, "forward"))


def _operation_backward(workload: Workload) -> Contender:
    op = operation_of(workload.network)
    inputs = op.inputs()
    y, saved = op.forward(inputs)
    dy = op.upstream(y)
    return Contender(
        lambda: op.backward(dy, inputs, y, saved), lambda: op.results(inputs, "backward")
    )


_WORKS = {
    "op forward": _operation,
    "op backward": _operation_backward,
    "forward": _forward,
    "training": _training,
    "epoch": _epoch,
    "backward": _backward,
    "im2col": _im2col,
    "pass kept": _pass,
    "pass released": _pass,
    "pool": _pool,
    "pool backward": _pool_backward,
}
