"""PyTorch, eager, as its guides advise for processors: inference_mode, channels last, no autocast."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.engines import Candidate
from tinycnn.bench.engines.translation import (
    channels_first,
    conv_weights,
    dense_weights,
    padding_of,
)
from tinycnn.bench.work import Task
from tinycnn.errors import ArgumentError
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D
from tinycnn.layers.activation import RELU, SOFTMAX
from tinycnn.model import Sequential


def load(task: Task, way: str, threads: int, folder: Path) -> Candidate:
    """Load a network in one memory format, ``way``: "contiguous" or "channels last"."""
    import torch

    torch.set_num_threads(threads)
    return _WORKS[task.work](task, way == "channels last")


def _forward(task: Task, channels_last: bool) -> Candidate:
    import torch

    model = work.build(task.network)
    module = _module(model, channels_last).eval()
    softmax = model.layers[-1].activation is SOFTMAX
    x = _tensor(work.images(task.batch, model.input_shape), channels_last)
    del model

    def call() -> Any:
        with torch.inference_mode():
            y = module(x)
            return torch.softmax(y, 1) if softmax else y

    return Candidate(call, lambda: {"y": _array(call())})


def _training(task: Task, channels_last: bool) -> Candidate:
    model = work.build(task.network)
    module = _module(model, channels_last).train()
    x = _tensor(work.images(task.batch, model.input_shape), channels_last)
    labels = _labels(work.labels(task.batch, model.shapes[-1][0]))
    del model
    optimizer = _sgd(module, work.RATE)
    return Candidate(
        lambda: _step(module, optimizer, x, labels), lambda: _checked_step(task, channels_last)
    )


def _step(module: Any, optimizer: Any, x: Any, labels: Any) -> float:
    import torch

    optimizer.zero_grad(set_to_none=True)
    loss = torch.nn.functional.cross_entropy(module(x), labels)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def _checked_step(task: Task, channels_last: bool) -> Mapping[str, Array]:
    """One step without dropout over the checked batch: the loss, and how each parameter changed."""
    model = work.build(task.network)
    module = _module(model, channels_last).eval()
    places = work.repeated(task.batch)
    x = _tensor(work.images(work.CHECKED_IMAGES, model.input_shape)[places], channels_last)
    labels = _labels(work.labels(work.CHECKED_IMAGES, model.shapes[-1][0])[places])
    before = _parameters(model, module, channels_last)
    loss = _step(module, _sgd(module, work.CHECK_RATE), x, labels)
    after = _parameters(model, module, channels_last)
    return {"loss": np.array(loss)} | {name: after[name] - before[name] for name in before}


def _sgd(module: Any, rate: float) -> Any:
    import torch

    # Biases do not decay. "fused" is the fastest of its three ways of going over the parameters.
    groups = [
        {
            "params": [p for p in module.parameters() if (p.ndim > 1) == decays],
            "weight_decay": decay,
        }
        for decays, decay in ((True, work.WEIGHT_DECAY), (False, 0.0))
    ]
    return torch.optim.SGD(groups, lr=rate, momentum=work.MOMENTUM, fused=True)


def _pool(task: Task, channels_last: bool) -> Candidate:
    import torch

    x, arguments = _pool_arguments(task, channels_last)

    def call() -> Any:
        with torch.inference_mode():
            return torch.nn.functional.max_pool2d(x, *arguments, return_indices=True)

    return Candidate(call, lambda: {"y": _array(call()[0])})


def _pool_backward(task: Task, channels_last: bool) -> Candidate:
    import torch

    x, arguments = _pool_arguments(task, channels_last)
    y, indices = torch.nn.functional.max_pool2d(x, *arguments, return_indices=True)
    N, C, H, W = y.shape
    dy = _tensor(work.upstream((N, H, W, C)), channels_last)
    pairs = [[size, size] for size in (*arguments, 1)]

    def call() -> Any:
        with torch.inference_mode():
            return torch.ops.aten.max_pool2d_with_indices_backward(dy, x, *pairs, False, indices)

    return Candidate(call, lambda: {"dx": _array(call())})


def _pool_arguments(task: Task, channels_last: bool) -> tuple[Any, tuple[int, int, int]]:
    model = work.build(task.network)
    layer = model.layers[0]
    assert isinstance(layer, MaxPool2D)
    x = _tensor(work.images(task.batch, model.input_shape), channels_last)
    return x, (layer.kernel[0], layer.stride[0], padding_of(layer))


def _module(model: Sequential, channels_last: bool) -> Any:
    """``model`` in PyTorch, without the last softmax. fc1 gets maps in the order they lie in memory."""
    from torch import nn

    steps: list[Any] = []
    params = model.parameters()
    for layer, shape in zip(model.layers, model.shapes, strict=False):
        own = params.of(str(layer.name))
        if isinstance(layer, Conv2D):
            options = {"stride": layer.stride, "padding": padding_of(layer), "groups": layer.groups}
            step = nn.Conv2d(shape[-1], layer.filters, layer.kernel, **options)
            steps.append(_given(step, conv_weights(own["W"]), own["b"]))
        elif isinstance(layer, Dense):
            if len(shape) == 3:
                steps.append(_flatten(channels_last))
            weights = dense_weights(own["W"], shape, channels_last=channels_last)
            step = nn.Linear(own["W"].shape[0], layer.units)
            steps.append(_given(step, weights.T, own["b"]))
        elif isinstance(layer, MaxPool2D):
            steps.append(nn.MaxPool2d(layer.kernel, layer.stride, padding_of(layer)))
        elif isinstance(layer, Dropout):
            steps.append(nn.Dropout(layer.rate))
        else:
            raise ArgumentError(f"the comparison with PyTorch has no layer of the kind {layer!r}")
        if layer.activation is RELU:
            steps.append(nn.ReLU(inplace=True))
    module = nn.Sequential(*steps)
    return module.to(memory_format=_format(channels_last))


def _given(step: Any, weights: Array, bias: Array) -> Any:
    import torch

    with torch.no_grad():
        step.weight.copy_(torch.tensor(weights))
        step.bias.copy_(torch.tensor(bias))
    return step


def _flatten(channels_last: bool) -> Any:
    from torch import nn

    class Rows(nn.Module):  # type: ignore[misc]
        """Maps as rows without a copy: (N, H*W*C) where channels lie last."""

        def forward(self, x: Any) -> Any:
            return (x.permute(0, 2, 3, 1) if channels_last else x).flatten(1)

    return Rows()


def _parameters(model: Sequential, module: Any, channels_last: bool) -> dict[str, Array]:
    """The module's parameters in our layouts, by our names; of large ones a sample."""
    learned = (step for step in module if hasattr(step, "weight"))
    result: dict[str, Array] = {}
    for layer, shape in zip(model.layers, model.shapes, strict=False):
        if isinstance(layer, (Conv2D, Dense)):
            step = next(learned)
            weights = step.weight.detach().numpy()
            if isinstance(layer, Conv2D):
                ours = weights.transpose(2, 3, 1, 0)
            else:
                ours = dense_weights(weights.T, shape, channels_last=channels_last, back=True)
            result[f"{layer.name}.W"] = work.sample(np.ascontiguousarray(ours)).copy()
            result[f"{layer.name}.b"] = step.bias.detach().numpy().copy()
    return result


def _format(channels_last: bool) -> Any:
    import torch

    return torch.channels_last if channels_last else torch.contiguous_format


def _tensor(x: Array, channels_last: bool) -> Any:
    import torch

    if x.ndim == 2:
        return torch.from_numpy(x)
    if channels_last:
        return torch.from_numpy(x).permute(0, 3, 1, 2)
    return torch.from_numpy(channels_first(x))


def _labels(labels: Array) -> Any:
    import torch

    return torch.from_numpy(labels)


def _array(y: Any) -> Array:
    """A result in our layout."""
    found: Array = (y.permute(0, 2, 3, 1) if y.ndim == 4 else y).detach().numpy()
    return found


_WORKS = {
    "forward": _forward,
    "training": _training,
    "pool": _pool,
    "pool backward": _pool_backward,
}
