"""The catalogues beside torch.autograd.gradcheck: whatever PyTorch's check catches or passes, so do we."""

import numpy as np
import pytest
from checking.other_checkers import torch_passes
from checking.planted import PLANTED
from checking.right import RIGHT

from tinycnn.checking import gradcheck

pytestmark = pytest.mark.peers

# Where PyTorch's gradcheck, with its own tolerances of 1e-3 relative and 1e-5 absolute, sees nothing.
BELOW_ITS_TOLERANCES = {
    "conv: dx 0.1 % too large",
    "dense: dW 0.1 % too large, of 100,000",
    "gradients of 1e-6, a tenth too large",
}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_what_pytorch_catches_we_catch(torch, planted):
    arrays = list(planted.arrays.values())
    theirs = torch_passes(torch, planted.forward, planted.backward, arrays)
    assert theirs or planted.name not in BELOW_ITS_TOLERANCES
    assert not gradcheck((planted.forward, planted.backward), *arrays).ok


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
def test_what_pytorch_passes_we_pass(torch, right):
    for seed in range(3):
        pair, arrays = right.draw(np.random.default_rng(seed))
        if torch_passes(torch, pair.forward, pair.backward, arrays, seed):
            report = gradcheck((pair.forward, pair.backward), *arrays, rng=seed)
            assert report.ok or right.may_fall_short, report


MODULES = {
    "linear": (lambda torch: torch.nn.Linear(5, 3), (4, 5)),
    "tanh": (lambda torch: torch.nn.Tanh(), (4, 5)),
    "softmax": (lambda torch: torch.nn.Softmax(-1), (4, 5)),
    "layer norm": (lambda torch: torch.nn.LayerNorm(5), (4, 5)),
    "batch norm": (lambda torch: torch.nn.BatchNorm1d(5), (4, 5)),
    "two layers": (
        lambda torch: torch.nn.Sequential(
            torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
        ),
        (4, 5),
    ),
    "conv": (
        lambda torch: torch.nn.Sequential(
            torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2)
        ),
        (1, 2, 4, 4),
    ),
}


def in_float64_outside(torch, make):
    """A module as people wrap it: float32 inside, NumPy's float64 outside.

    It is made once: to draw its weights takes far longer than a pass, of which a check has hundreds.
    """
    torch.manual_seed(0)
    module = make(torch)

    def run(x):
        tensor = torch.tensor(x, dtype=torch.float32, requires_grad=True)
        return tensor, module(tensor)

    def forward(x):
        return run(x)[1].detach().numpy().astype(np.float64)

    def backward(dy, x):
        tensor, y = run(x)
        y.backward(torch.tensor(dy, dtype=torch.float32))
        return tensor.grad.numpy().astype(np.float64)

    return forward, backward


@pytest.mark.parametrize("name", MODULES)
def test_a_module_in_float32_is_right_and_its_negative_wrong(torch, name):
    make, shape = MODULES[name]
    forward, backward = in_float64_outside(torch, make)
    for seed in range(4):
        x = np.random.default_rng(seed).standard_normal(shape)
        assert gradcheck((forward, backward), x, rng=seed).verdict in ("right", "undecided")
        negative = gradcheck((forward, lambda dy, x: -backward(dy, x)), x, rng=seed)
        assert negative.verdict == "wrong", negative
