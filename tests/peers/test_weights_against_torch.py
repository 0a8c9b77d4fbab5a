"""Networks of PyTorch's taken over: the same outputs in float64, for AlexNet and other Sequentials."""

from collections import OrderedDict

import numpy as np
import pytest
from twins import error

import tinycnn as tc
from tinycnn.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU
from tinycnn.weights import from_torch

pytestmark = pytest.mark.peers

BOUND = 1e-10  # of a tensor's largest value


def torchvisions_alexnet(torch, classes):
    """Its arrays are named features.0.weight, ..., classifier.6.bias; the rest is as there."""
    nn = torch.nn
    features = nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
    )  # fmt: skip
    classifier = nn.Sequential(
        nn.Dropout(), nn.Linear(256 * 36, 4096), nn.ReLU(),
        nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, classes),
    )  # fmt: skip
    parts = {"features": features, "avgpool": nn.AdaptiveAvgPool2d((6, 6)), "flatten": nn.Flatten(),
             "classifier": classifier}  # fmt: skip
    return nn.Sequential(OrderedDict(parts)).double().eval()


def outputs(torch, theirs, model, count=2):
    """Logits of the same images, channels last and first."""
    x = np.random.default_rng(1).standard_normal((count, *model.input_shape))
    first = np.moveaxis(x, -1, 1) if x.ndim == 4 else x
    with torch.no_grad():
        expected = theirs(torch.tensor(np.ascontiguousarray(first))).numpy()
    return model.trace(x, algorithm="im2col").records[-1].z, expected


def test_alexnet_as_torchvision_has_it(torch):
    torch.manual_seed(0)
    theirs = torchvisions_alexnet(torch, 10)
    model = tc.alexnet(10, variant="torchvision", dtype="float64")
    origins = from_torch(theirs.state_dict(), model)
    assert origins["conv1.W"] == "features.0.weight" and origins["fc3.b"] == "classifier.6.bias"
    ours, expected = outputs(torch, theirs, model)
    assert error(ours, expected) <= BOUND

    # The order that fits by shape and is wrong: rows of fc1 channel by channel.
    wrong = theirs.state_dict()["classifier.1.weight"].numpy().T
    with model.edit() as parameters:
        parameters["fc1.W"] = wrong
    ours, _ = outputs(torch, theirs, model)
    assert error(ours, expected) > 1e-3


def normalized(nn):
    theirs = [
        nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=1, groups=2, bias=False), nn.BatchNorm2d(6),
        nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.BatchNorm1d(72), nn.Dropout(), nn.Linear(72, 9),
        nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 5),
    ]  # fmt: skip
    ours = [
        Conv2D(6, (3, 2), stride=(2, 1), padding=1, groups=2, bias=False), BatchNormalization(epsilon=1e-5),
        ReLU(), MaxPool2D(2), Flatten(), BatchNormalization(epsilon=1e-5), Dropout(0.5), Dense(9),
        BatchNormalization(epsilon=1e-5), ReLU(), Dense(5),
    ]  # fmt: skip
    return theirs, ours, (11, 8, 4)


def depthwise(nn):
    theirs = [
        nn.Conv2d(3, 6, 3, padding=2, dilation=2, groups=3), nn.ReLU(), nn.Conv2d(6, 8, 1), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8 * 4 * 3, 5),
    ]  # fmt: skip
    ours = [
        Conv2D(6, 3, padding=2, dilation=2, groups=3, activation="relu"), Conv2D(8, 1, activation="relu"),
        tc.layers.AveragePool2D(2), Dense(5),
    ]  # fmt: skip
    return theirs, ours, (8, 6, 3)


def rows_alone(nn):
    theirs = [nn.Flatten(), nn.Linear(5 * 4 * 3, 7, bias=False), nn.ReLU(), nn.Linear(7, 5)]
    return theirs, [Dense(7, bias=False, activation="relu"), Dense(5)], (5, 4, 3)


@pytest.mark.parametrize("layers", [normalized, depthwise, rows_alone])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_matching_sequential(torch, layers, dtype):
    torch.manual_seed(1)
    modules, ours, shape = layers(torch.nn)
    theirs = torch.nn.Sequential(*modules).double()
    if layers is normalized:  # running statistics of its own
        theirs.train()(torch.randn(16, 4, 11, 8, dtype=torch.float64))
    theirs.eval()
    kept = theirs.state_dict() if dtype == "float64" else theirs.float().state_dict()
    theirs.double()
    model = tc.Sequential(ours, shape, dtype="float64")
    from_torch(kept, model)
    assert error(*outputs(torch, theirs, model, 3)) <= BOUND


def test_tensors_that_want_gradients_are_read(torch):
    module = torch.nn.Sequential(torch.nn.Linear(3, 2))
    model = tc.Sequential([Dense(2)], (3,))
    from_torch(dict(module.named_parameters()), model)
    np.testing.assert_array_equal(model.parameters()["dense1.b"], module[0].bias.detach().numpy())
    with pytest.raises(
        tc.errors.ArgumentError, match=r"such as module\.state_dict\(\), got a Sequential"
    ):
        from_torch(module, model)
    half = {name: array.bfloat16() for name, array in module.state_dict().items()}
    with pytest.raises(
        tc.errors.DTypeError, match=r"0\.weight is of torch\.bfloat16, .* \.float\(\)"
    ):
        from_torch(half, model)
