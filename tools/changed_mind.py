"""Draw docs/changed-mind.png: a boot that is recognised, and the gradient that would have changed its mind.

    python -m tools.changed_mind

Needs the extra ``plot``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinycnn import figures
from tinycnn.arrays import Array
from tinycnn.explain import Lesson, open_lesson
from tinycnn.runs.networks import open_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGET = Path(__file__).parents[1] / "docs/changed-mind.png"
WANTED = "sneaker"


def changed(lesson: Lesson) -> tuple[int, Array, Array]:
    """The least shades that each pixel must move by, against the gradient's sign; then pixels and p.

    Source: Goodfellow, Shlens and Szegedy, "Explaining and harnessing adversarial examples", 2015: the fast
    gradient sign method, towards the lesson's label.
    """
    prepare = open_network(lesson.source).preparation
    assert prepare is not None
    signs = np.sign(gradient(lesson))
    for shades in range(1, 256):
        pixels = np.clip(lesson.picture.pixels - shades * signs, 0, 255)
        p = lesson.model.predict(prepare(pixels[None]), algorithm="im2col")[0]
        if p.argmax() == lesson.label:
            return shades, pixels, p
    raise ValueError(f"no step against this gradient makes it class {lesson.label}")


def gradient(lesson: Lesson) -> Array:
    """dL/dx of the picture (H, W, C), against the lesson's label."""
    dx = lesson.backward.records[0].dx
    assert dx is not None
    return np.asarray(dx[0])


def draw() -> Figure:
    """Three panels: the picture, the gradient, and the picture after a step against it."""
    lesson = open_lesson(model="fashion", label=WANTED)
    p, dx = lesson.trace.y[0], gradient(lesson)[..., 0]
    shades, pixels, after = changed(lesson)
    most, names = float(np.abs(dx).max()), lesson.class_names
    figure = figures.blank(9, 3.7)
    panels = figure.subplots(1, 3)
    shown = (
        (lesson.picture.pixels, "gray", 0, 255, f"{names[p.argmax()]}: p = {p.max():.3f}"),
        (-dx, "RdBu_r", -most, most, f"what makes it more of a {WANTED}:\nred brighter, blue darker"),
        (pixels, "gray", 0, 255, f"each pixel moved by {shades} of 255 shades:\n"
                                 f"{names[after.argmax()]}, p = {after.max():.3f}"),
    )  # fmt: skip
    for axes, (image, colours, low, high, title) in zip(panels, shown, strict=True):
        axes.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.axis("off")
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.84, 0.04)
    return figure


if __name__ == "__main__":
    figures.save(draw, TARGET)
