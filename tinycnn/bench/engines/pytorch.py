"""PyTorch, eager, as its guides advise for processors: inference_mode, channels last, no autocast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench import epochs, work
from tinycnn.bench.engines import Contender
from tinycnn.bench.engines.activations import torch_activation
from tinycnn.bench.engines.layers import TORCH
from tinycnn.bench.engines.translation import TorchLayer, channels_first, layers_of
from tinycnn.bench.operations import Operation, operation_of
from tinycnn.bench.work import Workload
from tinycnn.layers.activation import SOFTMAX
from tinycnn.model import Sequential


def load(workload: Workload, way: str, threads: int, folder: Path) -> Contender:
    """Load a network in one memory format, ``way``: "contiguous" or "channels last"."""
    import torch

    torch.set_num_threads(threads)
    return _WORKS[workload.work](workload, channels_last=way == "channels last")


def _forward(workload: Workload, *, channels_last: bool) -> Contender:
    import torch

    model = work.build(workload.network)
    module = _Network.of(model, channels_last=channels_last).module.eval()
    softmax = model.layers[-1].activation is SOFTMAX
    x = _images(workload, model, channels_last=channels_last)
    del model

    def call() -> Any:
        with torch.inference_mode():
            y = module(x)
            return torch.softmax(y, 1) if softmax else y

    return Contender(call, lambda: {"y": _array(call())})


def _training(workload: Workload, *, channels_last: bool) -> Contender:
    model = work.build(workload.network)
    module = _Network.of(model, channels_last=channels_last).module.train()
    x = _images(workload, model, channels_last=channels_last)
    labels = _labels(work.labels(workload.batch, model.shapes[-1][0]))
    del model
    optimizer = _sgd(module, work.RATE)
    return Contender(
        lambda: _step(module, optimizer, x, labels),
        lambda: _checked_step(workload, channels_last=channels_last),
    )


def _epoch(workload: Workload, *, channels_last: bool) -> Contender:
    """A loop over batches that are ready."""
    model = work.build(workload.network)
    prepared = [
        (_tensor(x, channels_last=channels_last), _labels(labels))
        for x, labels in epochs.pictures(workload, model)
    ]
    module = _Network.of(model, channels_last=channels_last).module.train()
    del model
    optimizer = _sgd(module, work.RATE)

    def call() -> None:
        for x, labels in prepared:
            _step(module, optimizer, x, labels)

    return Contender(call, lambda: _checked_step(workload, channels_last=channels_last))


def _step(module: Any, optimizer: Any, x: Any, labels: Any) -> float:
    import torch

    optimizer.zero_grad(set_to_none=True)
    loss = torch.nn.functional.cross_entropy(module(x), labels)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def _checked_step(workload: Workload, *, channels_last: bool) -> Mapping[str, Array]:
    """One step without dropout over the checked batch: the loss, and how each parameter changed."""
    model = work.build(workload.network)
    network = _Network.of(model, channels_last=channels_last)
    module = network.module.eval()
    places = work.repeated(workload.batch)
    images = work.images(work.CHECKED_IMAGES, model.input_shape)[places]
    x = _tensor(images, channels_last=channels_last)
    labels = _labels(work.labels(work.CHECKED_IMAGES, model.shapes[-1][0])[places])
    before = network.parameters()
    loss = _step(module, _sgd(module, work.CHECK_RATE), x, labels)
    after = network.parameters()
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


def _pool(workload: Workload, *, channels_last: bool) -> Contender:
    import torch

    model = work.build(workload.network)
    (pool,) = _Network.of(model, channels_last=channels_last).module
    x = _images(workload, model, channels_last=channels_last)
    pool.return_indices = True

    def call() -> Any:
        with torch.inference_mode():
            return pool(x)

    return Contender(call, lambda: {"y": _array(call()[0])})


def _pool_backward(workload: Workload, *, channels_last: bool) -> Contender:
    import torch

    model = work.build(workload.network)
    (pool,) = _Network.of(model, channels_last=channels_last).module
    x = _images(workload, model, channels_last=channels_last)
    pool.return_indices = True
    y, indices = pool(x)
    N, C, H, W = y.shape
    dy = _tensor(work.upstream((N, H, W, C)), channels_last=channels_last)
    window = pool.kernel_size, pool.stride, [pool.padding] * 2, pool.dilation, pool.ceil_mode

    def call() -> Any:
        with torch.inference_mode():
            return torch.ops.aten.max_pool2d_with_indices_backward(dy, x, *window, indices)

    return Contender(call, lambda: {"dx": _array(call())})


def _operation(workload: Workload, *, channels_last: bool) -> Contender:
    import torch

    op = operation_of(workload.network)
    inputs = _inputs(op, channels_last=channels_last)

    def call() -> Any:
        with torch.inference_mode():
            return op.torch(inputs)

    return Contender(call, lambda: {"y": op.from_torch("y", call().detach().numpy())})


def _operation_backward(workload: Workload, *, channels_last: bool) -> Contender:
    """Autograd's gradients of what was worked out once."""
    import torch

    op = operation_of(workload.network)
    inputs = _inputs(op, channels_last=channels_last)
    leaves = {name: tensor.requires_grad_() for name, tensor in inputs.items()}
    y = op.torch(leaves)
    ours = op.upstream(op.from_torch("y", y.detach().numpy()))
    dy = _laid(op.to_torch("y", ours), channels_last=channels_last)

    def call() -> Any:
        return torch.autograd.grad(y, list(leaves.values()), dy, retain_graph=True)

    def check() -> Mapping[str, Array]:
        gradients = zip(leaves, call(), strict=True)
        return {f"d{name}": op.from_torch(name, gradient.numpy()) for name, gradient in gradients}

    return Contender(call, check)


