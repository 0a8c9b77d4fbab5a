"""Max-pooling explained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.causes import so_many, why_nothing_comes
from tinycnn.explain.explainer import Causes, Passage, explainers
from tinycnn.explain.layers.windowed import NO_INFLUENCE, Windowed
from tinycnn.explain.values.candidate import Candidate
from tinycnn.explain.values.explanation import (
    Check,
    Maximum,
    Section,
    Step,
    SumTree,
)
from tinycnn.explain.values.places import Cell
from tinycnn.explain.values.printing import equation
from tinycnn.explain.values.sums import MOST, Part, Product, Source, Term, add, mapped
from tinycnn.layers import MaxPool2D
from tinycnn.passes import Record
from tinycnn.shapes import Window

Pair = tuple[int, int]


@explainers.register(MaxPool2D)
class MaxPool2DExplainer(Windowed):
    """Each cell is the largest of its window; its gradient goes to that one, the argmax, alone.

    ``record.saved[0]`` (N, OH, OW, C) is the argmax's place within its window.
    """

    layer: MaxPool2D

    # ------------------------------------------------------------------------------------ forward

    def cell(self, cell: Cell) -> Sequence[Section]:
        record, (row, column, channel), win = cell.record, cell.place, self.window(cell.record)
        top, left = win.height.seen(row, row)[0], win.width.seen(column, column)[0]
        H, W = record.x.shape[1:3]

        def candidate(i: int, j: int) -> Candidate | None:
            h, w = top + i * win.dilation[0], left + j * win.dilation[1]
            return self._candidate(cell.at((h, w, channel))) if 0 <= h < H and 0 <= w < W else None

        KH, KW = win.kernel
        rows = tuple(tuple(candidate(i, j) for j in range(KW)) for i in range(KH))
        inside = [one.value for line in rows for one in line if one is not None]
        best = next((number for number in inside if number != number), max(inside))
        at = self._argmax_of_windows(cell)[row, column]
        return [
            Maximum(
                "the window's cells compete:",
                rows,
                _within_window(win, record.saved[0][cell.index]),
                (top, left),
                win.dilation,
            ),
            Step("MAX", f"the largest of {len(inside)}", best, _remark(at, inside, best)),
            Check(
                "naive", float(record.y[cell.index]), best, 0.0, "a maximum is copied, not computed"
            ),
        ]

    def _candidate(self, cell: Cell) -> Candidate:
        """A cell of the input, and the windows in which it competes."""
        y, channel = cell.record.y[cell.sample], cell.place[2]
        windows = tuple(
            Term(
                _outcome(cell, window, argmax),
                float(y[(*window, channel)]),
                Source("y", (*window, channel)),
            )
            for window, argmax in self._windows(cell).items()
        )
        return Candidate(float(cell.record.x[cell.index]), Source("x", cell.place), windows)

    def read_by(self, cell: Cell) -> tuple[str, ...]:
        lines = []
        for (r, c), (h, w) in self._windows(cell).items():
            outcome = "wins" if (h, w) == cell.place[:2] else f"loses to {h},{w}"
            lines.append(f"{cell.record.name} window ({r},{c}): {outcome}")
        return tuple(lines) or super().read_by(cell)

    # ----------------------------------------------------------------------------------- backward

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        windows = self._windows(cell)
        if not windows:
            return [NO_INFLUENCE]

        def leaf(r: int, c: int) -> Part:
            argmax, place = windows.get((r, c)), (r, c, cell.place[2])
            if argmax is None:
                return Term(f"window ({r},{c}), between", 0.0)
            won, dy = argmax == cell.place[:2], float(cell.dy[(cell.sample, *place)])
            name = _outcome(cell, (r, c), argmax)
            if not won and not math.isfinite(dy):  # which times 0 would not be 0
                return Term(name, 0.0, Source("dy", place))
            return Product(name, dy, float(won), Source("dy", place), Source("y", place))

        if len(windows) <= MOST:
            tree = add("sum", [leaf(r, c) for r, c in windows])
        else:
            (r0, c0), (r1, c1) = min(windows), max(windows)
            tree = mapped("sum", r1 - r0 + 1, c1 - c0 + 1, lambda i, j: leaf(r0 + i, c0 + j))
        heading = "dy of the windows that hold this cell, * 1 where it won, * 0 where it lost:"
        return [SumTree(heading, tree, second="wins")]

    def why_windows_send_nothing(self, cell: Cell) -> Causes:
        """Which windows got nothing themselves, and which of them the cell lost."""
        record, channel, windows = cell.record, cell.place[2], self._windows(cell)
        won = [window for window, argmax in windows.items() if argmax == cell.place[:2]]
        lost = [
            f"({r},{c}) to {h},{w}"
            for (r, c), (h, w) in windows.items()
            if (h, w) != cell.place[:2]
        ]
        empty = [window for window in windows if cell.dy[(cell.sample, *window, channel)] == 0]
        causes: Causes = ()
        if won or len(empty) == len(windows):
            names = _listed(record, [f"({r},{c})" for r, c in won or empty])
            causes = (f"{names}{', which it won,' * bool(won)} got nothing",)
            if len(won or empty) == 1:
                above = cell.at((*(won or empty)[0], channel))
                causes = (f"{causes[0]}:", *why_nothing_comes(above))
        if lost:
            too = " too" if causes and not won else ""
            causes = (*causes, f"it lost {_listed(record, lost)}{too}")
        return causes

    def sent_by(self, cell: Cell) -> tuple[str, ...]:
        record, (h, w, channel) = cell.record, cell.place
        won = [window for window, argmax in self._windows(cell).items() if argmax == (h, w)]
        parts = [Term(f"({r},{c})", float(cell.dy[cell.sample, r, c, channel])) for r, c in won]
        windows = f"the window{'s' * (len(won) != 1)} of {record.name} that it won"
        line = f"the first one's dz came from {windows}, {', '.join(part.place for part in parts)}"
        return (line,) if len(parts) == 1 else (f"{line}:", equation(add("dz", parts)))

    # ------------------------------------------------------------------------- what a pass decided

    def held(self, record: Record, x: Array) -> Array | None:
        held: Array = x[self._argmax(record)]
        return held

    def passage(self, record: Record) -> Passage | None:
        mask = np.zeros(record.x.shape, bool)
        mask[self._argmax(record)] = True
        return Passage(mask, "win", f"a window of {record.name}")

    def lost(self, record: Record, here: Any) -> tuple[int, str]:
        passage = self.passage(record)
        assert passage is not None
        got = passage.mask[here]
        count = int((~got).sum())
        return count, f"{so_many(count, got.size)} lost every window of {record.name}"

    def _argmax(self, record: Record) -> tuple[Array, ...]:
        """An index into x (N, H, W, C) that gives each window's largest cell: (N, OH, OW, C)."""
        rows, columns = argmax_cells(self.window(record), record.saved[0])
        images = np.arange(len(record.x))[:, None, None, None]
        return images, rows, columns, np.arange(record.x.shape[3])

    def _argmax_of_windows(self, cell: Cell) -> Array:
        """Row and column of the argmax of each window of a cell's image and channel: (OH, OW, 2)."""
        argmax = cell.record.saved[0][cell.sample, :, :, cell.place[2]]
        return np.stack(argmax_cells(self.window(cell.record), argmax[..., None]), -1)[:, :, 0]

    def _windows(self, cell: Cell) -> dict[Pair, Pair]:
        """Each window that holds a cell of the input, and row and column of its argmax."""
        rows, columns = self.windows_over(cell.record.x.shape[1:], cell.place)
        argmax = self._argmax_of_windows(cell).tolist()
        return {(r, c): tuple(argmax[r][c]) for r in rows for c in columns}

    def gradient_formula(self, record: Record) -> str:
        return "sum over windows won of dy"


