"""64 crops of photographs learnt by heart: a network, its loss and the paper's optimizer, all together."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.peers, pytest.mark.slow]  # the photographs are scikit-learn's
SCRIPT = Path(__file__).parents[2] / "benchmarks/overfit.py"


def test_it_begins_by_guessing_and_ends_by_knowing():
    script = runpy.run_path(str(SCRIPT))
    x = script["crops"](99, 0)
    assert x.shape == (64, 99, 99, 3)
    assert len(np.unique(x.reshape(64, -1).round(4), axis=0)) == 64
    losses = [loss for _, loss in script["losses"](script["network"]("mini", 0), x, 700, 0)]
    assert abs(losses[0] - math.log(64)) < 0.02
    assert losses[-1] < 0.05
