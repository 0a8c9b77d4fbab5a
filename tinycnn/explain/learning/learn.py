"""Steps of SGD, watched: what one weight does, and whether the loss does what the gradient says."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.explain.learning.values import Learning, LearningStep, StepSettings
from tinycnn.explain.opening import parameter_place, steepest
from tinycnn.losses import CrossEntropy
from tinycnn.model import Sequential
from tinycnn.optimizers import SGD
from tinycnn.trace import Trace, record
from tinycnn.validation import check_int, mask_key
from tinycnn.wording import many

RATE = 0.001  # small enough for a single picture, whose gradient is long
_LOSS = CrossEntropy()


def learn(
    model: Sequential,
    x: ArrayLike,
    labels: ArrayLike,
    steps: int = 50,
    weight: str | None = None,
    *,
    rate: float = RATE,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch: int | None = None,
    training: bool = False,
    seed: int = 0,
    frozen: Collection[str] = (),
    report: Callable[[LearningStep], None] | None = None,
) -> Learning:
    """Watch ``steps`` of SGD against the mean cross-entropy of images ``x`` (N, ...) and ``labels`` (N,).

    They are taken on a copy of ``model``. All parameters move but those named in ``frozen``; ``weight`` is
    the one that is watched, such as "conv1.W[5,5,0,3]" (None: that with the largest gradient of the first
    layer that has any). ``rate``, ``momentum`` and ``weight_decay`` are as in `tinycnn.optimizers.SGD`.
    Each step takes all images, or ``batch`` of them, drawn anew. With ``training`` dropout is on, a mask of
    its own for each step; masks and batches follow from ``seed``. ``report`` is handed each step once it is
    taken. A loss that is no finite number is the last.

    Raises ArgumentError for settings outside their range and a model without parameters, UnknownNameError
    for a weight that is not there, and as `Sequential.trace` and `Trace.backward` do.
    """
    steps, model = check_int(steps, "steps"), deepcopy(model)
    optimizer = SGD(model, rate, momentum, weight_decay, rate_factors=dict.fromkeys(frozen, 0.0))
    settings = StepSettings(
        optimizer.rate, optimizer.momentum, optimizer.weight_decay, training, batch
    )
    course = _Course(optimizer, model.batch(x), np.asarray(labels), settings, mask_key(seed))
    with np.errstate(all="ignore"):  # a rate may be too large, and that is to be seen
        name, index = course.watched(weight)
        taken = []
        for step in course.run(steps, name, index):
            taken.append(step)
            if report is not None:
                report(step)
        tested = course.tested()
    return Learning(
        f"{name}[{','.join(map(str, index))}]",
        settings,
        len(course.x),
        model.shapes[-1][-1],
        sum(array.size for each, array in model.parameters().items() if each not in frozen),
        tuple(taken),
        float(model.parameters()[name][index]),
        tested,
    )


@dataclass(frozen=True)
class _Course:
    """A model that learns from images ``x``; ``seed`` and a step's number, from 0, say what it meets."""

    optimizer: SGD
    x: Array
    labels: Array
    settings: StepSettings
    seed: int

    def __post_init__(self) -> None:
        if not self.optimizer.model.parameter_shapes():
            raise ArgumentError("this network has no parameters, so nothing in it learns")
        batch = self.settings.batch
        if batch is not None and check_int(batch, "batch") > len(self.x):
            raise ArgumentError(f"batch is {batch}, but there are {many(len(self.x), 'image')}")

    def watched(self, weight: str | None) -> tuple[str, tuple[int, ...]]:
        """The parameter and the place in it that ``weight`` names."""
        trace = self._pass(0)
        if weight is not None:
            return parameter_place(trace, weight)
        trace.backward(labels=self.labels[self._chosen(0)])
        return steepest(trace)

    def run(self, count: int, name: str, index: tuple[int, ...]) -> Iterator[LearningStep]:
        """Take ``count`` steps, and watch an element of the parameter ``name``."""
        model, optimizer, same = self.optimizer.model, self.optimizer, self.settings.repeats
        trace = self._pass(0)
        for number in range(count):
            labels = self.labels[self._chosen(number)]
            tested = None if same else self.tested()
            gradients = trace.backward(labels=labels, keep=False)
            weight, gradient = float(model.parameters()[name][index]), float(gradients[name][index])
            optimizer.step(gradients)
            predicted = _inner(gradients.flat, optimizer.velocities.flat)
            again = self._pass(number)
            loss, after = float(trace.loss or 0.0), _loss(again, labels)
            yield LearningStep(number + 1, weight, gradient, loss, predicted, after, tested)
            if not math.isfinite(after):
                return
            trace = again if same else self._pass(number + 1)

    def tested(self) -> float:
        """The loss of all images, with dropout off."""
        return _loss(record(self.optimizer.model, self.x, False, None, 0, "im2col"), self.labels)

    def _pass(self, number: int) -> Trace:
        key = (self.seed + number) % 2**64
        x = self.x[self._chosen(number)]
        return record(self.optimizer.model, x, self.settings.training, key, 0, "im2col")

    def _chosen(self, number: int) -> Array | slice:
        """The images of a step."""
        if self.settings.batch is None:
            return slice(None)
        draw = np.random.default_rng([self.seed, number])
        return draw.choice(len(self.x), self.settings.batch, replace=False)


def _loss(trace: Trace, labels: Array) -> float:
    return float(_LOSS(trace.outputs_for(_LOSS), labels)[0])


def _inner(a: Array, b: Array) -> float:
    """The sum of products, in float64."""
    return float(np.einsum("i,i->", a, b, dtype=np.float64))
