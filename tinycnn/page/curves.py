"""How the loss of the smallest network changes with one of its parameters: a curve, and its corners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.examples.arithmetic import text
from tinycnn.explain.examples.calculation import call
from tinycnn.explain.examples.example import open_example
from tinycnn.explain.values.printing import number

_REACH = 1.5  # how far a parameter is moved to either side
_STEPS = 60  # to either side
_HALVINGS = 40  # until a corner's place is known to 1e-12


class _Network:
    """The forward pass of the example ``whole``, with other parameters."""

    def __init__(self) -> None:
        self.example = open_example("whole")
        self.given = {value.name: value.array for value in self.example.given}

    def run(self, name: str, place: tuple[int, ...], h: float) -> tuple[float, bytes]:
        """The loss with a parameter moved by ``h``, and who won and who passed."""
        known = dict(self.given)
        known[name] = known[name].copy()
        known[name][place] += h
        for step in self.example.data["forward"]:
            arrays = [known[taken] for taken in step["takes"]]
            results = call(step["op"], arrays, step["arguments"])
            known.update(zip(step["gives"], results, strict=True))
        return float(known["loss"]), _sides(known)


def _sides(known: Mapping[str, Array]) -> bytes:
    """On which side of its kink each ReLU and each pool window is."""
    return (known["z"] > 0).tobytes() + known["winner"].tobytes()


def curves() -> list[dict[str, Any]]:
    """For each number of W and b: losses over h, the gradient there, and the corners in between."""
    network = _Network()
    gradients = {
        result.value.name: result.value
        for stage in network.example.stages
        for result in stage.results
    }
    found = []
    for name in ("W", "b"):
        gradient = gradients[f"d{name}"]
        for flat, place in enumerate(np.ndindex(network.given[name].shape)):
            found.append(
                {
                    "name": gradient.cell(flat).removeprefix("d"),
                    "value": float(network.given[name][place]),
                    "gradient": gradient.flat[flat],
                    "gradient_text": text(gradient.flat[flat]),
                    **_curve(network, name, place, gradient.flat[flat]),
                }
            )
    return found


def _curve(network: _Network, name: str, place: tuple[int, ...], gradient: float) -> dict[str, Any]:
    moves = [_REACH * step / _STEPS for step in range(-_STEPS, _STEPS + 1)]
    runs = [network.run(name, place, h) for h in moves]
    return {
        "moves": moves,
        "losses": [loss for loss, _ in runs],
        "tangent": [number(runs[_STEPS][0] + gradient * h) for h in moves],
        "corners": list(_corners(network, name, place, moves, [sides for _, sides in runs])),
    }


def _corners(
    network: _Network, name: str, place: tuple[int, ...], moves: Sequence[float], sides: Sequence[bytes]
) -> Iterator[list[float]]:  # fmt: skip
    """Where somebody changes sides: h, found by halving, and the loss there."""
    for left, right, before, after in zip(moves, moves[1:], sides, sides[1:], strict=False):
        if before == after:
            continue
        for _ in range(_HALVINGS):
            middle = (left + right) / 2
            if network.run(name, place, middle)[1] == before:
                left = middle
            else:
                right = middle
        yield [round(right, 12), network.run(name, place, right)[0]]
