"""A training run as a user writes it, that is stopped and goes on."""

import numpy as np
from small_nets import IMAGE, images, without_dense_maps

import tinycnn as tc
from tinycnn.layers import Dense, Dropout


def net():
    return tc.Sequential([*without_dense_maps()[:-1], Dropout(0.3), Dense(5)], IMAGE)


class Run:
    """A training run with all that may differ from step to step: masks, order, running statistics."""

    def __init__(self, model):
        self.optimizer = tc.optimizers.SGD(model, rate=0.01)
        self.rng = np.random.default_rng(3)
        self.step = 0

    def train(self, steps):
        model = self.optimizer.model
        for _ in range(steps):
            x = images(4, seed=int(self.rng.integers(100)))
            trace = model.trace(x, training=True, rng=self.rng)
            self.optimizer.step(trace.backward(labels=[0, 1, 2, 3]))
            self.optimizer.rate *= 0.97
            self.step += 1

    def parts(self):
        optimizer = {"velocities": self.optimizer.velocities, "rate": self.optimizer.rate}
        return {"optimizer": optimizer, "rng": self.rng, "step": self.step}

    @classmethod
    def resumed(cls, checkpoint):
        run, parts = cls(checkpoint.model), checkpoint.parts
        for name, array in parts["optimizer"]["velocities"].items():
            run.optimizer.velocities[name] = array
        run.optimizer.rate = parts["optimizer"]["rate"]
        run.rng, run.step = parts["rng"], parts["step"]
        return run
