"""Steps of learning as text on a terminal: what each step does, small curves, and a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tinycnn.explain.learning.values import Learning, LearningStep
from tinycnn.explain.readers.curves_text import curve, thinned
from tinycnn.explain.readers.style import Style, paragraph
from tinycnn.explain.values.printing import number
from tinycnn.tables import text_table
from tinycnn.wording import many

_ROWS = 50  # of the table; of more steps, some are shown


def draw_learning(learning: Learning, style: Style) -> str:
    """Draw the steps: the rule, the loss from beginning to end, the curves, the table."""
    return "\n".join(_learning(learning, style))


def steps_table(
    weight: str,
    gradient: str,
    steps: Sequence[LearningStep],
    write: Callable[[float], str] = number,
    tested: str = "",
) -> str:
    """A row a step: the weight so called, its gradient, the loss, its change as predicted and as it came.

    ``tested`` is the heading of a column for the loss of all images, if there is one.
    """
    head = ["step", weight, gradient, "loss", "predicted change", "real change"]
    rows = [
        [step.number, step.weight, step.gradient, step.loss, step.predicted, step.real]
        for step in steps
    ]
    if tested:
        head.insert(4, tested)
        for row, step in zip(rows, steps, strict=True):
            row.insert(4, step.tested or 0.0)
    body = [[str(first), *map(write, others)] for first, *others in rows]
    return text_table(head, body, len(head) - 1)


def _learning(learning: Learning, style: Style) -> Iterator[str]:
    count = len(learning.steps)
    yield style.bold(f"{learning.name} over {many(count, 'step')}")
    yield ""
    yield from paragraph(_rule(learning))
    yield from paragraph(_prediction(learning))
    yield ""
    yield from paragraph(_loss(learning))
    if not learning.settings.repeats:
        yield from paragraph(_noise(learning))
    if count > 2:
        for heading, values in _curves(learning):
            yield from ("", *curve(heading, values, style))
    yield ""
    shown = thinned(learning.steps, _ROWS)
    yield steps_table("weight", "gradient", shown, tested=_tested(learning))
    if len(shown) < count:
        yield f"({len(shown)} of {many(count, 'step')}; --json has all)"
    if not learning.ok:
        yield style.bad("The loss is no finite number any more: the rate is too large.")


def _curves(learning: Learning) -> Iterator[tuple[str, list[float]]]:
    yield "LOSS", [*(step.loss for step in learning.steps), learning.steps[-1].after]
    yield "WEIGHT", [*(step.weight for step in learning.steps), learning.weight]
    yield "dL/dw", [step.gradient for step in learning.steps]


def _tested(learning: Learning) -> str:
    """What the loss of all images with dropout off is called where it is not that of a step."""
    if learning.settings.repeats:
        return ""
    return "dropout off" if learning.settings.training else "all images"


def _rule(learning: Learning) -> str:
    """What a step does to every parameter."""
    settings = learning.settings
    gradient = "g"
    if settings.weight_decay:
        gradient = f"(g + {settings.weight_decay:g} * w)"
    step = f"w <- w - {settings.rate:g} * {gradient}"
    if settings.momentum:
        step = f"v <- {settings.momentum:g} * v - {settings.rate:g} * {gradient}, w <- w + v"
    images = many(learning.images, "image")
    which = f"of {images}"
    if settings.batch is not None:
        which = f"of {settings.batch} of {images}, drawn anew"
    masks = ", with a dropout mask of its own" if settings.training else ""
    decays = " (biases do not decay)" if settings.weight_decay else ""
    return (
        f"Each step: {step} for {many(learning.moving, 'parameter')} at once{decays}, where g is the "
        f"gradient of the mean loss {which}{masks}."
    )


def _prediction(learning: Learning) -> str:
    """What the predicted change is."""
    rate = f"{learning.settings.rate:g}"
    what = f"-{rate} * |g|^2, the squares of all gradients added up"
    if not learning.settings.is_plain:
        what = "the sum of each parameter's gradient times the way it moves"
    return (
        f"Predicted change of the loss: {what}. Real change: the loss after the step - before it."
    )


def _loss(learning: Learning) -> str:
    first, last = learning.steps[0], learning.steps[-1]
    chance = f"Chance: ln {learning.classes:,} = {number(learning.chance)}."
    words = f"Loss: {number(first.loss)} at first, {number(last.after)} at the end. {chance}"
    if first.tested is not None:
        ends = f"{number(first.tested)} at first, {number(learning.tested)} at the end"
        words += f" With {_tested(learning)}: {ends}."
    return words


def _noise(learning: Learning) -> str:
    """How the gradient jumps from images to images, or from mask to mask."""
    gradients = [step.gradient for step in learning.steps]
    mean, deviation = number(float(np.mean(gradients)), 3), number(float(np.std(gradients)), 3)
    return f"Gradient of the weight: {mean} +- {deviation} (mean and standard deviation)."
