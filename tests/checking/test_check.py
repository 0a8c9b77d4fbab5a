"""The verdict: right gradients pass wherever kinks lie, wrong ones are caught and located."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from small_nets import IMAGE, Scale, Square, every_layer, images

import tinycnn as tc
from tinycnn.checking import as_target, explain, gradcheck
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.layers import AveragePool2D, Conv2D, Dense, Dropout, Layer, MaxPool2D, ReLU


def rng(seed=0):
    return np.random.default_rng(seed)


def relu(x):
    return np.maximum(x, 0)


def relu_backward(dy, x):
    return dy * (x > 0)


def largest(x):
    """The maximum of each row, and where it is: the first, as usual."""
    return x.max(axis=1), x.argmax(axis=1)


def largest_backward(dy, x):
    dx = np.zeros_like(x)
    dx[np.arange(len(x)), largest(x)[1]] = dy
    return dx


def every_tie_paid(dy, x):
    return dy[:, None] * (x == x.max(axis=1, keepdims=True))


# ---------------------------------------------------------------------------------- right gradients

RIGHT = {
    "sin": (np.sin, lambda dy, x: dy * np.cos(x)),
    "constant": (lambda x: np.ones(2) + 0 * x.sum(), lambda dy, x: 0 * x),
    "even at zero": (lambda x: np.cos(x), lambda dy, x: -dy * np.sin(x)),
    "|x|^3": (lambda x: np.abs(x) ** 3, lambda dy, x: 3 * dy * x * np.abs(x)),
    "sum that cancels": (lambda x: (x - x.mean()) + 1e5, lambda dy, x: dy - dy.mean()),
    "ReLU": (relu, relu_backward),
}
AT = {
    "anywhere": rng(1).standard_normal((4, 3)),
    "tiny": 1e-6 * rng(2).standard_normal((4, 3)),
    "huge": 1e6 * rng(3).standard_normal((4, 3)),
    "zeros among others": np.where(
        rng(4).random((6, 5)) < 0.3, 0.0, rng(5).standard_normal((6, 5))
    ),
    "close to zero": 10.0 ** rng(6).uniform(-6, 0, (4, 3)),
}


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_pass(name, at):
    report = gradcheck(RIGHT[name], AT[at])
    assert report.ok, str(report)


def test_all_zeros_is_a_kink_of_relu_and_does_not_pass():
    report = gradcheck((relu, relu_backward), np.zeros((3, 4)))
    assert not report.ok and not report["x"].failures
    assert report["x"].shortage.startswith("too little is left to check: 0 of 12 entries")
    assert gradcheck((np.sin, lambda dy, x: dy * np.cos(x)), np.zeros((3, 4))).ok


def test_a_saturated_softmax_is_too_small_to_be_seen_and_says_so():
    x = np.array([[0.0, 60.0, -30.0], [70.0, 0.0, 1.0]])
    pair = (tc.ops.softmax, lambda dy, x: tc.ops.softmax_backward(dy, tc.ops.softmax(x)))
    report = gradcheck(pair, x)
    assert report.verdict == "undecided"
    assert report["x"].checked == 0 and "too small" in str(report)
    # Seven times as much is as small; at other values it is seen.
    seven = (pair[0], lambda dy, x: 7 * pair[1](dy, x))
    assert gradcheck(seven, x).verdict == "undecided"
    assert gradcheck(seven, x / 30).verdict == "wrong"
    # Rubbish is large enough to be seen.
    assert not gradcheck((tc.ops.softmax, lambda dy, x: dy * 1e-3), x).ok


def test_built_in_layers_pass_far_below_the_tolerance():
    model = tc.Sequential(every_layer(), IMAGE)
    shape = model.input_shape
    for layer, shape in zip(model.layers, model.shapes, strict=False):
        report = gradcheck(layer, rng().standard_normal((2, *shape)), training=True, samples=12)
        assert report.ok, str(report)
        assert report.worst < 1e-7


@pytest.mark.parametrize("labels", [None, [3, 1]])
def test_a_model_with_two_layers_of_the_users_own(labels):
    model = tc.Sequential(every_layer(), IMAGE)
    report = gradcheck(model, images(2, IMAGE), labels=labels, training=True)
    assert report.ok, str(report)
    assert report.worst < 1e-6
    assert [tensor.name for tensor in report.tensors] == ["x", *model.parameters()]


# ------------------------------------------------------------------------------------- kinks, ties


def test_kinks_are_skipped_with_the_reason_and_another_cell_is_drawn():
    x = rng().standard_normal((10, 20))
    x[:, :3] = 0.0
    report = gradcheck(ReLU(name="r"), x, samples=40)
    tensor = report["x"]
    assert (
        report.ok
        and sum(e.verdict == "agrees" and e.index is not None for e in tensor.entries) == 40
    )
    kinks = [e for e in tensor.skipped if e.index is not None]
    assert kinks and all(e.index[1] < 3 for e in kinks)
    assert all("r's ReLU at" in e.reason for e in kinks)


@pytest.mark.parametrize("transparent", [False, True])
def test_the_rule_for_ties_is_checked_not_skipped(transparent):
    x = np.array([[1.0, 1.0, 0.0], [0.5, 2.0, 2.0], [3.0, -1.0, 0.2], [0.1, 0.6, 0.3]])

    def observe(arrays):
        y, argmax = largest(arrays["x"])
        return y, [argmax]

    def check(backward):
        target = as_target((lambda x: largest(x)[0], backward), x)
        known = observe if transparent else None
        return gradcheck(replace(target, observe=known, places=("the maximum",)))

    right, wrong = check(largest_backward), check(every_tie_paid)
    assert right.ok, str(right)
    assert not wrong.ok
    assert any("tied" in entry.where for entry in wrong["x"].failures)


def test_a_pool_over_whole_numbers():
    x = rng().integers(0, 3, (1, 7, 7, 2)).astype(float)
    assert gradcheck(MaxPool2D(3, stride=2), x).ok


# ---------------------------------------------------------------------------------- planted errors


def scaled(factor):
    return lambda dy, x: factor * dy * np.cos(x)


@pytest.mark.parametrize("factor", [1.001, 0.999, -1, 0, 2, 1 + 1e-5])
@pytest.mark.parametrize("at", ["anywhere", "tiny", "huge"])
def test_factors_are_caught(factor, at):
    x = AT[at]
    unit = np.abs(x).max()
    function = (lambda x: np.sin(x / unit), lambda dy, x: factor * dy * np.cos(x / unit) / unit)
    report = gradcheck(function, x)
    assert not report.ok
    assert all(entry.verdict == "differs" for entry in report["x"].entries)


@pytest.mark.parametrize("power", [-307, -300, -250, -160, -100, 100, 160, 200, 250, 300, 305])
@pytest.mark.parametrize("factor", [1, -1, 1.001])
def test_every_scale_that_float64_holds(power, factor):
    scale = 10.0**power
    for function, derivative in (
        (lambda x: 3 * x, lambda x: 3 + 0 * x),
        (relu, lambda x: x > 0),
        (lambda x: np.tanh(x / scale) * scale, lambda x: 1 - np.tanh(x / scale) ** 2),
    ):
        pair = function, lambda dy, x, d=derivative: factor * dy * d(x)
        report = gradcheck(pair, scale * AT["anywhere"])
        assert report.verdict == ("right" if factor == 1 else "wrong"), report
        kinds = [guess.kind for guess in report["x"].diagnosis]
        assert kinds == {1: [], -1: ["sign"], 1.001: ["factor"]}[factor]


@pytest.mark.parametrize(
    "powers", [(250, -250), (-250, 250), (150, 150), (-150, -150), (-300, 300), (200, -300)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_arrays_of_different_scales(powers, sign):
    x, W = (10.0**p * rng(p % 9).standard_normal((4, 4)) for p in powers)
    pair = (lambda x, W: x @ W, lambda dy, x, W: (sign * dy @ W.T, x.T @ dy))
    report = gradcheck(pair, x, W)
    verdicts = {tensor.name: tensor.verdict for tensor in report.tensors}
    assert verdicts == {"x": "right" if sign == 1 else "wrong", "W": "right"}, report


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("function", ["log", "sqrt", "tanh"])
def test_cells_of_different_scales_are_never_judged_the_wrong_way(function, sign):
    """From 1e-200 to 1e200 in one array; where the small ones cannot be seen, it says so."""
    derivative = {
        "log": lambda x: 1 / x,
        "sqrt": lambda x: 0.5 / np.sqrt(x),
        "tanh": lambda x: 1 - np.tanh(x) ** 2,
    }[function]
    x = 10.0 ** rng(1).uniform(-200, 200, (4, 5))
    report = gradcheck((getattr(np, function), lambda dy, x: sign * dy * derivative(x)), x)
    wanted = "right" if sign == 1 else "wrong"
    assert report.verdict in ((wanted,) if function == "log" else (wanted, "undecided")), report


def test_coarse_rounding_is_named_where_it_hides_the_answer():
    function = (lambda x: np.round(np.tanh(x), 3), lambda dy, x: dy * (1 - np.tanh(x) ** 2))
    report = gradcheck(function, AT["anywhere"])
    assert report.verdict == "undecided"
    assert report["x"].shortage.startswith("forward seems to round to 1e-3")
    assert "dx: undecided: forward seems to round to 1e-3" in str(report)


@pytest.mark.parametrize("factor", [0.9, 1.1, -1, 7])
def test_errors_are_caught_behind_float32(factor):
    def forward(x):
        return np.tanh(x.astype(np.float32)).astype(np.float64)

    report = gradcheck((forward, lambda dy, x: factor * dy * (1 - np.tanh(x) ** 2)), AT["anywhere"])
    assert report.verdict == "wrong"
    assert report["x"].diagnosis[0].kind == ("sign" if factor == -1 else "factor")


def test_a_dead_array_is_undecided_beside_one_that_is_right():
    pair = (lambda x, gain: gain * x, lambda dy, x, gain: (7 * dy * gain, (dy * x).sum(0)))
    report = gradcheck(pair, AT["anywhere"], np.zeros(3))
    assert report.verdict == "undecided" and not report.ok
    assert [tensor.verdict for tensor in report.tensors] == ["undecided", "right"]
    assert report["x"].checked == 0
    assert report["x"].shortage.startswith(
        "nothing was tested: the gradient and the difference are both exactly 0 everywhere"
    )


def test_a_gradient_of_zero_that_should_not_be_is_wrong():
    pair = (lambda x, gain: gain * x, lambda dy, x, gain: (0 * x, (dy * x).sum(0)))
    assert gradcheck(pair, AT["anywhere"], np.ones(3)).verdict == "wrong"


FIRST, LAST = (pytest.param(cell, marks=pytest.mark.slow) for cell in (0, 99_999))


@pytest.mark.parametrize("cell", [FIRST, 61_234, LAST])
def test_one_wrong_cell_of_100_000_is_found(cell):
    def backward(dy, x):
        dx = dy * np.cos(x)
        dx.reshape(-1)[cell] *= 1.2
        return dx

    report = gradcheck((np.sin, backward), rng().standard_normal((100, 1000)), samples=4)
    worst = report["x"].worst
    assert worst.index == (cell // 1000, cell % 1000)
    assert worst.analytic == pytest.approx(1.2 * worst.numeric, rel=1e-6)


@pytest.mark.parametrize("noise", [1e6, 1e8])
def test_errors_are_caught_in_noisy_functions_too(noise):
    """x + noise - noise: the outputs carry the rounding of much larger numbers."""
    x = rng().standard_normal((4, 3))
    assert gradcheck((lambda x: (x + noise) - noise, lambda dy, x: dy), x).ok
    assert not gradcheck((lambda x: (x + noise) - noise, lambda dy, x: 1.001 * dy), x).ok


class Broken(Layer):
    """2 * x, with a gradient that is 0.1 % too large."""

    stem = "broken"

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return 2 * x, None

    def backward(self, params, dy, saved, context):
        return 2.002 * dy, {}


def test_a_wrong_layer_spoils_what_lies_before_it():
    model = tc.Sequential([Conv2D(3, 3), Broken(), AveragePool2D(2), Dense(2)], (6, 6, 2))
    report = gradcheck(model, images(2, (6, 6, 2)))
    assert {tensor.name: tensor.ok for tensor in report.tensors} == {
        "x": False, "conv1.W": False, "conv1.b": False, "dense1.W": True, "dense1.b": True,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------- arguments


def test_the_same_seed_gives_the_same_report():
    x = rng().standard_normal((3, 5, 5, 2))
    one, two, other = (gradcheck(Conv2D(2, 3), x, rng=seed).to_dict() for seed in (1, 1, 2))
    assert one == two != other


def test_wrt_samples_and_directions():
    x = rng().standard_normal((2, 6))
    report = gradcheck(Dense(40), x, wrt=["b", "W"], samples=7, directions=3)
    assert [(tensor.name, tensor.checked) for tensor in report.tensors] == [("b", 10), ("W", 10)]
    assert gradcheck(Dense(3), x, wrt="x", samples=0)["x"].checked == 2


def test_dy_of_the_callers():
    report = gradcheck((np.sin, scaled(1)), [1.0, 2.0], dy=[0.0, 3.0], directions=0)
    assert [entry.analytic for entry in report["x"].entries] == [0.0, 3 * np.cos(2.0)]
    with pytest.raises(ShapeError, match="dy must have shape"):
        gradcheck((np.sin, scaled(1)), [1.0, 2.0], dy=[1.0])


def test_the_tolerance_is_the_callers():
    pair = (np.sin, scaled(1.001))
    assert not gradcheck(pair, [1.0, 2.0]).ok
    assert gradcheck(pair, [1.0, 2.0], tolerance=0.01).ok
    with pytest.raises(ArgumentError, match="tolerance must be"):
        gradcheck(pair, [1.0], tolerance=-1)


def test_dropout_is_checked_on_its_mask():
    report = gradcheck(Dropout(0.4), rng().standard_normal((3, 8)), training=True)
    kept = [entry.analytic != 0 for entry in report["x"].entries if entry.index is not None]
    assert report.ok and 0 < sum(kept) < len(kept)


def test_empty_batches_have_nothing_to_check():
    report = gradcheck(Dense(3), np.zeros((0, 4)))
    assert report.ok
    assert report["x"].note == "has no cells"
    assert "nor do the outputs hang on W" in report["W"].note


def test_users_layers_are_checked_alone():
    for layer in (Scale(), Square()):
        assert gradcheck(layer, rng().standard_normal((2, 3, 4))).ok


@pytest.mark.parametrize("offset", [1e13, 1e14, 1e16, 1e20])
@pytest.mark.parametrize("factor", [0, 1, 2, -1])
def test_nothing_is_right_that_rounding_hides(offset, factor):
    x = np.random.default_rng(0).standard_normal((3, 5))
    report = gradcheck((lambda x: x + offset, lambda dy, x: factor * dy), x)
    assert report.verdict == "undecided"


@pytest.mark.parametrize("wrong", ["a", -1, 0.5, [1]], ids=repr)
def test_an_rng_of_another_kind_is_refused(wrong):
    for check in (gradcheck, partial(explain, where="x[0,0]")):
        with pytest.raises(
            ArgumentError, match=r"rng must be None, a numpy.random.Generator or an int"
        ):
            check(ReLU(), np.ones((2, 3)), rng=wrong)
