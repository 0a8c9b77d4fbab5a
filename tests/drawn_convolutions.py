"""Convolutions drawn over all their arguments, by every algorithm, beside the formula in float64.

All arguments follow evenly from a drawn seed: of 400 convolutions that hypothesis put together, some
twenty had the same geometry and only seven strided kernels of one channel. A refusal is no pass: what an
algorithm does not take is seen to be refused, and another convolution is drawn. Who did the work is
counted where it is done.
"""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace

import hypothesis
import numpy as np
import pytest
from twins import convolution_gradients, convolved

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.inference.plan import plan
from tinycnn.layers import Conv2D
from tinycnn.ops import conv2d, conv2d_backward
from tinycnn.ops.convolution.choice import IMPLEMENTATIONS
from tinycnn.testing.layouts import LAYOUTS, laid_out
from tinycnn.testing.strategies import Convolution, SlidingWindow, generators
from tinycnn.validation import ALGORITHMS

# Of the same sum over absolute values, the rounding that is allowed: a float32 sum of some thousand
# terms, and Winograd's transforms, through numbers some hundred times larger than the result.
BOUND = {"float64": 1e-13, "float32": 2e-6, "winograd": 2e-5}

# ------------------------------------------------------------------------------------- the formula


def formula(x, W, b, case):
    """The convolution by its twin, in float64."""
    return convolved(x, W, b, relu=bool(case.activation), **_sizes(case))


def gradients(dy, x, W, y, case):
    """(dx, dW, db) by the twin, in float64."""
    dz = np.where(y <= 0, 0, dy) if case.activation else dy
    return convolution_gradients(dz, x, W, **_sizes(case))


def _sizes(case):
    geometry = case.geometry
    return {
        "stride": geometry.stride,
        "pads": geometry.pads,
        "dilation": geometry.dilation,
        "groups": case.groups,
    }


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


def drawn(rng):
    """Any convolution for any algorithm, drawn evenly; plain loops get small ones."""
    algorithm = str(rng.choice(ALGORITHMS))
    single = {"winograd": 1, "direct": 1, "auto": 0.8}.get(algorithm, 0.5)
    dtype = np.float32 if rng.random() < single else np.float64
    said_by = str(rng.choice(["layer", "model", "call"]))
    layouts = tuple(rng.choice(LAYOUTS, 4).tolist())
    return Drawn(_convolution(rng, algorithm), algorithm, said_by, dtype, layouts)


