"""The loss's derivative without backward: the pass run again in float64 with one number moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tinycnn import passes
from tinycnn.arrays import Array
from tinycnn.explain.explainer import activation_explainer, explainer_of
from tinycnn.explain.values.sums import total
from tinycnn.layers import Params
from tinycnn.passes import Record
from tinycnn.trace import Trace

Arrays = list[Array]  # one for each move

_STEPS = (1e-6, 1e-8)
_SAME = 1e-13  # of a layer's largest cell: below this, two cells differ by float64's rounding alone
_ROUNDING = 4e-15  # of a loss worked out in float64


@dataclass(frozen=True)
class Change:
    """What is moved: an element of a layer's parameter, of its input, or of what it activates."""

    position: int
    part: str  # "x", "z" or a parameter's name
    index: tuple[int, ...]  # into the batch, or into the parameter


@dataclass(frozen=True)
class Difference:
    """A central difference (loss(+h) - loss(-h)) / 2h in float64, and the kinks on its way.

    A ReLU has a kink at 0 and a pool's window where two cells are equal: there the slope to the
    left is not that to the right. ``crossed`` counts those between -h and +h at the smallest h,
    ``others`` those so near that float64 falls on the other side than the pass's own precision. All
    of them are held on the side that the pass took, so that both speak of the same branch.
    """

    value: float
    h: float
    crossed: int
    others: int
    moved: float  # loss(after the step) - loss, nothing held
    rounding: float  # how far float64's rounding of the loss may move ``value``


def difference(trace: Trace, change: Change, step: float) -> Difference | None:
    """Move one number by +-h, and by ``step``, and replay the pass in float64 from there on.

    h begins at 1e-6 and shrinks while a kink lies within it. None if a layer of the user's own does
    not compute in float64.
    """
    try:
        replay = _Replay(trace, change, (_STEPS[0], -_STEPS[0], 0.0, step))
        moved = replay.losses[3] - replay.losses[2]
        for h in _STEPS[1:]:
            if not replay.crossed:
                break
            replay = _Replay(trace, change, (h, -h, 0.0))
        crossed, h = replay.crossed, replay.moves[0]
        if crossed:
            replay = _Replay(trace, change, replay.moves, hold_all=True)
    except _NotInFloat64Error:
        return None
    value = (replay.losses[0] - replay.losses[1]) / (2 * h)
    return Difference(value, h, crossed, replay.others, moved, _ROUNDING * replay.size / h)


class _NotInFloat64Error(Exception):
    """A layer of the user's own that cannot be replayed."""


class _Replay:
    """The pass from a change on, in float64, once for each move: +h, -h, 0 and perhaps a step."""

    def __init__(
        self, trace: Trace, change: Change, moves: tuple[float, ...], *, hold_all: bool = False
    ) -> None:
        self.trace, self.moves, self.hold_all = trace, moves, hold_all
        self.crossed = self.others = 0
        self.size = 1.0  # of what the loss is worked out from
        z, y = self._begin(trace.records[change.position], change)
        for record in trace.records[change.position + 1 :]:
            z = self._decided(record, y, _run_all(record, y))
            y = self._activated(record, z)
        fuses = trace.records[-1].layer.activation.fuses_with_cross_entropy
        function = trace.loss_function
        outputs = z if fuses and function is not None and function.takes_logits else y
        self.losses = [self._loss(part) for part in outputs]

    def _begin(self, record: Record, change: Change) -> tuple[Arrays, Arrays]:
        """What the layer gives where a number is moved, before and after its activation."""
        x = [_moved(record.x, change, "x", move) for move in self.moves]
        z = _run_all(record, x, change, self.moves)
        if change.part == "z":
            z = [_moved(part, change, "z", move) for part, move in zip(z, self.moves, strict=True)]
        else:
            z = self._decided(record, x, z)
        return z, self._activated(record, z)

    def _decided(self, record: Record, x: Arrays, z: Arrays) -> Arrays:
        """What a layer gives if it decides as in the pass, where it is near a kink."""
        explainer = explainer_of(record.layer)
        return self._hold(z, [explainer.held(record, part) for part in x])

    def _activated(self, record: Record, z: Arrays) -> Arrays:
        """What an activation makes of z, if it decides as in the pass, where it is near a kink."""
        activation = record.layer.activation
        explainer = activation_explainer(activation)
        y = [_in_float64(partial(activation.forward, part)) for part in z]
        return self._hold(y, [explainer.held(record, part) for part in z])

    def _hold(self, y: Arrays, decided: list[Array | None]) -> Arrays:
        """Take what the pass's own side gives, wherever a kink lies too near."""
        held = [part for part in decided if part is not None]
        if not held:
            return y
        largest = max(np.abs(part).max(initial=0.0) for part in y)
        with np.errstate(invalid="ignore"):
            up, down, at = (
                np.abs(a - b) > _SAME * largest for a, b in zip(y[:3], held, strict=False)
            )
        crossed = (up | down) & ~at
        self.others += int(np.count_nonzero(at))
        self.crossed += int(np.count_nonzero(crossed))
        mask = at | crossed if self.hold_all else at
        # Only +h and -h: what a step is compared with is the loss as it is.
        both = [np.where(mask, b, a) for a, b in zip(y[:2], held, strict=False)]
        return [*both, *y[2:]]

    def _loss(self, outputs: Array) -> float:
        """What the trace's gradients are gradients of: the loss, or <dy, y>."""
        trace = self.trace
        if trace.loss_function is not None and trace.labels is not None:
            self.size = max(self.size, float(np.abs(outputs).max()))
            return float(trace.loss_function(outputs, trace.labels)[0])
        assert trace.dy is not None
        terms = (trace.dy * outputs).ravel().tolist()
        self.size = max(self.size, total([abs(term) for term in terms]))
        return total(terms)


