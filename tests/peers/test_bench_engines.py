"""The engines of the benchmarks compute what ours computes: the same numbers from the same weights."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from tinycnn.bench import reference, work
from tinycnn.bench.engines import ENGINES, PEERS, TRAINERS
from tinycnn.bench.engines.layers import TORCH
from tinycnn.bench.engines.ncnn_net import translated
from tinycnn.bench.engines.onnx_graph import export
from tinycnn.bench.engines.translation import TorchLayer, channels_first, layers_of
from tinycnn.bench.work import Workload
from tinycnn.errors import ArgumentError
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePool2D,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
)
from tinycnn.layers.activation import RELU
from tinycnn.model import Sequential

pytestmark = pytest.mark.peers

FORWARD = [
    Workload("forward", "mini", 3),
    Workload("forward", "conv 9 8 5 6 3 1 1", 2),
    Workload("forward", "conv 9 9 5 6 3 2 1", 2),
    Workload("forward", "mini/fc1", 2),
]
LEARNED = [
    Workload("training", "mini", 8),
    Workload("epoch", "LeNet-5", 4),
    Workload("pool", "pool 9 8 5 3 2 1", 2),
    Workload("pool backward", "pool 9 8 5 3 2 0", 2),
]


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("workload", FORWARD, ids=lambda workload: workload.network)
def test_forward(name, workload, tmp_path):
    workload = replace(workload, batch=ENGINES[name].most_images or workload.batch)
    candidate = ENGINES[name].load(workload, 1, tmp_path)
    assert reference.largest_error(workload, candidate.check()) <= reference.bound(workload) / 5
    assert np.shape(candidate.call())[0] == workload.batch
    assert ENGINES[name].versions()


@pytest.mark.parametrize("name", TRAINERS)
@pytest.mark.parametrize("workload", LEARNED, ids=lambda workload: workload.work)
def test_training_and_pools(name, workload, tmp_path):
    candidate = ENGINES[name].load(workload, 1, tmp_path)
    assert reference.largest_error(workload, candidate.check()) <= reference.bound(workload)
    candidate.call()


def test_the_reference_is_pytorchs_float64(torch):
    """Logits of the conv layer that the checks rely on, worked out without this engine."""
    workload = FORWARD[1]
    model = work.build(workload.network)
    W, b = (torch.tensor(a.astype(np.float64)) for a in model.parameters().values())
    x = torch.tensor(work.images(2, model.input_shape).astype(np.float64)).permute(0, 3, 1, 2)
    y = torch.nn.functional.conv2d(x, W.permute(3, 2, 0, 1), b, padding=1).relu()
    found = {"y": y.permute(0, 2, 3, 1).numpy()}
    assert reference.largest_error(workload, found) < 1e-12


DILATED_POOL = (2, 2)
TRANSLATED = [
    Conv2D(6, (3, 2), stride=(1, 2), padding=1, dilation=(2, 1), groups=2, activation="relu"),
    MaxPool2D((3, 2), stride=2, padding=1, ceil_mode=True),
    MaxPool2D(2, stride=1, dilation=DILATED_POOL),
    Dropout(0.5),
    Dense(7),
    Dense(5, activation="softmax"),
]
NORMALIZED = [
    BatchNormalization(epsilon=0.3),
    Conv2D(6, 3),
    BatchNormalization(),
    MaxPool2D(2),
    Dense(7),
    BatchNormalization(epsilon=0.1),
    Dense(5, activation="softmax"),
]
POOLED = [
    Conv2D(6, 3, activation="relu", bias=False),
    GlobalAveragePool2D(),
    Dense(5, activation="softmax", bias=False),
]
DIVIDED = [
    LocalResponseNorm(size=3, alpha=0.3, beta=0.6, k=3),  # OpenVINO takes a whole k only
    Conv2D(6, 3),
    LocalResponseNorm(size=5, alpha=0.7, alpha_over_size=True),
    Dense(5, activation="softmax"),
]
NETWORKS = {
    "kernels": TRANSLATED,
    "normalized": NORMALIZED,
    "pooled": POOLED,
    "divided": DIVIDED,
}
each_network = pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)


def translated_network(layers):
    """A network whose layers use what is translated, every parameter drawn."""
    model = Sequential([copy.deepcopy(layer) for layer in layers], (13, 14, 4))
    with model.edit() as parameters:
        parameters.flat[...] = np.random.default_rng(0).standard_normal(parameters.flat.shape)
    rng = np.random.default_rng(1)
    model.update_state(
        {name: rng.uniform(0.5, 2, array.shape) for name, array in model.state().items()}
    )
    return model, work.images(3, model.input_shape)


@each_network
@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "mnn", "ncnn"])
def test_every_argument_that_is_translated_counts(name, layers, tmp_path, monkeypatch):
    engine = ENGINES[name]
    if name in ("mnn", "ncnn"):  # MNN reads no dilation of a pool; ncnn refuses it, see below
        layers = [layer for layer in layers if getattr(layer, "dilation", None) != DILATED_POOL]
    model, _ = translated_network(layers)
    x = work.images(engine.most_images or 3, model.input_shape)
    monkeypatch.setattr(work, "build", lambda network: model)
    found = engine.load(Workload("forward", "a network", len(x)), 1, tmp_path).check()
    np.testing.assert_allclose(found["y"], model.predict(x), rtol=1e-4, atol=1e-6)


def test_ncnn_refuses_what_it_does_not_have():
    pool = MaxPool2D(2, dilation=2)
    with pytest.raises(ArgumentError, match="ncnn has no dilated pooling, as <MaxPool2D pool1"):
        translated(Sequential([pool], (6, 6, 3)))


@each_network
@pytest.mark.parametrize("channels_last", [False, True])
def test_every_argument_that_is_translated_counts_in_pytorch(torch, channels_last, layers):
    model, x = translated_network(layers)
    y = torch.from_numpy(channels_first(x))
    if channels_last:
        y = y.to(memory_format=torch.channels_last)
    for ours in layers_of(model, channels_last=channels_last):
        found = TORCH.of(ours.layer)(ours)
        for name, array in found.parameters().items():
            np.testing.assert_array_equal(array, ours.parameters[name])
        for module in found.modules:
            y = module.eval()(y)
        y = y.relu() if ours.layer.activation is RELU else y
    np.testing.assert_allclose(y.softmax(1).detach(), model.predict(x), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["torch", "onnxruntime", "ncnn"])
def test_a_layer_that_is_not_translated_is_refused(name, tmp_path, monkeypatch):
    model = Sequential([AveragePool2D(2)], (4, 4, 3))
    monkeypatch.setattr(work, "build", lambda network: model)
    with pytest.raises(ArgumentError, match="has no layer of the kind <AveragePool2D pool1"):
        ENGINES[name].load(Workload("forward", "a pool", 1), 1, tmp_path)


def test_a_layer_of_a_users_own_may_be_translated(torch):
    class Negated(ReLU):
        def forward(self, params, x, context):
            return -np.maximum(x, 0), x

    @TORCH.register(Negated)
    def to_torch(ours):
        class Minus(torch.nn.Module):
            def forward(self, x):
                return -x.relu()

        return TorchLayer([Minus()])

    model, x = Sequential([Negated()], (4, 4, 3)), work.images(2, (4, 4, 3))
    (ours,) = layers_of(model)
    (module,) = TORCH.of(ours.layer)(ours).modules
    np.testing.assert_array_equal(module(torch.from_numpy(x)), model.predict(x))


def test_the_exported_file_takes_any_batch_size(tmp_path):
    import onnx

    path = tmp_path / "mini.onnx"
    export(work.build("mini"), path)
    axes = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    assert axes[0].dim_param == "N" and [axis.dim_value for axis in axes[1:]] == [3, 99, 99]