def _convolution(rng, algorithm):
    """Each argument per axis; many of them plain, for Winograd's algorithm takes no others.

    Of what may be anybody's, some are rich in outputs and filters, so that Winograd's algorithm pays.
    """

    def pair(draw):
        return int(draw()), int(draw())

    small, rich = algorithm == "reference", algorithm == "auto" and rng.random() < 0.5
    plain = rich or algorithm == "winograd" or rng.random() < 0.5
    most_groups = 1 if rich or algorithm == "direct" else 40 if rng.random() < 0.2 else 3
    groups = 1 if plain and rng.random() < 0.7 else int(rng.integers(1, most_groups + 1))
    stride = pair(lambda: 1 if rng.random() < 0.6 else rng.integers(2, 7))
    dilation = (1, 1) if plain else pair(lambda: rng.integers(1, 4))
    if plain and stride == (1, 1):
        kernel = (int(rng.choice([2, 3, 5])),) * 2
    else:
        most = (4, 4) if small else [min(5 * s, 18) if plain else 7 for s in stride]
        kernel = tuple(int(rng.integers(1, m + 1)) for m in most)
    pads = tuple(pair(lambda: max(rng.integers(-2, 5), 0)) for _ in range(2))
    outputs = pair(lambda: rng.integers(20, 28) if rich else rng.integers(1, 5 if small else 16))
    effective_kernel = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    size = tuple(
        max((o - 1) * s + int(rng.integers(s)) + r - sum(p), 1)
        for o, s, r, p in zip(outputs, stride, effective_kernel, pads, strict=True)
    )
    room = [n + sum(p) - r for n, p, r in zip(size, pads, effective_kernel, strict=True)]
    y_size = tuple(r // s + 1 for r, s in zip(room, stride, strict=True))
    many = 4 if small else 40 if stride == (1, 1) else 8
    enough = 32 if rich and stride == (1, 1) else 1
    few = enough == 1 and (groups > 3 or rng.random() < 0.5)
    channels = groups * int(rng.integers(enough, 4 if few else many + 1))
    narrow = small or groups > 3 or rng.random() < 0.5
    least, most = (48, 70) if rich else (1, 4) if narrow else (5, 70 // groups)
    filters = groups * int(rng.integers(least, most + 1))
    geometry = SlidingWindow(
        (int(rng.integers(2 if rich else 0, 4)), *size, channels),
        kernel,
        stride,
        pads,
        dilation,
        y_size,
    )
    activation = "relu" if rng.random() < 0.5 else None
    return Convolution(geometry, filters, groups, bool(rng.random() < 0.5), activation)


# ------------------------------------------------------------------------------------- what is checked


@contextmanager
def counted():
    """Count who does the work: a Counter of (what was asked for, whose forward ran)."""
    ran = Counter()
    with pytest.MonkeyPatch.context() as patch:
        for name, module in IMPLEMENTATIONS.items():
            patch.setattr(module, "forward", _counting(ran, name, module.forward))
        yield ran


def _counting(ran, name, forward):
    def counting(*arguments, **options):
        ran[name] += 1
        forward(*arguments, **options)

    return counting


def check_op(given, rng, oracle=None):
    """The op, forward and backward, beside the formula (or another ``oracle``); gives who ran."""
    arrays = given.arrays(rng)
    return (_op(given, arrays, oracle or formulas, _sums(*arrays, given.case)),)


def check_both(given, rng):
    """The same for the op and for a layer of a model; gives who ran, and predict's method.

    The formula takes most of the time, and is worked out once where a ReLU lets the same pass in both.
    """
    arrays, known = given.arrays(rng), []

    def oracle(x, W, b, dy, y, case):
        if not known or (case.activation and not np.array_equal(y <= 0, known[0])):
            known[:] = y <= 0, formulas(x, W, b, dy, y, case)
        return known[1]

    sums = _sums(*arrays, given.case)
    return _op(given, arrays, oracle, sums), _model(given, arrays, oracle, sums)


def _op(given, arrays, oracle, sums):
    case, options = given.case, {**given.case.options, "algorithm": given.algorithm}
    x, W, b, dy = arrays
    with counted() as ran:
        y = _taken(lambda: conv2d(x, W, b, **options))
    (took,) = ran
    assert took == given.algorithm or given.algorithm == "auto"
    exact = oracle(x, W, b, dy, y, case)
    ours = y, *conv2d_backward(dy, x, W, y=y if case.activation else None, **options)
    agree(ours, exact, sums, given.dtype, took, given.algorithm)
    return took


def _model(given, arrays, oracle, sums):
    """Predict, and a trace with its gradients."""
    case, (x, W, b, dy) = given.case, arrays
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
    exact = oracle(x, W, b, dy, trace.y, case)
    chosen = plan(model.layers, model.input_shape, model.dtype, min(len(x), 2), given.algorithm)
    method = chosen.steps[-1].method
    method = took if method == "layer" else method
    agree((predicted,), exact, sums, given.dtype, method, given.algorithm)
    ours = trace.y, trace.records[0].dx, grads["c.W"], grads["c.b"]
    agree(ours, exact, sums, given.dtype, took, given.algorithm)
    return method


def _taken(call):
    """What ``call`` gives; where the algorithm refuses, in words, another convolution is drawn."""
    try:
        return call()
    except ArgumentError as refusal:
        assert "does not apply" in str(refusal)
        hypothesis.reject()


def formulas(x, W, b, dy, y, case):
    """(y, dx, dW, db) by the formula; a ReLU lets pass what ``y`` did."""
    return formula(x, W, b, case), *gradients(dy, x, W, y, case)


def _sums(x, W, b, dy, case):
    """What was added up, as absolute values: rounding is of its size, for the results may cancel."""
    arrays = (None if a is None else np.abs(a, dtype=np.float64) for a in (x, W, b, dy))
    x, W, b, dy = arrays
    linear = replace(case, activation=None)
    return formulas(x, W, b, dy, None, linear)


def agree(ours, exact, sums, dtype, took, asked):
    """Every array is near the exact one, within the rounding of who worked it out.

    ``took`` is whose forward ran; of what is ``asked`` for, "auto" may let Winograd's give a gradient.
    """
    by_gradients = "winograd" if (asked, dtype) == ("auto", np.float32) else took
    for number, (mine, expected, added) in enumerate(zip(ours, exact, sums, strict=False)):
        who = by_gradients if number else took
        bound = BOUND["winograd" if who == "winograd" else np.dtype(dtype).name]
        assert (mine.dtype, mine.shape) == (dtype, expected.shape)
        assert np.abs(mine - expected).max(initial=0) <= bound * added.max(initial=0)


def count(check, how_many):
    """Run ``check`` on ``how_many`` drawn convolutions.

    Gives for each way that it checks a Counter of (what was asked for, who did it).
    """
    took = {}

    @how_many
    @hypothesis.given(generators)
    def property_test(rng):
        given = drawn(rng)
        hypothesis.note(f"{given}")
        for way, who in enumerate(check(given, rng)):
            took.setdefault(way, Counter())[given.algorithm, who] += 1

    property_test()
    return [*took.values()]


def expect(took, least):
    """Each algorithm did ``least`` or more by its own name, and each of auto's four a twentieth of that."""
    print(*(f"{asked} by {who}: {times}" for (asked, who), times in sorted(took.items())), sep="\n")
    for name in IMPLEMENTATIONS:
        assert took[name, name] >= least
        assert name == "reference" or took["auto", name] >= least // 20
