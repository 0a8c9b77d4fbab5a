"""Beside torch.autograd.gradcheck: what only its tolerances let pass, and modules as people wrap them.

That each planted error is caught, and no right gradient, is tested of each by itself: see checking/.
"""

import numpy as np
import pytest
from checking.other_checkers import torch_passes
from checking.planted import PLANTED

from tinycnn.checking import gradcheck

pytestmark = pytest.mark.peers

# Where PyTorch's gradcheck, with its own tolerances of 1e-3 relative and 1e-5 absolute, sees nothing.
BELOW_ITS_TOLERANCES = {
    "conv: dx 0.1 % too large",
    "dense: dW 0.1 % too large, of 100,000",
    "gradients of 1e-6, a tenth too large",
}


@pytest.mark.parametrize("name", sorted(BELOW_ITS_TOLERANCES))
def test_what_pytorchs_tolerances_let_pass_we_catch(torch, name):
    (planted,) = (planted for planted in PLANTED if planted.name == name)
    arrays = list(planted.arrays.values())
    assert torch_passes(torch, planted.forward, planted.backward, arrays)
    assert not gradcheck((planted.forward, planted.backward), *arrays).ok


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
