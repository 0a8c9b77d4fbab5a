"""Can the full-size network learn at all? It learns 64 crops of photographs by heart.

    python benchmarks/overfit.py [--variant one-tower] [--steps 200] [--seed 0]

Each crop is a class of its own, so the loss of guessing is ln 64 = 4.16, and nothing but the pixels tells
them apart. A network, a loss, an optimizer or a gradient that is wrong seldom gets through this, and what
gets through may still be wrong elsewhere: it is the first test of a network, not the last.

The recipe is the AlexNet paper's (`tinycnn.recipes.PAPER`) with all 64 crops in each step: momentum 0.9,
weight decay 0.0005, dropout 0.5, rate 0.01, divided by 10 for the last third of the steps. The photographs
are the cat that comes with tinycnn and the two of scikit-learn (extra sklearn): 227 x 227 pixels cut out at
random, without colour noise and mirror images.
"""

from __future__ import annotations

import argparse
import math
import time
from importlib import resources

import numpy as np
from sklearn.datasets import load_sample_images

import tinycnn as tc
from tinycnn.recipes import PAPER

CROPS = 64
ENOUGH = 0.05  # a loss below it: each crop is named with a probability of 95 %


def photographs() -> list[np.ndarray]:
    """Three of them, (H, W, 3) uint8."""
    with resources.as_file(resources.files("tinycnn.explain.pictures") / "chelsea.npz") as file:
        cat = np.load(file)["pixels"]
    return [cat, *load_sample_images().images]


def crops(size: int, seed: int) -> np.ndarray:
    """(64, size, size, 3), cut out at random, standardised."""
    rng, cut, photos = np.random.default_rng(seed), tc.data.RandomCrop(size), photographs()
    taken = [cut(photos[i % len(photos)][None], rng.random((1, 2))) for i in range(CROPS)]
    together = tc.data.Dataset(np.concatenate(taken), np.arange(CROPS))
    return tc.data.Standardize.of(together)(together.images)


def network(variant: str, seed: int) -> tc.Sequential:
    """``variant`` for 64 classes, its last layer so small that it begins by guessing."""
    model = tc.alexnet(CROPS, variant=variant, trained=False, rng=seed)
    with model.edit() as parameters:
        parameters["fc3.W"][...] *= 0.01
    return model


def losses(model: tc.Sequential, x: np.ndarray, steps: int, seed: int):
    """Give the loss with dropout off, before the first step and every ten steps, until it is enough."""
    optimizer, rng = PAPER.optimizer(model), np.random.default_rng(seed)
    rate = tc.schedules.Steps(PAPER.rate, [steps * 2 // 3], 1 / PAPER.rate_divisor)
    labels = np.arange(len(x))
    for step in range(steps + 1):
        if step % 10 == 0:
            p = model.predict(x)[labels, labels]
            loss = float(-np.log(np.maximum(p, 1e-30)).mean())
            yield step, loss
            if loss < ENOUGH:
                return
        trace = model.trace(x, training=True, rng=rng)
        optimizer.rate = rate(step)
        optimizer.step(trace.backward(labels=labels))


def main() -> int:
    """Print a row every ten steps; 0 if the loss came below 0.05."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--variant", default="one-tower", help="of AlexNet; mini is a quick one")
    parser.add_argument("--steps", type=int, default=200, help="at most so many")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    model = network(given.variant, given.seed)
    x = crops(model.input_shape[0], given.seed)
    print(f"{model.name}, {CROPS} crops of {model.input_shape}; guessing: {math.log(CROPS):.3f}")
    begun = time.perf_counter()
    for step, loss in losses(model, x, given.steps, given.seed):
        print(f"step {step:4}  loss {loss:.4f}  {time.perf_counter() - begun:6.1f} s", flush=True)
    print("learnt by heart" if loss < ENOUGH else f"still above {ENOUGH}")
    return 0 if loss < ENOUGH else 1


if __name__ == "__main__":
    raise SystemExit(main())
