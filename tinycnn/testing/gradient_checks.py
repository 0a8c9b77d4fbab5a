"""The checks of a layer's gradients, by differences: see `tinycnn.checking`."""

from __future__ import annotations

import copy

import numpy as np

from tinycnn.checking import GradientReport, TensorReport, gradcheck
from tinycnn.checking.values import tied
from tinycnn.errors import CheckFailedError
from tinycnn.layers import Layer
from tinycnn.model import Sequential
from tinycnn.testing.subject import Subject

_DRAWS = 3


def gradients(subject: Subject) -> None:
    """dx and each parameter's gradient agree with differences, at values well apart."""
    given = subject.given()
    for words, context in subject.contexts():
        layer = _copy(subject)
        with subject.reporting("gradcheck"):
            report = gradcheck(layer, given.x, training=context.training, rng=subject.seed)
        _judge(report, words)


def gradients_at_ties(subject: Subject) -> None:
    """So they do at whole numbers, where many cells are equal and many are zero."""
    rng = np.random.default_rng(subject.seed)
    for _ in range(_DRAWS):  # of a few cells, all may lie on kinks or where nothing comes through
        x = tied(rng, (3, *subject.input_shape))
        with subject.reporting("gradcheck"):
            report = gradcheck(_copy(subject), x, rng=subject.seed)
        if report.verdict != "undecided":
            break
    _judge(report, "where cells are equal or zero")


def gradient_of_the_loss(subject: Subject) -> None:
    """A layer that ends in softmax takes labels; its loss is then that of y, and so is its gradient."""
    fuses = subject.layer.activation.fuses_with_cross_entropy
    if not fuses or len(subject.output_shape) != 1:
        return
    x = subject.given().x
    labels = np.arange(len(x)) % subject.output_shape[0]
    model = Sequential([_copy(subject)], subject.input_shape, dtype="float64", rng=subject.seed)
    trace = model.trace(x)
    trace.backward(labels=labels)
    expected = -np.log(trace.y[np.arange(len(x)), labels]).mean()
    if trace.loss is None or not np.isclose(trace.loss, expected, rtol=1e-9):
        raise CheckFailedError(
            f"the loss of y and labels is {expected:.9g}, but from what goes into the activation "
            f"{subject.layer.activation} it is {trace.loss:.9g}"
        )
    with subject.reporting("gradcheck"):
        report = gradcheck(model, x, labels=labels, rng=subject.seed)
    _judge(report, "of the loss, with labels")


def _copy(subject: Subject) -> Layer:
    """A layer that no model has taken."""
    return copy.deepcopy(subject.make())


def _judge(report: GradientReport, words: str) -> None:
    """Fail where a gradient is wrong or undecided; how the layer behaves is asked by checks of their own."""
    if not report.tensors:
        raise CheckFailedError(f"no gradient can be checked {words}: {'; '.join(report.problems)}")
    for verdict in ("wrong", "undecided"):
        found = [tensor for tensor in report.tensors if tensor.verdict == verdict]
        if found:
            names = ", ".join(tensor.name for tensor in found)
            texts = " ".join(_in_words(tensor) for tensor in found)
            raise CheckFailedError(f"the gradient of {names} is {verdict} {words}. {texts}")


def _in_words(tensor: TensorReport) -> str:
    """The worst entry of a wrong gradient, and what it looks like; why one is undecided."""
    if not tensor.failures or tensor.worst is None:
        return f"d{tensor.name}: {tensor.shortage}."
    worst = tensor.worst
    texts = [
        f"at {worst.where} it is {worst.analytic:.7g}, but differences give {worst.numeric:.7g}",
        *(diagnosis.text for diagnosis in tensor.diagnosis),
    ]
    return f"d{tensor.name}: {'; '.join(texts)}."
