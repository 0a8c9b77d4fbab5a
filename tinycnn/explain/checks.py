"""Agreements: the engine's sums against float64, its gradients against differences of the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.explain.explanation import Check
from tinycnn.explain.sums import Sum, leaves, number, total
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.layers.activation import IDENTITY, RELU, SOFTMAX
from tinycnn.passes import Record
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import LEAST_ROWS, Range, split_range
from tinycnn.trace import Trace
from tinycnn.wording import many


def half_epsilon(dtype: np.dtype[Any]) -> float:
    """The largest relative error of one rounding: 2^-24 for float32, 2^-53 for float64."""
    return float(np.finfo(dtype).eps) / 2


_FUNCTION = 8  # roundings of a term that are more than those of a product or two


def check_sum(
    tree: Sum,
    engine: float,
    dtype: np.dtype[Any],
    *,
    bias: float | None = None,
    extra: int = 0,
    hidden: float = 0.0,
) -> Check:
    """The engine's sum against the same terms added up in float64.

    Each of n terms is rounded once and meets at most n - 1 additions, each of which rounds by at
    most u = 2^-24 (float32) of a partial sum, so the error is at most n * u / (1 - n * u) times the
    sum of the terms' sizes (Higham, "Accuracy and stability of numerical algorithms", section 4.2).
    ``extra`` counts further roundings of a term, ``hidden`` is the size of what cancels inside one.
    Where all terms are multiples of one power of two and their sizes add up to less than 1/u of it,
    every partial sum is a float: nothing is rounded, unless ``extra`` stands for a function.
    """
    values = [leaf.value for leaf in leaves(tree.parts)] + ([] if bias is None else [bias])
    reference = total(values)
    if not math.isfinite(reference):
        return Check("float64", engine, reference, 0.0, "not a finite number")
    u, size = half_epsilon(dtype), math.fsum(map(abs, values)) + hidden
    unit = min((_lowest_bit(value) for value in values if value), default=1.0)
    if size == 0 or (size < unit / u and extra < _FUNCTION):
        return Check(
            "float64", engine, reference, 0.0, f"every partial sum is a {dtype.name}: exact"
        )
    roundings = len(values) + extra
    if dtype == np.float64:
        roundings += 1  # of the reference's own products
    bound = roundings * u / (1 - roundings * u) * size
    last = roundings * float(np.finfo(dtype).smallest_subnormal)
    if last > bound / 100:
        why = f"{roundings:,} times the smallest {dtype.name}: there are no more digits below it"
        return Check("float64", engine, reference, bound + last, why)
    noun = "term" if roundings == len(values) else "rounding"
    what = many(roundings, noun)
    why = f"{what} * 2^{math.log2(u):.0f} * the sum of the terms' sizes, {number(size)}"
    return Check("float64", engine, reference, bound + last, why)


def _lowest_bit(value: float) -> float:
    """The largest power of two that divides ``value``."""
    mantissa, exponent = math.frexp(value)
    whole = int(mantissa * 2**53)
    return math.ldexp(whole & -whole, exponent - 53)


# ---------------------------------------------------------------------------- differences of the loss

_STEPS = (1e-6, 1e-8)
_SAME = 1e-13  # of a layer's largest cell: below this, two cells differ by float64's rounding alone
_ROUNDING = 4e-15  # of a loss worked out in float64
_WEIGHTS = 1 << 19  # converted at a time, by each thread


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
    """The pass from a change on, in float64: +h, -h, 0 and perhaps a step, side by side."""

    def __init__(
        self, trace: Trace, change: Change, moves: tuple[float, ...], *, hold_all: bool = False
    ) -> None:
        self.trace, self.moves, self.hold_all = trace, moves, hold_all
        self.crossed = self.others = 0
        self.size = 1.0  # of what the loss is worked out from
        first, last = trace.records[change.position], trace.records[-1]
        if last.layer.activation is SOFTMAX and not isinstance(last.layer, _KNOWN):
            raise _NotInFloat64Error
        runs = [_moved(first, change, move) for move in moves]
        x, before = (np.concatenate(arrays) for arrays in zip(*runs, strict=True))
        for record in trace.records[change.position :]:
            if record is not first:
                before = _before_activation(record, record.params, x)
            moved_here = record is first and change.part == "z"
            if moved_here and record.layer.activation is IDENTITY:
                x = before  # a pool's maximum itself was moved
            else:
                x = self._after_activation(record, x, before)
        outputs = before if last.layer.activation is SOFTMAX else x
        self.losses = [self._loss(part) for part in np.split(outputs, len(moves))]

    def _after_activation(self, record: Record, x: Array, before: Array) -> Array:
        layer = record.layer
        copies = (len(self.moves), *[1] * (before.ndim - 1))
        if isinstance(layer, MaxPool2D):
            won = _cells(layer, x.shape[1:], np.tile(record.saved[0], copies))
            return self._hold(before, np.take_along_axis(x.reshape(won[0]), won[1], 1))
        if layer.activation is RELU and isinstance(layer, _KNOWN):
            passed = np.tile(~(record.y <= 0), copies)
            return self._hold(np.maximum(before, 0), np.where(passed, before, 0))
        if layer.activation is SOFTMAX and isinstance(layer, _KNOWN):
            return ops.softmax(before)
        return before

    def _hold(self, y: Array, held: Array) -> Array:
        """Take ``held``, what the pass's own side gives, wherever a kink lies too near."""
        held = held.reshape(y.shape)
        with np.errstate(invalid="ignore"):
            beyond = np.abs(y - held) > _SAME * np.abs(y).max(initial=0.0)
        if not beyond.any():
            return y
        up, down, at = np.split(beyond, len(self.moves))[:3]
        crossed = (up | down) & ~at
        self.others += int(np.count_nonzero(at))
        self.crossed += int(np.count_nonzero(crossed))
        mask = at | crossed if self.hold_all else at
        # Only +h and -h: what a step is compared with is the loss as it is.
        masks = [mask, mask, *[np.zeros_like(mask)] * (len(self.moves) - 2)]
        return np.where(np.concatenate(masks), held, y)

    def _loss(self, outputs: Array) -> float:
        """What the trace's gradients are gradients of: the loss, or <dy, y>."""
        trace = self.trace
        if trace.labels is not None:
            self.size = max(self.size, float(np.abs(outputs).max()))
            return ops.cross_entropy(outputs, trace.labels)[0]
        assert trace.dy is not None
        softmax = trace.records[-1].layer.activation is SOFTMAX
        terms = (trace.dy * (ops.softmax(outputs) if softmax else outputs)).ravel().tolist()
        self.size = max(self.size, total([abs(term) for term in terms]))
        return total(terms)


