"""The ops worked out cell by cell in plain Python, as a reader with a pencil would.

`work_out` takes an op's name, what went in and what the engine gave, and gives for each result the
arithmetic of its cells. It shares nothing with the ops but the output sizes, so that the two agree
only if both are right.
"""

from __future__ import annotations

from tinycnn import shapes
from tinycnn.explain.examples import by_hand_channels  # noqa: F401 - enters its ops, as windows does
from tinycnn.explain.examples import by_hand_windows as windows
from tinycnn.explain.examples.by_hand_cells import OPS, Arguments, Results, Values


def work_out(op: str, takes: Values, gives: Values, arguments: Arguments) -> Results:
    """The cells of each result, row by row; none for a result that is drawn by lot, a mask."""
    return OPS[op][0](takes, gives, arguments)


def rules(op: str, takes: Values, gives: Values) -> tuple[str, ...]:
    """What is done for each result, in words."""
    names = {"takes": [value.name for value in takes], "gives": [value.name for value in gives]}
    bias = f", plus {takes[2].name}" if op in ("conv2d", "dense") and len(takes) > 2 else ""
    return tuple(rule.format(**names) + bias for rule in OPS[op][1])


def window_of(op: str, takes: Values, arguments: Arguments) -> shapes.Window | None:
    """The window that slides over the first operand, for ops that have one."""
    if op not in ("conv2d", "max_pool2d", "im2col"):
        return None
    kernel = arguments.get("kernel") or takes[1].array.shape[:2]
    return windows.window(takes[0].array.shape, kernel, arguments, pool=op == "max_pool2d")
