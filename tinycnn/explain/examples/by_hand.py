"""The ops worked out cell by cell in plain Python, as a reader with a pencil would.

`work_out` takes an op's name, what went in and what the engine gave, and gives for each result the
arithmetic of its cells. It shares nothing with the ops but the output sizes, so that the two agree
only if both are right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinycnn import shapes
from tinycnn.explain.examples import by_hand_cells as cells
from tinycnn.explain.examples import by_hand_windows as windows
from tinycnn.explain.examples.arithmetic import Value
from tinycnn.explain.examples.by_hand_cells import Arguments, Results

_Work = Callable[[Sequence[Value], Sequence[Value], Arguments], Results]


def work_out(
    op: str, takes: Sequence[Value], gives: Sequence[Value], arguments: Arguments
) -> Results:
    """The cells of each result, row by row; none for a result that is drawn by lot, a mask."""
    return _OPS[op](takes, gives, arguments)


def rules(op: str, takes: Sequence[Value], gives: Sequence[Value]) -> tuple[str, ...]:
    """What is done for each result, in words."""
    names = {"takes": [value.name for value in takes], "gives": [value.name for value in gives]}
    bias = f", plus {takes[2].name}" if op in ("conv2d", "dense") and len(takes) > 2 else ""
    return tuple(rule.format(**names) + bias for rule in _RULES[op])


def window_of(op: str, takes: Sequence[Value], arguments: Arguments) -> shapes.Window | None:
    """The window that slides over the first operand, for ops that have one."""
    if op not in ("conv2d", "max_pool2d", "im2col"):
        return None
    kernel = arguments.get("kernel") or takes[1].array.shape[:2]
    return windows.window(takes[0].array.shape, kernel, arguments, pool=op == "max_pool2d")


_OPS: dict[str, _Work] = {
    "conv2d": windows.conv2d,
    "conv2d_backward": windows.conv2d_backward,
    "dense": cells.dense,
    "dense_backward": cells.dense_backward,
    "transform": cells.transform,
    "transform_backward": cells.transform_backward,
    "multiply": cells.multiply,
    "multiply_backward": cells.multiply_backward,
    "im2col": windows.im2col,
    "col2im": windows.col2im,
    "max_pool2d": windows.max_pool2d,
    "max_pool2d_backward": windows.max_pool2d_backward,
    "relu": cells.relu,
    "relu_backward": cells.relu_backward,
    "dropout": cells.dropout,
    "dropout_backward": cells.dropout_backward,
    "softmax": cells.softmax,
    "softmax_backward": cells.softmax_backward,
    "cross_entropy": cells.cross_entropy,
    "local_response_norm": cells.local_response_norm,
    "local_response_norm_backward": cells.local_response_norm_backward,
}

_OMITTED = " (those that are 0 are left out)"
_RULES = {
    "conv2d": ("a cell is its window of {takes[0]} times {takes[1]}, added up",),
    "conv2d_backward": (
        "each {takes[0]}" + _OMITTED + " goes to the cells that were read, times their weight",
        "each {takes[0]} times the cell that met this weight, added up over all places",
        "all {takes[0]} added up",
    ),
    "dense": ("a cell is its row of {takes[0]} times {takes[1]}, added up",),
    "dense_backward": (
        "each {takes[0]}" + _OMITTED + " times the weights",
        "each {takes[0]} times the number that met this weight, added up over all rows",
        "all {takes[0]} added up",
    ),
    "transform": (
        "each cell is a row of {takes[0]} times {takes[1]}; what is multiplied with 0 is left out",
    ),
    "transform_backward": ("each cell is a column of {takes[1]} times {takes[0]}",),
    "multiply": ("{takes[0]} times {takes[1]}, cell by cell",),
    "multiply_backward": (
        "{takes[0]} times the other factor, {takes[2]}",
        "{takes[0]} times the other factor, {takes[1]}",
    ),
    "im2col": ("each window of {takes[0]} becomes a row",),
    "col2im": ("each cell of {takes[0]}" + _OMITTED + " is added to the cell that it was read from",),
    "max_pool2d": (
        "the largest number of each window of {takes[0]}; the first of equals wins",
        "the winner's place within its window: its row times the window's width, plus its column",
    ),
    "max_pool2d_backward": ("each {takes[0]} goes to the cell that won its window",),
    "relu": ("what is negative becomes 0",),
    "relu_backward": ("{takes[0]} passes where the number had passed, {takes[1]} > 0",),
    "dropout": (
        "what the mask keeps is divided by 1 - rate, what it drops is 0",
        "drawn by lot from the key rng: 1 is kept, 0 is dropped",
    ),
    "dropout_backward": ("the same mask, the same scale",),
    "softmax": ("exp of each logit over the sum of all of them",),
    "softmax_backward": ("{takes[1]} times ({takes[0]} minus the sum of all {takes[0]}*{takes[1]})",),
    "cross_entropy": ("ln of the sum of all exponentials, minus the label's logit",
                      "softmax minus onehot: the label's cell loses 1"),
    "local_response_norm": (
        "each channel over a power of k + alpha * the squares of the channels around it",
    ),
    "local_response_norm_backward": (
        "its own {takes[0]} over s^beta, minus its share in the s of the channels around it",
    ),
}  # fmt: skip
