"""The hand-sized examples of examples.json: worked out by the engine, and compared with the file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from tinycnn.errors import UnknownNameError
from tinycnn.explain.examples.arithmetic import Value, factor, text
from tinycnn.explain.examples.calculation import Calculation, calculate
from tinycnn.explain.learning.values import LearningStep
from tinycnn.explain.values.sums import Product

_STEP = "STEP"


@dataclass(frozen=True)
class Way:
    """Calls that belong together: forward, backward, a step.

    Of a ``brief`` one no cell's equation is drawn: the same was worked out before, with other parameters.
    """

    heading: str
    stages: tuple[Calculation, ...]
    brief: bool = False


@dataclass(frozen=True)
class LossChange:
    """What a step did: its ``stages``, each of one parameter, and the loss before and after it."""

    stages: tuple[Calculation, ...]
    rate: float
    before: Value
    after: Value

    @property
    def gradients(self) -> tuple[float, ...]:
        """The numbers of all gradients but those that are 0."""
        return tuple(number for stage in self.stages for number in stage.takes[1].flat if number)

    @property
    def predicted(self) -> float:
        """-rate times the sum of the squared gradients: the loss's change to first order."""
        return -self.rate * math.fsum(part.value for part in self.parts)

    @property
    def real(self) -> float:
        """The loss's change."""
        return self.after.flat[0] - self.before.flat[0]

    @property
    def parts(self) -> tuple[Product, ...]:
        """The squares."""
        return tuple(Product(f"{factor(number)}^2", number, number) for number in self.gradients)

    @property
    def words(self) -> str:
        """Both with their arithmetic."""
        squares = " + ".join(part.place for part in self.parts)
        old, new = text(self.before.flat[0]), text(self.after.flat[0])
        return (
            f"The step should change the loss by about -{text(self.rate)}*({squares}) = "
            f"{text(self.predicted)}. It does change by {new} - {old} = {text(self.real)}."
        )

    def step(self, number: int) -> LearningStep:
        """The same, seen through the first element of the first parameter."""
        weight, gradient = (value.flat[0] for value in self.stages[0].takes[:2])
        loss, after = self.before.flat[0], self.after.flat[0]
        return LearningStep(number, weight, gradient, loss, self.predicted, after)

    def to_dict(self) -> dict[str, float]:
        """As plain data."""
        loss = {"loss": self.before.flat[0], "loss_after": self.after.flat[0]}
        return {**loss, "predicted": self.predicted, "real": self.real}


@dataclass(frozen=True)
class Example:
    """An example, worked out."""

    name: str
    ways: tuple[Way, ...]
    changes: tuple[LossChange, ...]
    given: tuple[Value, ...]
    data: Mapping[str, Any]  # as `load` gives it

    @property
    def stages(self) -> tuple[Calculation, ...]:
        """All calls, in order."""
        return tuple(stage for way in self.ways for stage in way.stages)

    @property
    def ok(self) -> bool:
        """Whether the engine, the arithmetic and the file agree everywhere."""
        return not any(stage.disagreements for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """The file's data, and what became of each result."""
        worked = [
            {
                "result": result.value.name,
                "computed": result.value.drawn.tolist(),
                "ok": not result.disagreements,
                "cells": [cell.to_dict() for cell in result.cells],
            }
            for stage in self.stages
            for result in stage.results
        ]
        changes = [change.to_dict() for change in self.changes]
        return {"name": self.name, **self.data, "ok": self.ok, "worked": worked, "changes": changes}


def load() -> dict[str, Any]:
    """The data file: examples by name, in reading order, each with what it takes over from another."""
    file = files(__package__).joinpath("examples.json")
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {name: _complete(entry, data) for name, entry in data.items()}


def _complete(entry: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    other = data[entry["of"]] if "of" in entry else {"values": {}}
    return {**other, **entry, "values": {**other["values"], **entry["values"]}}


def open_example(name: str) -> Example:
    """The example ``name``, worked out; UnknownNameError lists the names."""
    data = load()
    if name not in data:
        raise UnknownNameError(f"there is no example {name!r}; there are {', '.join(data)}")
    return work_out(name, data[name])


def work_out(name: str, data: Mapping[str, Any]) -> Example:
    """Work out an entry of `load`: only what it calls given is taken from it."""
    stored = {key: _value(key, value) for key, value in data["values"].items()}
    given = {key: stored[key] for key in data["given"]}
    known = dict(given)
    ways = tuple(_ways(data, known, stored))
    return Example(name, ways, tuple(_changes(data, ways, known)), tuple(given.values()), data)


def _ways(
    data: Mapping[str, Any], known: dict[str, Value], stored: dict[str, Value]
) -> Iterator[Way]:
    """Forward, backward and a step, as often as there are steps, and forward once more after them."""
    steps = data.get("steps", 0)

    def worked(number: int, *ways: str) -> tuple[Calculation, ...]:
        calls = [call for way in ways for call in data.get(way, ())]
        return tuple(calculate(_renamed(call, data, number), known, stored) for call in calls)

    for number in range(1, max(steps, 1) + 1):
        if "of" in data:  # which shows every cell of the first pass
            yield Way(f"PASS {number}", worked(number, "forward", "backward"), brief=True)
        else:
            yield Way("FORWARD", worked(number, "forward"))
            yield Way("BACKWARD", worked(number, "backward"))
        yield Way(_STEP, worked(number, "update"))
    if steps:
        yield Way("FORWARD AGAIN", worked(steps + 1, "forward"), brief=True)


def _renamed(call: Mapping[str, Any], data: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    """A call of the first pass as that of a later one: of what changes, ``y`` is called ``y_2``."""
    if number == 1:
        return call
    stepped = {update["takes"][0]: update["gives"][0] for update in data["update"]}
    made = [name for way in ("forward", "backward") for each in data[way] for name in each["gives"]]
    names = {name: f"{name}_{number}" for name in [*made, *stepped]}
    names |= {new: f"{old}_{number + 1}" for old, new in stepped.items()}
    takes, gives = ([names.get(name, name) for name in call[key]] for key in ("takes", "gives"))
    return {**call, "takes": takes, "gives": gives}


def _changes(
    data: Mapping[str, Any], ways: Sequence[Way], known: Mapping[str, Value]
) -> Iterator[LossChange]:
    """What each step did to the loss, where there is one."""
    losses = [value for name, value in known.items() if name.split("_")[0] == "loss"]
    steps = [way.stages for way in ways if way.heading == _STEP]
    for stages, before, after in zip(steps, losses, losses[1:], strict=False):
        yield LossChange(stages, data["update"][0]["arguments"]["rate"], before, after)


def _value(name: str, value: Mapping[str, Any]) -> Value:
    array = np.array(value["data"], value.get("dtype", "float64"))
    exact = np.array(value.get("text", []), dtype=object).ravel()
    texts = tuple(text.replace("**", "^") for text in exact)
    return Value(name, array.reshape(value["shape"]), array.shape, texts)
