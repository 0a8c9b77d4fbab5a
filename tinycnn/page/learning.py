"""The smallest network at each of fifty steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinycnn.explain.examples.arithmetic import Value, text
from tinycnn.explain.examples.example import Example, LossChange, load, work_out

_STEPS = 50
_SHOWN = ("W", "b", "z", "y", "logits", "p", "dW", "db")


def steps() -> dict[str, Any]:
    """What the example ``learning`` knows before each step and after the last."""
    example = work_out("learning", {**load()["learning"], "steps": _STEPS})
    values = {value.name: value for value in example.given}
    for stage in example.stages:
        values |= {result.value.name: result.value for result in stage.results}
    return {"rate": example.changes[0].rate, "passes": list(_passes(example, values))}


def _passes(example: Example, values: dict[str, Value]) -> Iterator[dict[str, Any]]:
    for number in range(1, _STEPS + 2):
        ending = f"_{number}" if number > 1 else ""
        yield {
            "loss": values[f"loss{ending}"].flat[0],
            "change": _words(example.changes[number - 1]) if number <= _STEPS else "",
            "values": [
                {"name": name, "rows": _rows(values[f"{name}{ending}"])}
                for name in _SHOWN
                if f"{name}{ending}" in values
            ],
        }


def _rows(value: Value) -> list[list[str]]:
    """Numbers in rows, to four decimals at most."""
    drawn = value.drawn if value.drawn.ndim == 2 else value.drawn.reshape(1, -1)
    return [[text(round(number, 4)) for number in row] for row in drawn.tolist()]


def _words(change: LossChange) -> str:
    return (
        f"The step should change the loss by about {text(round(change.predicted, 6))}; "
        f"it does change by {text(round(change.real, 6))}."
    )
