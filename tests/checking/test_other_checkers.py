"""The comparison with other checkers runs, and CS231n's recipe is what it says."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from checking.numpy_ops import DENSE, RELU
from checking.other_checkers import cs231n_error

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "gradient_checkers.py"


def test_the_recipe_of_cs231n():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in ((3, 4), (4, 2), (2,))]
    assert cs231n_error(DENSE.forward, DENSE.backward, arrays) < 1e-7

    def doubled(dy, x, W, b):
        dx, dW, db = DENSE.backward(dy, x, W, b)
        return dx, 2 * dW, db

    # |2g - g| / (2|g| + |g|)
    assert abs(cs231n_error(DENSE.forward, doubled, arrays) - 1 / 3) < 1e-6
    # At a zero its difference is half of dy, and half is not none.
    assert cs231n_error(RELU.forward, RELU.backward, [np.zeros(3)]) == 1


@pytest.mark.process
def test_the_table_is_printed():
    run = subprocess.run(
        [sys.executable, SCRIPT, "--seeds", "2", "--only", "relu"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "| missed | 0 |" in run.stdout
    assert "| false alarms | 0 of " in run.stdout
    row = next(line for line in run.stdout.splitlines() if line.startswith("| relu, cells at 0"))
    assert row.split(" | ")[1] == "0"
    assert row.endswith("| 2 | 2 |")  # CS231n takes every zero for an error
