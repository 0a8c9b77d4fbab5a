"""Figures in files: matplotlib when it is asked for, and nothing lost where one cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.errors import MissingExtraError
from tinycnn.files import beside, expect_ending, expect_writable
from tinycnn.wording import said_or_kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def blank(width: float, height: float) -> Figure:
    """Give an empty figure, in inches; raises MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("a figure needs matplotlib: pip install 'tinycnn[plot]'") from error
    except Exception as error:  # of settings that it refuses, such as MPLBACKEND
        raise MissingExtraError(
            f"a figure needs matplotlib, which does not start: {said_or_kind(error)}"
        ) from error
    return Figure(figsize=(width, height))


def expect(target: str | Path) -> None:
    """Raise what would keep `save` from writing to ``target``, so that no work is done in vain."""
    expect_ending("a figure", target, (".svg", ".png"))
    expect_writable(target)
    blank(1, 1)


def save(draw: Callable[[], Figure], target: str | Path) -> None:
    """Write what ``draw`` gives to ``target``, .svg or .png.

    Raises FileError where it cannot be written.
    """
    expect(target)
    figure = draw()
    with beside(target) as path:
        figure.savefig(path, format=path.suffix.lower().removeprefix("."), dpi=200)
