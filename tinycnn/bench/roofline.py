"""The roofline picture (Williams, Waterman and Patterson 2009): speed over operations a byte."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinycnn import figures
from tinycnn.bench.limits import Limits
from tinycnn.bench.tables import ResultTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(table: ResultTable, limits: Limits, path: Path) -> None:
    """Write the picture of a table of `tinycnn.bench.layers` to ``path``, .svg or .png."""
    figures.save(lambda: draw(table, limits), path)


def draw(table: ResultTable, limits: Limits) -> Figure:
    """Each layer a point, under a roof of memory (the slope) and of the processor (flat)."""
    figure = figures.blank(8, 5.5)
    axes = figure.subplots()
    rows = [row for row in table.rows if "gflops" in row]
    # A softmax or pool has no multiply-adds and no place here.
    intensities = [row["intensity"] for row in rows]
    ridge = limits.flops / limits.bandwidth
    reach = np.geomspace(min([*intensities, ridge]) / 2, max([*intensities, ridge]) * 3, 200)
    roof = np.minimum(limits.flops, reach * limits.bandwidth) / 1e9
    axes.plot(reach, roof, color="black", label="roof: memory, then processor")
    for direction, mark in (("forward", "o"), ("backward", "s")):
        of_one = [row for row in rows if row["direction"] == direction]
        x, y = [row["intensity"] for row in of_one], [row["gflops"] for row in of_one]
        axes.plot(x, y, mark, label=direction)
        for row in of_one:
            place = (row["intensity"], row["gflops"])
            axes.annotate(
                row["layer"], place, xytext=(5, 4), textcoords="offset points", fontsize=8
            )
    axes.set(
        xscale="log", yscale="log", xlabel="operations a byte moved at least",
        ylabel="GFLOP/s, counted by the layer's formula", title=table.title.replace(": ", "\n"),
    )  # fmt: skip
    axes.title.set_fontsize(10)
    axes.grid(visible=True, which="both", alpha=0.2)
    axes.legend()
    return figure
