"""A process that trains and saves in children of its own, to be killed: all is loaded once, not in each.

Run as a script it reads "LOOP FOLDER STEPS FEW" from stdin, a line a child. One that trains goes on from the
latest checkpoint of the folder until STEPS are done in all, and says a digest at the end. One that saves
counts on from STEPS without end. After the first FEW of its own each says "begins" and its process's number;
once it has ended, killed or not, "ended" is said.
"""

import os
import subprocess
import sys
from contextlib import redirect_stdout
from functools import partial
from hashlib import sha256
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from trained_nets import batches, trainer, validation
from training_runs import Run, net

import tinycnn as tc
from tinycnn import checkpoints


def begins():
    print("begins", os.getpid(), flush=True)


def digest(arrays):
    return sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()


def by_hand(folder, steps, few):
    """An explicit loop that saves after each step."""
    folder = checkpoints.Folder(folder)
    begun = folder.latest.exists()
    run = Run.resumed(checkpoints.load(folder.latest)) if begun else Run(net())
    said = run.step + few
    while run.step < steps:
        run.train(1)
        folder.save(run.optimizer.model, **run.parts())
        if run.step == said:
            begins()
    return run.step, digest(run.optimizer.model.arrays())


def by_trainer(folder, steps, few):
    """A trainer that validates, augments, and saves after every third step and each epoch of 44."""

    class Says:
        def on_step(self, run, step):
            if step == said:
                begins()

    run = trainer(checkpoints=folder, checkpoint_steps=3, clip=1.0, callbacks=[Says()])
    run.resume()
    said = run.steps + few
    history = run.fit(batches(size=1), validation(), epochs=steps // 44)
    state = digest(run.model.arrays()), digest(run.optimizer.state_arrays())
    return run.steps, *state, history.steps[-3:], history["validation_loss"][-3:]


def saves(ending, folder, number, few):
    """Saves one checkpoint after the other, numbered, its arrays full of the number, which it says then."""
    folder = checkpoints.Folder(folder, ending=ending)
    model, first = tc.Sequential([tc.layers.Dense(300)], (400,)), number + few
    while True:
        number += 1
        with model.edit() as parameters:
            parameters.flat[...] = number
        folder.save(model, score=number, number=number, velocities=np.full(50_000, float(number)))
        if number == first:
            begins()
        print(number, flush=True)


TRAINING = {"by-hand": by_hand, "trainer": by_trainer}
ENDINGS = (".npz", ".safetensors")
LOOPS = TRAINING | {f"saves{ending}": partial(saves, ending) for ending in ENDINGS}


class Nursery:
    """The process, from outside; use it in a ``with`` statement."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        return self

    def __exit__(self, *error):
        self._process.communicate()

    def start(self, loop, folder, steps, few):
        """Start a child, and give its number once it is at work."""
        print(loop, folder, steps, few, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline().removeprefix("begins "))

    def rest(self):
        """What the child says until it has ended."""
        return list(iter(self._process.stdout.readline, "ended\n"))


def main():
    # Without threads, for there are forks to come.
    with tc.use_threads(1), TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        for name, loop in TRAINING.items():
            loop(Path(folder, name), 44, 1)
    for line in sys.stdin:
        loop, folder, steps, few = line.split()
        child = os.fork()
        if not child:
            print(LOOPS[loop](folder, int(steps), int(few)), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
