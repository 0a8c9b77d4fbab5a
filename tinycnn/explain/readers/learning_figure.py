"""Steps of learning as a figure: the loss, its changes, the weight and its gradient over the steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn import figures
from tinycnn.explain.learning.values import Learning

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(learning: Learning, target: str | Path) -> None:
    """Write the curves to ``target``, .svg or .png.

    Raises MissingExtraError without matplotlib, FileError where it cannot be written.
    """
    figures.save(lambda: _figure(learning), target)


def _figure(learning: Learning) -> Figure:
    figure = figures.blank(7.0, 8.0)
    axes = figure.subplots(4, 1, sharex=True)
    steps = learning.steps
    numbers = [step.number for step in steps]
    curves = {
        "loss": {"of the step's images": [step.loss for step in steps]},
        "change of the loss": {
            "predicted": [step.predicted for step in steps],
            "real": [step.real for step in steps],
        },
        learning.name: {"": [step.weight for step in steps]},
        "its gradient": {"": [step.gradient for step in steps]},
    }
    if not learning.settings.repeats:
        curves["loss"]["of all images"] = [step.tested or 0.0 for step in steps]
    for panel, (title, series) in zip(axes, curves.items(), strict=True):
        for label, values in series.items():
            panel.plot(numbers, values, label=label, marker="." if len(numbers) <= 50 else "")
        panel.set_ylabel(title, fontsize=8)
        panel.grid(visible=True, alpha=0.3)
        if len(series) > 1:
            panel.legend(fontsize=8)
    axes[0].axhline(learning.chance, color="grey", linestyle=":")
    axes[-1].set_xlabel("step")
    figure.suptitle(f"{learning.name}, rate {learning.settings.rate:g}")
    figure.align_ylabels()
    return figure
