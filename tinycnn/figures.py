"""Figures in files: matplotlib when it is asked for, and nothing lost where one cannot be written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.errors import FileError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def blank(width: float, height: float) -> Figure:
    """Give an empty figure, in inches; raises MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("a figure needs matplotlib: pip install 'tinycnn[plot]'") from error
    return Figure(figsize=(width, height))


def save(draw: Callable[[], Figure], target: str | Path) -> None:
    """Write what ``draw`` gives to ``target``, .svg or .png; beside it first, so that nothing is lost.

    Raises FileError where it cannot be written.
    """
    path = Path(target)
    kind = path.suffix.removeprefix(".")
    if kind not in ("svg", "png"):
        raise FileError(f"a figure is .svg or .png, got {str(target)!r}")
    figure = draw()
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
            beside = Path(folder) / path.name
            figure.savefig(beside, format=kind, dpi=200)
            beside.replace(path)
    except OSError as error:
        raise FileError(f"{str(target)!r} cannot be written: {error.strerror or error}") from error