def _run_all(
    record: Record, x: Arrays, change: Change | None = None, moves: tuple[float, ...] = ()
) -> Arrays:
    """What a layer gives for each x before its activation, where ``change`` is made of it by ``moves``.

    Part by part of its weights: in float64, all of them may fill much memory.
    """
    parts = explainer_of(record.layer).parts(record)
    found = zip(*(_run_part(record, x, part, change, moves) for part in parts), strict=True)
    return [np.concatenate(z, axis=-1) if len(z) > 1 else z[0] for z in found]


def _run_part(
    record: Record, x: Arrays, part: slice | None, change: Change | None, moves: tuple[float, ...]
) -> Arrays:
    """A part of what `_run_all` gives.

    With no change, and where samples have nothing to do with each other, side by side: then weights are
    read once.
    """
    params = {name: _part(array, part).astype(np.float64) for name, array in record.params.items()}
    if change is not None and change.part != "x":
        own = params.get(change.part)
        index = None if own is None else _index_in(part, change.index)
        if own is None or index is None:
            return [_run(record, params, x[0])] * len(x)
        return [
            _run(record, params | {change.part: _with(own, index, move)}, x[0]) for move in moves
        ]
    if change is None and explainer_of(record.layer).side_by_side:
        return np.split(_run(record, params, np.concatenate(x)), len(x))
    return [_run(record, params, each) for each in x]


def _run(record: Record, params: Params, x: Array) -> Array:
    """What a layer gives in float64 before its activation; dropout's mask is that of the pass."""
    state = _wide(record.context.state)
    context = replace(record.context, algorithm="im2col", state=state)
    layer = record.layer.without_activation()
    return _in_float64(lambda: passes.apply(layer, params, x, context)[0])


def _in_float64(function: Callable[[], Array]) -> Array:
    """What ``function`` gives, if it is float64."""
    try:
        y = function()
    except Exception as error:  # whatever a layer of the user's own raises on float64
        raise _NotInFloat64Error from error
    if getattr(y, "dtype", None) != np.float64:
        raise _NotInFloat64Error
    return y


def _part(array: Array, part: slice | None) -> Array:
    """A part of an array's last axis; None: all of it."""
    return array if part is None else array[..., part]


def _index_in(part: slice | None, index: tuple[int, ...]) -> tuple[int, ...] | None:
    """An index into an array as one into its part; None where it lies in another."""
    if part is None:
        return index
    last = index[-1]
    return (*index[:-1], last - part.start) if part.start <= last < part.stop else None


def _wide(arrays: Params) -> dict[str, Array]:
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def _moved(array: Array, change: Change, part: str, move: float) -> Array:
    """An array in float64, one number moved if ``part`` is what is moved."""
    wide = array.astype(np.float64)
    return _with(wide, change.index, move) if change.part == part else wide


def _with(array: Array, index: tuple[int, ...], move: float) -> Array:
    """A copy, one number moved."""
    moved = array.copy()
    moved[index] += move
    return moved
