"""Convolutions drawn over all their arguments, by every algorithm, beside the formula in float64.

A refusal is no pass: what an algorithm does not take is seen to be refused, and another convolution
is drawn. Who did the work is counted where it is done.
"""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import reject
from hypothesis import strategies as st

import tinycnn as tc
from tinycnn.arguments import ALGORITHMS
from tinycnn.errors import ArgumentError
from tinycnn.layers import Conv2D
from tinycnn.ops import conv2d, conv2d_backward
from tinycnn.ops.convolution import _ALGORITHMS
from tinycnn.plan import plan
from tinycnn.testing.layouts import LAYOUTS, laid_out
from tinycnn.testing.strategies import Convolution, Geometry, convolutions

# Of the same sum over absolute values, the rounding that is allowed: a float32 sum of some thousand
# terms, and Winograd's transforms, through numbers some hundred times larger than the result.
BOUND = {"float64": 1e-13, "float32": 2e-6, "winograd": 2e-5}

# ------------------------------------------------------------------------------------- the formula


def formula(x, W, b, case):
    """The convolution as a sum over the kernel's cells of shifted images, in float64."""
    y = np.zeros(case.y_shape)
    padded = _padded(x, case)
    for at, tap, filters in _terms(case):
        y[..., filters] += padded[at] @ np.float64(W[tap])
    y += 0 if b is None else b
    return np.maximum(y, 0) if case.activation else y


def gradients(dy, x, W, y, case):
    """(dx, dW, db) by the same sum: each product hands dz to both of its factors, in float64."""
    dz = np.where(y <= 0, 0, dy) if case.activation else np.float64(dy)
    padded, dW = _padded(x, case), np.zeros(W.shape)
    dx = np.zeros(padded.shape)
    for at, tap, filters in _terms(case):
        dW[tap] = np.tensordot(padded[at], dz[..., filters], ((0, 1, 2),) * 2)
        dx[at] += dz[..., filters] @ np.float64(W[tap]).T
    (top, _), (left, _) = case.geometry.pads
    return dx[:, top:, left:][:, : x.shape[1], : x.shape[2]], dW, dz.sum(axis=(0, 1, 2))


def _padded(x, case):
    return np.pad(np.float64(x), ((0, 0), *case.geometry.pads, (0, 0)))


def _terms(case):
    """For each kernel cell of each group: the cells of x that it meets, its weights, its filters."""
    (sh, sw), (dh, dw) = case.geometry.stride, case.geometry.dilation
    _, OH, OW, F = case.y_shape
    Cg, Fg = case.W_shape[2], F // case.groups
    for g in range(case.groups):
        channels, filters = slice(g * Cg, (g + 1) * Cg), slice(g * Fg, (g + 1) * Fg)
        for i, j in np.ndindex(case.W_shape[:2]):
            rows = slice(i * dh, i * dh + (OH - 1) * sh + 1, sh)
            columns = slice(j * dw, j * dw + (OW - 1) * sw + 1, sw)
            tap = i, j, slice(None), filters
            yield (slice(None), rows, columns, channels), tap, filters


# ------------------------------------------------------------------------------------- what is drawn


@dataclass(frozen=True)
class Drawn:
    """A convolution, who shall do it and who says so, in which dtype, and how its arrays lie in memory."""

    case: Convolution
    algorithm: str
    said_by: str  # the layer, the model, or the call
    dtype: type
    layouts: tuple[str, ...]

    def arrays(self, rng):
        """x, W, b (or None) and dy, of the size that keeps sums near 1."""
        case = self.case
        shapes = case.x_shape, case.W_shape, (case.filters,), case.y_shape
        x, W, b, dy = (rng.standard_normal(shape).astype(self.dtype) for shape in shapes)
        W /= self.dtype(np.sqrt(W[..., 0].size))
        given = (laid_out(a, way) for a, way in zip((x, W, b, dy), self.layouts, strict=True))
        x, W, b, dy = given
        return x, W, b if case.bias else None, dy


@st.composite
def drawn(draw, algorithms=ALGORITHMS):
    """Any convolution for any of the ``algorithms``; plain loops get small ones."""
    algorithm = draw(st.sampled_from(algorithms))
    case = draw(convolutions() if algorithm == "reference" else _wide(algorithm))
    single = {"winograd": 1, "direct": 1, "reference": 0.5, "im2col": 0.5, "auto": 0.8}[algorithm]
    dtype = np.float32 if draw(st.floats(0, 1)) <= single else np.float64
    layouts = draw(st.tuples(*[st.sampled_from(LAYOUTS)] * 4))
    said_by = draw(st.sampled_from(["layer", "model", "call"]))
    return Drawn(case, algorithm, said_by, dtype, layouts)


