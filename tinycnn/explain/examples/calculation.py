"""One call of an op, worked out by the engine and by hand, and compared with what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.explain.examples import by_hand
from tinycnn.explain.examples.arithmetic import Value, Worked, text
from tinycnn.explain.examples.sgd import sgd
from tinycnn.ops.convolution.winograd import one_line

_MASKS = 10_000
# Beyond this, relative to the largest number or 1, two ways to work out a float64 do not agree.
_BOUND = 1e-14


@dataclass(frozen=True)
class Result:
    """A value that the engine worked out, how a reader would, and what it is compared with."""

    value: Value
    cells: tuple[Worked, ...]  # row by row; none for a mask
    rule: str = ""
    stored: Value | None = None  # as the file has it

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Each cell where the engine, the arithmetic and the file are not at one."""
        others = [("by hand", [cell.value for cell in self.cells])] if self.cells else []
        if self.stored is not None:
            if self.stored.array.shape != self.value.array.shape:
                shapes = self.value.array.shape, self.stored.array.shape
                return (
                    "{}: the engine gives shape {}, stored is {}".format(self.value.name, *shapes),
                )
            others.append(("stored", self.stored.flat))
        bound = _BOUND * max(1.0, *map(abs, self.value.flat))
        return tuple(
            f"{self.value.cell(place)}: the engine gives {text(ours)}, {whose} is {text(theirs)}"
            for whose, numbers in others
            for place, (ours, theirs) in enumerate(zip(self.value.flat, numbers, strict=True))
            if not abs(ours - theirs) <= bound
        )


@dataclass(frozen=True)
class Calculation:
    """One call of an op."""

    call: str  # "z = conv2d(x, W, b)"
    op: str
    arguments: Mapping[str, Any]
    takes: tuple[Value, ...]
    results: tuple[Result, ...]
    window: Any = None  # a shapes.Window, where one slides over the first operand
    sizes: tuple[str, ...] = ()  # the output size's formulas
    stored_sizes: tuple[str, ...] = ()
    remark: str = ""

    @property
    def disagreements(self) -> tuple[str, ...]:
        """What does not agree, in words."""
        sizes = [
            f"output size: {ours}, stored is {theirs}"
            for ours, theirs in zip(self.sizes, self.stored_sizes, strict=True)
            if ours != theirs
        ]
        return (*sizes, *(line for result in self.results for line in result.disagreements))


def calculate(
    step: Mapping[str, Any], known: dict[str, Value], stored: dict[str, Value]
) -> Calculation:
    """Carry out a call of the data file: what it takes is in ``known``, where what it gives is entered."""
    takes = tuple(known[name] for name in step["takes"])
    win = by_hand.window_of(step["op"], takes, step["arguments"])
    results = engine(step["op"], takes, step["gives"], step["arguments"], stored)
    known.update((result.value.name, result.value) for result in results)
    arguments = [value.name for value in takes]
    arguments += [f"{key}={_argument(value)}" for key, value in step["arguments"].items()]
    return Calculation(
        f"{', '.join(step['gives'])} = {step['op']}({', '.join(arguments)})",
        step["op"],
        step["arguments"],
        takes,
        results,
        win,
        (win.height.formula, win.width.formula) if win and "output_size" in step else (),
        tuple(step.get("output_size", {}).values()),
        _mean_over_masks(takes[0], step["arguments"]) if step["op"] == "dropout" else "",
    )


def operation(name: str) -> Callable[..., Any]:
    """An op of `tinycnn.ops`, a step of SGD, or of Winograd's algorithm on one line."""
    if name == sgd.__name__:
        return sgd
    found: Callable[..., Any] = getattr(ops if name in ops.__all__ else one_line, name)
    return found


def call(op: str, arrays: Sequence[Array], arguments: Mapping[str, Any]) -> tuple[Array, ...]:
    """All results of an op of the data file."""
    given = {key: _tuples(value) for key, value in arguments.items()}
    results = operation(op)(*arrays, **given)
    return tuple(map(np.asarray, results if isinstance(results, tuple) else (results,)))


def engine(
    op: str,
    takes: Sequence[Value],
    gives: Sequence[str],
    arguments: Mapping[str, Any],
    stored: Mapping[str, Value] | None = None,
) -> tuple[Result, ...]:
    """Call an op in float64, and work out by hand what it gives.

    The results are named ``gives`` and laid out like the stored ones of these names.
    """
    arrays = call(op, [value.array for value in takes], arguments)
    values = [
        _like(name, array, (stored or {}).get(name))
        for name, array in zip(gives, arrays, strict=True)
    ]
    given = {key: _tuples(value) for key, value in arguments.items()}
    cells = by_hand.work_out(op, takes, values, given)
    rules = by_hand.rules(op, takes, values)
    return tuple(
        Result(value, by_hand, rule, (stored or {}).get(value.name))
        for value, by_hand, rule in zip(values, cells, rules, strict=True)
    )


def _like(name: str, array: Array, stored: Value | None) -> Value:
    if stored is None or array.size != stored.array.size:
        return Value.of(name, array)
    return Value(name, array, stored.layout, stored.exact)


def _mean_over_masks(x: Value, arguments: Mapping[str, Any]) -> str:
    y, _ = ops.dropout(np.repeat(x.array, _MASKS, axis=0), **arguments)
    means = "  ".join(f"{mean:.2f}" for mean in y.mean(axis=0))
    return f"The mean of y over {_MASKS:,} masks is x again, nearly: {means}"


def _tuples(argument: Any) -> Any:
    return tuple(map(_tuples, argument)) if isinstance(argument, list) else argument


def _argument(value: Any) -> str:
    return repr(_tuples(value))
