"""An opened number as a figure: the picture with what it sees, and the words beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn import figures
from tinycnn.explain.readers.explanation_text import draw_words
from tinycnn.explain.readers.style import Style
from tinycnn.explain.values.explanation import Explanation, ReceptiveField, only

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCHES_A_LINE = 0.15
_POINTS = 8.0


def save(explanation: Explanation, target: str | Path) -> None:
    """Write a figure to ``target``, .svg or .png.

    Raises MissingExtraError without matplotlib, FileError where it cannot be written.
    """
    figures.save(lambda: _figure(explanation), target)


def _figure(explanation: Explanation) -> Figure:
    words = draw_words(explanation, Style.plain())
    height = max(4.0, _INCHES_A_LINE * (len(words) + 2))
    figure = figures.blank(11.0, height)
    text = "\n".join(words).replace("$", r"\$")
    top = 1 - 0.2 / height
    figure.text(0.36, top, text, family="monospace", fontsize=_POINTS, va="top")
    if explanation.picture is not None:
        from matplotlib.patches import Rectangle

        axes = figure.add_axes((0.02, top - 3.6 / height, 0.32, 3.6 / height))
        grey = explanation.picture.shape[2] == 1
        pixels = explanation.picture[:, :, 0] if grey else explanation.picture
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_axis_off()
        for section in only(ReceptiveField, explanation.sections):
            if section.field is not None:
                (top_row, bottom), (left, right) = section.field
                pad_top_left = (left - 0.5, top_row - 0.5)
                size = (right - left + 1, bottom - top_row + 1)
                axes.add_patch(
                    Rectangle(pad_top_left, *size, fill=False, edgecolor="red", linewidth=1.5)
                )
    return figure