@st.composite
def _wide(draw, algorithm):
    """Each argument per axis; half of them plain, for Winograd's algorithm takes no others.

    Of what may be anybody's, some are rich in outputs and filters, so that Winograd's algorithm pays.
    """
    rich = algorithm == "auto" and draw(st.booleans())
    plain = rich or algorithm == "winograd" or draw(st.booleans())
    groups = 1 if plain or algorithm == "direct" else draw(st.sampled_from([1, 2, 3]))
    strides = st.sampled_from([1, 1, 2, 3, 4, 6])
    stride = (1, 1) if draw(st.booleans()) else (draw(strides), draw(strides))
    if plain and stride == (1, 1):
        kernel = (draw(st.sampled_from([3, 5])),) * 2
    else:
        kernel = tuple(draw(st.integers(1, min(5 * s, 18) if plain else 7)) for s in stride)
    dilation = (1, 1) if plain else (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    sides = st.sampled_from([0, 0, 1, 1, 2, 3, 4])
    pads = tuple((draw(sides), draw(sides)) for _ in range(2))
    outputs = st.sampled_from([9, 13, 14] if rich else [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14])
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    size = tuple(
        max((draw(outputs) - 1) * s + draw(st.integers(0, s - 1)) + r - sum(p), 1)
        for s, r, p in zip(stride, reach, pads, strict=True)
    )
    room = [n + sum(p) - r for n, p, r in zip(size, pads, reach, strict=True)]
    y_size = tuple(r // s + 1 for r, s in zip(room, stride, strict=True))
    most = 40 if stride == (1, 1) else 6
    many = st.integers(20, most) if rich and stride == (1, 1) else st.integers(4, most)
    channels = groups * draw(st.sampled_from([1, 1, 2, 3]) | many)
    filters = st.integers(32, 70) if rich else st.integers(1, 4) | st.integers(5, 70 // groups)
    filters = groups * draw(filters)
    shape = draw(st.sampled_from([1, 2, 3, 1, 2, 0])), *size, channels
    geometry = Geometry(shape, kernel, stride, pads, dilation, y_size)
    activation = draw(st.sampled_from([None, "relu"]))
    return Convolution(geometry, filters, groups, draw(st.booleans()), activation)


# ------------------------------------------------------------------------------------- what is checked


@contextmanager
def counted():
    """Count who does the work: a Counter of (what was asked for, whose forward ran)."""
    ran = Counter()
    with pytest.MonkeyPatch.context() as patch:
        for name, module in _ALGORITHMS.items():
            patch.setattr(module, "forward", _counting(ran, name, module.forward))
        yield ran


def _counting(ran, name, forward):
    def counting(*arguments):
        ran[name] += 1
        forward(*arguments)

    return counting


def check_op(given, rng, oracle=None):
    """The op, forward and backward, beside the formula (or another ``oracle``); gives who ran."""
    case, options = given.case, {**given.case.options, "algorithm": given.algorithm}
    x, W, b, dy = given.arrays(rng)
    with counted() as ran:
        y = _taken(lambda: conv2d(x, W, b, **options))
    (took,) = ran
    assert took == given.algorithm or given.algorithm == "auto"
    exact = (oracle or _formulas)(x, W, b, dy, y, case)
    ours = y, *conv2d_backward(dy, x, W, y=y if case.activation else None, **options)
    agree(ours, exact, _sums(x, W, b, dy, case), given.dtype, took)
    return took


def check_model(given, rng):
    """The same as a layer of a model: predict, and a trace with its gradients; gives predict's method."""
    case = given.case
    x, W, b, dy = given.arrays(rng)
    of_layer, of_model, of_call = (
        {"algorithm": given.algorithm} if given.said_by == place else {}
        for place in ("layer", "model", "call")
    )
    layer = Conv2D(case.filters, case.geometry.kernel, **case.options, **of_layer, name="c")
    dtype = np.dtype(given.dtype).name
    model = tc.Sequential([layer], case.x_shape[1:], dtype=dtype, **of_model)
    with model.edit() as parameters:
        parameters["c.W"], parameters["c.b"] = W, np.zeros(case.filters) if b is None else b
    with counted() as ran:
        trace = _taken(lambda: model.trace(x, **of_call))
    (took,) = ran
    predicted = model.predict(x, batch_size=2, **of_call)
    grads = trace.backward(dy, keep=True)
    exact, sums = _formulas(x, W, b, dy, trace.y, case), _sums(x, W, b, dy, case)
    chosen = plan(model.layers, model.input_shape, model.dtype, min(len(x), 2), given.algorithm)
    method = chosen.steps[-1].method
    method = took if method == "layer" else method
    agree((predicted,), exact, sums, given.dtype, method)
    ours = trace.y, trace.records[0].dx, grads["c.W"], grads["c.b"]
    agree(ours, exact, sums, given.dtype, took)
    return method


def _taken(call):
    """What ``call`` gives; where the algorithm refuses, in words, another convolution is drawn."""
    try:
        return call()
    except ArgumentError as refusal:
        assert "does not apply" in str(refusal)
        reject()


def _formulas(x, W, b, dy, y, case):
    return formula(x, W, b, case), *gradients(dy, x, W, y, case)


def _sums(x, W, b, dy, case):
    """What was added up, as absolute values: rounding is of its size, for the results may cancel."""
    x, W, dy = (np.abs(array, dtype=np.float64) for array in (x, W, dy))
    b = None if b is None else np.abs(b, dtype=np.float64)
    return _formulas(x, W, b, dy, np.ones(case.y_shape), case)


def agree(ours, exact, sums, dtype, took):
    """Every array is near the exact one, within the rounding of who worked it out."""
    bound = BOUND["winograd" if took == "winograd" else np.dtype(dtype).name]
    for mine, expected, added in zip(ours, exact, sums, strict=False):
        assert (mine.dtype, mine.shape) == (dtype, expected.shape)
        assert np.abs(mine - expected).max(initial=0) <= bound * added.max(initial=0)
