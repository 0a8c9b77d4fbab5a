"""``tinycnn train`` as a program of its own, interrupted from outside; and one that was killed."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from small_runs import write_data, write_networks

import tinycnn as tc
from tinycnn.cli import main

RECIPE = ["--model", "nets.py:net", "--batch", "9", "--epochs", "150"]


def started(place, out):
    words = ["train", "data.npz", "--out", out, *RECIPE]
    return subprocess.Popen(
        [sys.executable, "-m", "tinycnn", *words], cwd=place, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL, env={**os.environ, "TINYCNN_THREADS": "2"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def read_until(process, words):
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"{words!r} was never said; it ended with {process.wait()}")


@pytest.mark.process
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_run_that_is_ended_from_outside_goes_on_to_the_same_bits(
    tmp_path, monkeypatch, number, code
):
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "data.npz")
    write_networks(tmp_path / "nets.py")
    with started(tmp_path, "run") as process:
        read_until(process, "epoch 3")
        process.send_signal(number)
        rest = process.stderr.read()
    assert process.returncode == code and "Traceback" not in rest
    if number != signal.SIGKILL:
        assert "and saved; go on with: tinycnn train --resume --out run" in rest
    position = tc.checkpoints.load("run/latest.npz", only=["position"]).parts["position"]
    assert 2 <= position["epoch"] < 150
    assert main(["train", "--resume", "--out", "run"]) == 0
    assert main(["train", "data.npz", "--out", "whole", *RECIPE]) == 0
    resumed, whole = (tc.load(f"{run}/latest.npz").arrays() for run in ("run", "whole"))
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array)