_KNOWN = (
    Conv2D, Dense, MaxPool2D, AveragePool2D, Dropout, Flatten, LocalResponseNorm, ReLU, Softmax,
)  # fmt: skip


def _moved(record: Record, change: Change, move: float) -> tuple[Array, Array]:
    """A layer's input, and what it makes of it before its activation, with one number moved."""
    x, params = record.x.astype(np.float64), dict(record.params)
    if change.part in params:
        params[change.part] = _nudged(params[change.part], change.index, move)
    elif change.part == "x":
        x = _nudged(x, change.index, move)
    before = _before_activation(record, params, x)
    return x, before if change.part != "z" else _nudged(before, change.index, move)


def _nudged(array: Array, index: tuple[int, ...], move: float) -> Array:
    moved: Array = array.astype(np.float64)
    moved[index] += move
    return moved


def _before_activation(record: Record, params: Mapping[str, Array], x: Array) -> Array:
    """What a layer gives in float64, before its activation."""
    layer = record.layer
    if isinstance(layer, Conv2D):
        return ops.conv2d(
            x, params["W"], params["b"], stride=layer.stride, padding=layer.padding,
            dilation=layer.dilation, groups=layer.groups, algorithm="im2col",
        )  # fmt: skip
    if isinstance(layer, Dense):
        return _dense(x, params["W"], params["b"])
    if isinstance(layer, ReLU | Softmax):
        return x
    if isinstance(layer, Dropout) and record.saved is not None:
        mask = np.tile(record.saved, (len(x) // len(record.saved), *[1] * (x.ndim - 1)))
        return ops.dropout_backward(x, mask, layer.rate)  # forward is the same map
    if isinstance(layer, _KNOWN):
        return layer.forward(params, x, record.context)[0]
    try:
        wide = {name: np.asarray(array, np.float64) for name, array in params.items()}
        y = layer.forward(wide, x, replace(record.context, algorithm="im2col"))[0]
    except Exception as error:  # whatever a layer of the user's own raises on float64
        raise _NotInFloat64Error from error
    if not isinstance(y, np.ndarray) or y.dtype != np.float64:
        raise _NotInFloat64Error
    return y


def _dense(x: Array, W: Array, b: Array) -> Array:
    """Sum up x @ W + b in float64, W converted in pieces: 38 million at once would fill memory."""
    x = x.reshape(len(x), -1)
    z = np.empty((len(x), W.shape[1]))

    def multiply(columns: Range) -> None:
        part = slice(*columns)
        np.matmul(x, W[:, part].astype(np.float64), out=z[:, part])

    parallel_for(multiply, split_range(W.shape[1], _WEIGHTS // len(W), least=LEAST_ROWS))
    return z + b


def _cells(layer: MaxPool2D, shape: tuple[int, ...], winner: Array) -> tuple[Sequence[int], Array]:
    """The cells that won: x's shape with rows and columns as one axis, and places along it."""
    win = layer.window(shape)
    OH, OW = win.output
    i, j = np.divmod(winner.astype(np.intp), win.kernel[1])
    h = np.arange(OH)[:, None, None] * win.stride[0] - win.pad_top_left[0] + i * win.dilation[0]
    w = np.arange(OW)[:, None] * win.stride[1] - win.pad_top_left[1] + j * win.dilation[1]
    places = (h * shape[1] + w).reshape(len(winner), OH * OW, shape[2])
    return (len(winner), shape[0] * shape[1], shape[2]), places
