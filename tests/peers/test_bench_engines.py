"""The engines of the benchmarks compute what ours computes: the same numbers from the same weights."""

import numpy as np
import pytest

from tinycnn.bench import reference, work
from tinycnn.bench.engines import ENGINES, PEERS, TRAINERS
from tinycnn.bench.engines.onnx_graph import export
from tinycnn.bench.work import Task
from tinycnn.layers import AveragePool2D
from tinycnn.model import Sequential

pytestmark = pytest.mark.peers

FORWARD = [
    Task("forward", "mini", 3),
    Task("forward", "conv 9 8 5 6 3 1 1", 2),
    Task("forward", "conv 9 9 5 6 3 2 1", 2),
    Task("forward", "mini/fc1", 2),
]
LEARNED = [
    Task("training", "mini", 8),
    Task("pool", "pool 9 8 5 3 2 1", 2),
    Task("pool backward", "pool 9 8 5 3 2 0", 2),
]


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("task", FORWARD, ids=lambda task: task.network)
def test_forward(name, task, tmp_path):
    candidate = ENGINES[name].load(task, 1, tmp_path)
    assert reference.largest_error(task, candidate.check()) <= reference.bound(task) / 10
    assert np.shape(candidate.call())[0] == task.batch
    assert ENGINES[name].versions()


@pytest.mark.parametrize("name", TRAINERS)
@pytest.mark.parametrize("task", LEARNED, ids=lambda task: task.work)
def test_training_and_pools(name, task, tmp_path):
    candidate = ENGINES[name].load(task, 1, tmp_path)
    assert reference.largest_error(task, candidate.check()) <= reference.bound(task)
    candidate.call()


def test_the_reference_is_pytorchs_float64(torch):
    """Logits of the conv layer that the checks rely on, worked out without this engine."""
    task = FORWARD[1]
    model = work.build(task.network)
    W, b = (torch.tensor(a.astype(np.float64)) for a in model.parameters().values())
    x = torch.tensor(work.images(2, model.input_shape).astype(np.float64)).permute(0, 3, 1, 2)
    y = torch.nn.functional.conv2d(x, W.permute(3, 2, 0, 1), b, padding=1).relu()
    found = {"y": y.permute(0, 2, 3, 1).numpy()}
    assert reference.largest_error(task, found) < 1e-12


def test_a_layer_that_is_not_translated_is_refused(tmp_path):
    model = Sequential([AveragePool2D(2)], (4, 4, 3))
    with pytest.raises(ValueError, match="has no layer of the kind"):
        export(model, tmp_path / "x.onnx")


def test_the_exported_file_takes_any_batch_size(tmp_path):
    import onnx

    path = tmp_path / "mini.onnx"
    export(work.build("mini"), path)
    axes = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    assert axes[0].dim_param == "N" and [axis.dim_value for axis in axes[1:]] == [3, 99, 99]
