"""A kill at any moment loses nothing: a whole checkpoint is there, and the run ends in the same bits."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tinycnn import checkpoints

each_ending = pytest.mark.parametrize("ending", [".npz", ".safetensors"])

# Saves one checkpoint after the other, numbered, its arrays full of the number; says when it begins.
SAVING = """
import sys
import numpy as np
import tinycnn as tc
from tinycnn import checkpoints
folder = checkpoints.Folder(sys.argv[1], ending=sys.argv[2])
model = tc.Sequential([tc.layers.Dense(300)], (400,))
number = int(sys.argv[3])
while True:
    number += 1
    with model.edit() as parameters:
        parameters.flat[...] = number
    folder.save(model, score=number, number=number, velocities=np.full(50_000, float(number)))
    print(number, flush=True)
"""


def kills(folder, ending, count, seed):
    """Kill a process that saves, at random moments; after each the file is whole, and no older than said."""
    rng, number = np.random.default_rng(seed), 0
    for _ in range(count):
        command = [sys.executable, "-c", SAVING, str(folder), ending, str(number)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = int(child.stdout.readline())  # it is at work
        time.sleep(rng.uniform(0, 0.05))  # the moment of the kill
        child.send_signal(signal.SIGKILL)
        said = int(([str(said), *child.stdout.read().split()])[-1])
        child.wait()
        child.stdout.close()
        for name in ("latest", "best"):
            loaded = checkpoints.load(folder / f"{name}{ending}")
            number = loaded.parts["number"]
            assert said <= number <= said + 1
            assert (loaded.model.parameters().flat == number).all()
            assert (loaded.parts["velocities"] == number).all()
        number = said
        left = [*folder.glob(".*")]
        assert len(left) <= 1  # what the next one sweeps


# Go on from the latest checkpoint for some steps in all, say so after the first few, and at the end print a
# digest. By hand, saving after each step,
BY_HAND = """
import sys
from hashlib import sha256
from tinycnn import checkpoints
from training_runs import Run, net
folder, (steps, few) = checkpoints.Folder(sys.argv[1]), map(int, sys.argv[2:])
begun = folder.latest.exists()
run = Run.resumed(checkpoints.load(folder.latest)) if begun else Run(net())
said = run.step + few
while run.step < steps:
    run.train(1)
    folder.save(run.optimizer.model, **run.parts())
    if run.step == said:
        print("begins", flush=True)
arrays = run.optimizer.model.arrays().values()
print(sha256(b"".join(array.tobytes() for array in arrays)).hexdigest())
"""
# and by a trainer that validates, augments and saves after every third step and each epoch of 44 steps.
BY_TRAINER = """
import sys
from hashlib import sha256
from trained_nets import batches, trainer, validation
folder, (steps, few) = sys.argv[1], map(int, sys.argv[2:])
class Says:
    def on_step(self, run, step):
        if step == said:
            print("begins", flush=True)
run = trainer(checkpoints=folder, checkpoint_steps=3, clip=1.0, callbacks=[Says()])
run.resume()
said = run.steps + few
history = run.fit(batches(size=1), validation(), epochs=steps // 44)
arrays = [*run.model.arrays().values(), *run.optimizer.state_arrays().values()]
print(sha256(b"".join(array.tobytes() for array in arrays)).hexdigest())
print(history.steps[-3:], len(history.steps), history["validation_loss"][-3:])
"""
each_loop = pytest.mark.parametrize("loop", [BY_HAND, BY_TRAINER], ids=["by hand", "trainer"])


def trained(loop, folder, steps, few=1, kill_after=None):
    """What a process that trains says: nothing more than that it begins if it is killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", loop, str(folder), str(steps), str(few)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    child.stdout.readline()
    if kill_after is not None:
        time.sleep(kill_after)  # the moment of the kill
        child.send_signal(signal.SIGKILL)
    said = child.stdout.read()
    child.stdout.close()
    child.wait()
    return said


def killed_and_resumed(loop, folder, steps, count, seed):
    """A run that is killed at random moments ends in the bits of one that never was.

    After each kill its latest checkpoint can be read, and is newer than the one before.
    """
    rng, reached = np.random.default_rng(seed), 0
    for _ in range(count):
        few = int(rng.integers(4, 10))  # steps, of which the third at the latest is saved
        assert trained(loop, folder / "killed", steps, few, rng.uniform(0, 0.05)) == ""
        parts, before = checkpoints.load(folder / "killed" / "latest.npz").parts, reached
        reached = parts["step"] if "step" in parts else len(parts["history"]["arrays"]["steps"])
        assert reached > before
    whole = trained(loop, folder / "whole", steps)
    assert whole and trained(loop, folder / "killed", steps) == whole


@pytest.mark.process
@each_loop
def test_a_run_that_was_killed_ends_in_the_same_bits(tmp_path, loop):
    killed_and_resumed(loop, tmp_path, 220, 3, seed=0)


@pytest.mark.slow
@pytest.mark.process
@each_loop
def test_a_run_that_was_killed_often_ends_in_the_same_bits(tmp_path, loop):
    killed_and_resumed(loop, tmp_path, 4_400, 100, seed=1)


@pytest.mark.process
@each_ending
def test_a_kill_leaves_a_whole_file(tmp_path, ending):
    kills(tmp_path / "run", ending, 3, seed=0)


@pytest.mark.slow
@pytest.mark.process
def test_a_hundred_kills_leave_a_hundred_whole_files(tmp_path):
    kills(tmp_path / "run", ".npz", 100, seed=1)