def _inputs(op: Operation, *, channels_last: bool) -> dict[str, Any]:
    return {
        name: _laid(op.to_torch(name, array), channels_last=channels_last)
        for name, array in op.inputs().items()
    }


def _laid(array: Array, *, channels_last: bool) -> Any:
    """A tensor of these numbers, (N, C, H, W) in the memory format asked for."""
    import torch

    images = channels_last and array.ndim == 4
    memory_format = torch.channels_last if images else torch.contiguous_format
    return torch.from_numpy(array).contiguous(memory_format=memory_format)


@dataclass(frozen=True)
class _Network:
    """A model of ours in PyTorch, without the last softmax."""

    module: Any
    layers: Mapping[str, TorchLayer]

    @classmethod
    def of(cls, model: Sequential, *, channels_last: bool) -> _Network:
        """With the same weights; maps lie in memory as ``channels_last`` says."""
        import torch

        layers: dict[str, TorchLayer] = {}
        modules: list[Any] = []
        for ours in layers_of(model, channels_last=channels_last):
            layers[ours.name] = TORCH.of(ours.layer)(ours)
            modules += layers[ours.name].modules + torch_activation(ours)
        if model.layers[-1].activation is SOFTMAX:
            modules.pop()
        memory_format = torch.channels_last if channels_last else torch.contiguous_format
        return cls(torch.nn.Sequential(*modules).to(memory_format=memory_format), layers)

    def parameters(self) -> dict[str, Array]:
        """What they are now, in our layouts, by our names; of large ones a sample."""
        return {
            f"{layer}.{name}": work.sample(array).copy()
            for layer, translated in self.layers.items()
            for name, array in translated.parameters().items()
        }


def _images(workload: Workload, model: Sequential, *, channels_last: bool) -> Any:
    return _tensor(work.images(workload.batch, model.input_shape), channels_last=channels_last)


def _tensor(x: Array, *, channels_last: bool) -> Any:
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
    "op forward": _operation,
    "op backward": _operation_backward,
    "forward": _forward,
    "training": _training,
    "epoch": _epoch,
    "pool": _pool,
    "pool backward": _pool_backward,
}