def _outcome(cell: Cell, window: Pair, argmax: Pair) -> str:
    """A window that holds a cell, and what came of the cell in it: ``window (2,3), lost to 4,7``."""
    result = "won" if argmax == cell.place[:2] else f"lost to {argmax[0]},{argmax[1]}"
    return f"window ({window[0]},{window[1]}), {result}"


def argmax_cells(win: Window, argmax: Array) -> tuple[Array, Array]:
    """Rows and columns of the input's cells that ``argmax`` (..., OH, OW, C) names within windows."""
    OH, OW = win.output
    i, j = np.divmod(argmax.astype(np.intp), win.kernel[1])
    rows = np.arange(OH)[:, None, None] * win.stride[0] - win.pad_top_left[0] + i * win.dilation[0]
    columns = np.arange(OW)[:, None] * win.stride[1] - win.pad_top_left[1] + j * win.dilation[1]
    return rows, columns


def _within_window(win: Window, argmax: int) -> Pair:
    """The kernel row and column that a place within a window is."""
    return divmod(int(argmax), win.kernel[1])


def _remark(at: Sequence[int], inside: Sequence[float], best: float) -> str:
    """Where the maximum stands, and why there."""
    words, equal = f"at row {at[0]}, column {at[1]}", inside.count(best)
    if equal > 1:
        words += f"; {equal} are equal: the first in reading order wins"
    return f"{words}; NaN wins over everything" if best != best else words


def _listed(record: Record, names: Sequence[str]) -> str:
    return f"{record.name}'s window{'s' * (len(names) > 1)} {', '.join(names)}"
