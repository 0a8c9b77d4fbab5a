"""A kill at any moment loses nothing: a whole checkpoint is there, and the run ends in the same bits."""

import os
import signal
import time

import numpy as np
import pytest
from killed_loops import ENDINGS, TRAINING, Nursery

from tinycnn import checkpoints

each_ending = pytest.mark.parametrize("ending", ENDINGS)


def kills(folder, ending, count, seed):
    """Kill a process that saves, at random moments; after each the file is whole, and no older than said."""
    rng, number = np.random.default_rng(seed), 0
    with Nursery() as nursery:
        for _ in range(count):
            child = nursery.start(f"saves{ending}", folder, number, 1)
            time.sleep(rng.uniform(0, 0.05))  # the moment of the kill
            os.kill(child, signal.SIGKILL)
            said = int([number + 1, *nursery.rest()][-1])
            for name in ("latest", "best"):
                loaded = checkpoints.load(folder / f"{name}{ending}")
                number = loaded.parts["number"]
                assert said <= number <= said + 1
                assert (loaded.model.parameters().flat == number).all()
                assert (loaded.parts["velocities"] == number).all()
            number = said
            left = [*folder.glob(".*")]
            assert len(left) <= 1  # what the next one sweeps


each_loop = pytest.mark.parametrize("loop", TRAINING)


def killed_and_resumed(loop, folder, steps, count, seed):
    """A run that is killed at random moments ends in the bits of one that never was.

    After each kill its latest checkpoint can be read, and is newer than the one before.
    """
    rng, reached = np.random.default_rng(seed), 0
    with Nursery() as nursery:
        for _ in range(count):
            few = int(rng.integers(4, 10))  # steps, of which the third at the latest is saved
            child = nursery.start(loop, folder / "killed", steps, few)
            time.sleep(rng.uniform(0, 0.05))  # the moment of the kill
            os.kill(child, signal.SIGKILL)
            assert nursery.rest() == []
            parts, before = checkpoints.load(folder / "killed" / "latest.npz").parts, reached
            reached = parts["step"] if "step" in parts else len(parts["history"]["arrays"]["steps"])
            assert reached > before
        ends = []
        for name in ("killed", "whole"):
            nursery.start(loop, folder / name, steps, 1)
            ends += nursery.rest()
    assert len(ends) == 2 and ends[0] == ends[1] and ends[0].startswith(f"({steps}, ")


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("seed", range(4))
@each_loop
def test_a_run_that_was_killed_often_ends_in_the_same_bits(tmp_path, loop, seed):
    """A hundred kills of each loop."""
    killed_and_resumed(loop, tmp_path, 1_320, 25, seed)


@pytest.mark.process
@each_ending
def test_a_kill_leaves_a_whole_file(tmp_path, ending):
    kills(tmp_path / "run", ending, 3, seed=0)


@pytest.mark.slow
@pytest.mark.process
def test_a_hundred_kills_leave_a_hundred_whole_files(tmp_path):
    kills(tmp_path / "run", ".npz", 100, seed=1)
