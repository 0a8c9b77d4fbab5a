"""The hand-sized examples of examples.json: worked out by the engine, and compared with the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.errors import UnknownNameError
from tinycnn.explain.examples import by_hand
from tinycnn.explain.examples.arithmetic import Pair, Value, Worked, products, text
from tinycnn.layers import Layer, Shape
from tinycnn.model import Sequential
from tinycnn.ops.convolution.winograd import one_line
from tinycnn.optimizers import SGD

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
    """One call of an op, or a step of SGD."""

    call: str  # "z = conv2d(x, W, b)"
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


@dataclass(frozen=True)
class Example:
    """An example, worked out."""

    name: str
    title: str
    teaches: str
    page: str
    forward: tuple[Calculation, ...]
    backward: tuple[Calculation, ...]
    update: tuple[Calculation, ...]
    given: tuple[Value, ...]
    data: Mapping[str, Any]

    @property
    def stages(self) -> tuple[Calculation, ...]:
        """All of them, in order."""
        return self.forward + self.backward + self.update

    @property
    def ok(self) -> bool:
        """Whether the engine, the arithmetic and the file agree everywhere."""
        return not any(stage.disagreements for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """The file's data, and what became of each result."""
        return {"name": self.name, **self.data, "ok": self.ok, "worked": [
            {
                "result": result.value.name,
                "computed": result.value.drawn.tolist(),
                "ok": not result.disagreements,
                "cells": [vars(cell) for cell in result.cells],
            }
            for stage in self.stages
            for result in stage.results
        ]}  # fmt: skip


def load() -> dict[str, Any]:
    """The data file: examples by name, in reading order."""
    file = files(__package__).joinpath("examples.json")
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


def open_example(name: str) -> Example:
    """The example ``name``, worked out; UnknownNameError lists the names."""
    data = load()
    if name not in data:
        raise UnknownNameError(f"there is no example {name!r}; there are {', '.join(data)}")
    return work_out(name, data[name])


def work_out(name: str, data: Mapping[str, Any]) -> Example:
    """Work out an entry of the data file: only what it calls given is taken from it."""
    stored = {key: _value(key, value) for key, value in data["values"].items()}
    known = {key: stored[key] for key in data["given"]}
    forward, backward = (
        tuple(_stage(step, known, stored) for step in data[way]) for way in ("forward", "backward")
    )
    return Example(
        name, data["title"], data["teaches"], data["page"], forward, backward,
        _update(data.get("update"), known, stored),
        tuple(stored[key] for key in data["given"]), data,
    )  # fmt: skip


def _value(name: str, value: Mapping[str, Any]) -> Value:
    array = np.array(value["data"], value.get("dtype", "float64"))
    exact = np.array(value.get("text", []), dtype=object).ravel()
    texts = tuple(text.replace("**", "^") for text in exact)
    return Value(name, array.reshape(value["shape"]), array.shape, texts)


def _stage(
    step: Mapping[str, Any], known: dict[str, Value], stored: dict[str, Value]
) -> Calculation:
    takes = tuple(known[name] for name in step["takes"])
    win = by_hand.window_of(step["op"], takes, step["arguments"])
    results = engine(step["op"], takes, step["gives"], step["arguments"], stored)
    known.update((result.value.name, result.value) for result in results)
    arguments = [value.name for value in takes]
    arguments += [f"{key}={_argument(value)}" for key, value in step["arguments"].items()]
    return Calculation(
        f"{', '.join(step['gives'])} = {step['op']}({', '.join(arguments)})",
        takes,
        results,
        win,
        (win.height.formula, win.width.formula) if win and "output_size" in step else (),
        tuple(step.get("output_size", {}).values()),
        _mean_over_masks(takes[0], step["arguments"]) if step["op"] == "dropout" else "",
    )


def operation(name: str) -> Callable[..., Any]:
    """An op of `tinycnn.ops`, or a step of Winograd's algorithm on one line."""
    found: Callable[..., Any] = getattr(ops if name in ops.__all__ else one_line, name)
    return found


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
    given = {key: _tuples(value) for key, value in arguments.items()}
    arrays = operation(op)(*(value.array for value in takes), **given)
    arrays = (arrays,) if len(gives) == 1 else arrays
    values = [
        _like(name, np.asarray(array), (stored or {}).get(name))
        for name, array in zip(gives, arrays, strict=True)
    ]
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


# ----------------------------------------------------------------------------------- a step of SGD


class _Holder(Layer):
    """A layer that is nothing but its parameters, for a step of SGD."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.name = "it"
        self.shapes = dict(shapes)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return self.shapes


def sgd_step(
    parameters: Mapping[str, Array],
    gradients: Mapping[str, Array],
    rate: float,
    *,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    velocities: Mapping[str, Array] | None = None,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The parameters and velocities after one step of the engine's SGD, in float64."""
    holder = _Holder({name: array.shape for name, array in parameters.items()})
    model = Sequential([holder], (1,), dtype="float64")
    optimizer = SGD(model, rate, momentum, weight_decay)
    with model.edit() as held:
        for name, array in parameters.items():
            held[f"it.{name}"][...] = array
            optimizer.velocities[f"it.{name}"][...] = (velocities or {}).get(name, 0.0)
    optimizer.step({f"it.{name}": array for name, array in gradients.items()})
    after = model.parameters()
    return (
        {name: after[f"it.{name}"].copy() for name in parameters},
        {name: optimizer.velocities[f"it.{name}"].copy() for name in parameters},
    )


def _update(
    update: Mapping[str, Any] | None, known: dict[str, Value], stored: dict[str, Value]
) -> tuple[Calculation, ...]:
    """A step of SGD without momentum or decay."""
    if update is None:
        return ()
    rate, parameters = update["rate"], update["parameters"]
    stepped, _ = sgd_step(
        {name: known[name].array for name in parameters},
        {name: known[gradient].array for name, (gradient, _) in parameters.items()},
        rate,
    )
    results = []
    for name, (gradient, new) in parameters.items():
        value = _like(new, stepped[name], stored[new])
        pairs = zip(known[name].flat, known[gradient].flat, strict=True)
        cells = tuple(_stepped(pair, rate) for pair in pairs)
        rule = f"{name} minus {text(rate)} times {gradient}"
        results.append(Result(value, cells, rule, stored[new]))
    names = ", ".join(new for _, new in parameters.values())
    takes = tuple(known[name] for name in parameters)
    return (Calculation(f"{names} = a step of SGD at rate {text(rate)}", takes, tuple(results)),)


def _stepped(pair: Pair, rate: float) -> Worked:
    weight, gradient = pair
    down = products([(rate, gradient)])
    return Worked(f"{text(weight)} - {down.arithmetic}", weight - down.value)
