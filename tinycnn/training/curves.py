"""The curves of a run: loss and accuracy by epoch, by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinycnn.figures import blank

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tinycnn.training.history import History


def draw(history: History) -> Figure:
    """Loss, and accuracy where there is one, side by side: in training and in validation."""
    accuracies = any(value is not None for value in history["accuracy"])
    figure = blank(10 if accuracies else 5, 4)
    panels = figure.subplots(1, 2 if accuracies else 1, squeeze=False)[0]
    _steps(panels[0], history)
    _panel(panels[0], history, "loss")
    if accuracies:
        _panel(panels[1], history, "accuracy")
    figure.tight_layout()
    return figure


def _panel(panel: Any, history: History, name: str) -> None:
    for label, column in (("training", name), ("validation", f"validation_{name}")):
        values = history[column]
        if any(value is not None for value in values):
            panel.plot(history["epoch"], values, marker=".", label=label)
    panel.set(xlabel="epoch" if history.rows else "step", ylabel=name)
    panel.grid(alpha=0.3)
    if panel.lines:
        panel.legend()


def _steps(panel: Any, history: History) -> None:
    """The loss of each step, pale, at the epoch that it belongs to; before there is one, by steps."""
    if not history.steps:
        return
    each = history.rows[0].steps if history.rows else 1
    places = [(number + 1) / each for number in range(len(history.steps))]
    panel.plot(places, history.steps, color="0.85", linewidth=0.7, label="each step", zorder=0)
