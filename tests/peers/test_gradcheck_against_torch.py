"""The catalogues beside torch.autograd.gradcheck: whatever PyTorch's check catches or passes, so do we."""

import numpy as np
import pytest
from gradient_check.other_checkers import torch_passes
from gradient_check.planted import PLANTED
from gradient_check.right import RIGHT

from tinycnn.gradient_check import gradcheck

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
