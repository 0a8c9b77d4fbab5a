"""An opened number as a figure: what is multiplied as heat maps, the picture with what it sees, the words."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn import figures
from tinycnn.explain.readers.explanation_text import draw_words
from tinycnn.explain.readers.factor_grids import factor_grids
from tinycnn.explain.readers.heat_maps import draw_grids, height_of
from tinycnn.explain.readers.style import Style
from tinycnn.explain.values.explanation import Explanation, ReceptiveField, only

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCHES_A_LINE = 0.15
_POINTS = 8.0
_WIDTH, _PICTURE = 11.0, 3.6
_NOTEBOOK_DPI = 100


def save(explanation: Explanation, target: str | Path) -> None:
    """Write a figure to ``target``, .svg or .png.

    Raises MissingExtraError without matplotlib, FileError where it cannot be written.
    """
    figures.save(lambda: _figure(explanation), target)


def png(explanation: Explanation) -> bytes | None:
    """The maps and the picture without the words; None where there is neither.

    Raises MissingExtraError without matplotlib.
    """
    maps = height_of(factor_grids(explanation))
    height = maps + (_PICTURE + 0.2) * (explanation.picture is not None)
    if not height:
        return None
    written = io.BytesIO()
    _drawn(explanation, height).savefig(written, format="png", dpi=_NOTEBOOK_DPI)
    return written.getvalue()


def _figure(explanation: Explanation) -> Figure:
    words = draw_words(explanation, Style.plain())
    maps = height_of(factor_grids(explanation))
    height = maps + max(4.0, _INCHES_A_LINE * (len(words) + 2))
    figure = _drawn(explanation, height)
    text = "\n".join(words).replace("$", r"\$")
    top = 1 - (maps + 0.2) / height
    figure.text(0.36, top, text, family="monospace", fontsize=_POINTS, va="top")
    return figure


def _drawn(explanation: Explanation, height: float) -> Figure:
    """The maps, and below them the picture at the left, with a frame around what the number sees."""
    figure = figures.blank(_WIDTH, height)
    grids = factor_grids(explanation)
    if grids:
        draw_grids(figure, grids)
    if explanation.picture is None:
        return figure
    from matplotlib.patches import Rectangle

    bottom = height - height_of(grids) - 0.2 - _PICTURE
    axes = figure.add_axes((0.02, bottom / height, 0.32, _PICTURE / height))
    grey = explanation.picture.shape[2] == 1
    pixels = explanation.picture[:, :, 0] if grey else explanation.picture
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    for section in only(ReceptiveField, explanation.sections):
        if section.field is not None:
            (top, last), (left, right) = section.field
            size = (right - left + 1, last - top + 1)
            axes.add_patch(
                Rectangle(
                    (left - 0.5, top - 0.5), *size, fill=False, edgecolor="red", linewidth=1.5
                )
            )
    return figure
