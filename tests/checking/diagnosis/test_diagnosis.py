"""What a wrong gradient is said to look like: by each rule, on small and large arrays, in layers."""

import numpy as np
import pytest
from checking.numpy_ops import DENSE, RELU, TANH, AvgPool, Conv, MaxPool, Pair, Windows, softmax
from checking.planted import PLANTED
from checking.planting import drawn, plant

from tinycnn import Sequential
from tinycnn.checking import as_target, gradcheck
from tinycnn.checking.diagnosis import diagnose
from tinycnn.layers import Conv2D, Dense, Layer, MaxPool2D


def said(target, *arrays, **options):
    """{tensor: what its diagnosis says}, of those that have one."""
    report = gradcheck(target, *arrays, **options)
    return {tensor.name: tensor.diagnosis for tensor in report.tensors if tensor.diagnosis}


def of_planted(op, arrays, **mistakes):
    planted = plant("", op, arrays, **mistakes)
    return said((planted.forward, planted.backward), *arrays.values())


@pytest.mark.parametrize(
    "planted", [p for p in PLANTED if p.kind], ids=lambda planted: planted.name
)
def test_a_right_gradient_looks_like_nothing(planted):
    """The same function, with the gradient that differences give for it."""
    target = as_target((planted.forward, planted.backward), *planted.arrays.values())
    dy = np.random.default_rng(0).standard_normal(
        np.shape(planted.forward(*target.arrays.values()))
    )
    for name in planted.wrong:
        if target.arrays[name].size <= 300 and planted.kind != "ties":
            right = slopes(target, name, dy)
            assert diagnose(target, name, dy, right, []) == []


def slopes(target, name, dy):
    array, gradient = target.arrays[name], np.empty(target.arrays[name].shape)
    step = 1e-6 * np.abs(array).max()
    for cell in np.ndindex(array.shape):
        above, below = array.copy(), array.copy()
        above[cell] += step
        below[cell] -= step
        ahead = target.forward({**target.arrays, name: above})
        behind = target.forward({**target.arrays, name: below})
        gradient[cell] = np.vdot(dy, np.subtract(ahead, behind)) / (2 * step)
    return gradient


# ---------------------------------------------------------------------------------- rules in words

CONV = Conv(Windows((2, 2)))
CONV_ARRAYS = drawn(x=(2, 4, 5, 2), W=(2, 2, 2, 3), b=(3,))
PADDED_MEAN = AvgPool(Windows((3, 2), stride=(2, 1), padding=(1, 1)))
FULL_MEAN = Pair(
    lambda x: PADDED_MEAN.forward(x) * PADDED_MEAN.cells(x.shape) / 6,
    lambda dy, x: PADDED_MEAN.spread(dy / 6, x.shape),
)
IMAGES, MATRIX = drawn(x=(1, 5, 4, 2)), drawn(x=(4, 6))
ROWS = drawn(x=(5, 6), W=(6, 3), b=(3,))


def of_conv(dy, x, W, b):
    return dict(zip("xWb", CONV.backward(dy, x, W, b), strict=True))


def rotated_labels(dy, x):
    """Twice the label subtracted."""
    e = np.exp(x - x.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    p[np.arange(4), [1, 0, 2, 5]] -= 2
    return dy * p / 4


LOSS = Pair(
    lambda x: (np.log(np.exp(x).sum(-1)) - x[np.arange(4), [1, 0, 2, 5]]).mean(),
    lambda dy, x: None,
)


@pytest.mark.parametrize(
    ("op", "arrays", "name", "mistake", "kind", "text"),
    [
        (CONV, CONV_ARRAYS, "W", lambda *a: of_conv(*a)["W"] * 12, "factor", "OH*OW = 12"),
        (CONV, CONV_ARRAYS, "W", lambda *a: of_conv(*a)["W"] / 12, "factor", "OH*OW = 12 divides"),
        (CONV, CONV_ARRAYS, "b", lambda *a: of_conv(*a)["b"] * 2, "factor", "added twice?"),
        (CONV, CONV_ARRAYS, "W", lambda *a: of_conv(*a)["W"] * 1.37, "factor", "numeric = 1.37 in"),
        (CONV, CONV_ARRAYS, "b", lambda dy, *a: dy.sum() + 0 * a[2], "bias axes", "N, OH, OW, F"),
        (CONV, CONV_ARRAYS, "b", lambda dy, *a: dy.sum((0, 1)).ravel()[3:6], "", ""),
        (
            CONV,
            CONV_ARRAYS,
            "b",
            lambda dy, *a: dy.reshape(3, -1).sum(1),
            "bias axes",
            "reshape(3, -1)",
        ),
        (CONV, CONV_ARRAYS, "W", lambda *a: of_conv(*a)["W"][:, ::-1], "flipped kernel", "KW"),
        (
            CONV,
            CONV_ARRAYS,
            "x",
            lambda *a: of_conv(*a)["x"][:, ::-1, ::-1],
            "flipped image",
            "180 degrees",
        ),
        (CONV, CONV_ARRAYS, "x", lambda *a: of_conv(*a)["x"][::-1], "flipped image", "N (axis 0)"),
        (
            CONV,
            CONV_ARRAYS,
            "W",
            lambda *a: np.roll(of_conv(*a)["W"], 1, -1),
            "channel order",
            "rotated by 1",
        ),
        (
            CONV,
            CONV_ARRAYS,
            "W",
            lambda *a: np.sort(of_conv(*a)["W"], axis=None).reshape(2, 2, 2, 3),
            "rearranged",
            "same 24 numbers",
        ),
        (FULL_MEAN, IMAGES, "x", PADDED_MEAN.backward, "divisor", "cells that each window has"),
        (LOSS, MATRIX, "x", rotated_labels, "labels", "wrong number for the label"),
        (TANH, MATRIX, "x", lambda dy, x: TANH.backward(dy, x) - 0.01 * x, "added", "-0.01 times"),
        (
            RELU,
            MATRIX,
            "x",
            lambda dy, x: RELU.backward(dy, x) * (x < x.max()),
            "part",
            "which is 0",
        ),
        (
            TANH,
            MATRIX,
            "x",
            lambda dy, x: TANH.backward(dy, x) * (np.arange(4) != 2)[:, None],
            "part",
            "N = 2 (axis 0)",
        ),
        (DENSE, ROWS, "b", lambda dy, *a: dy[0], "one image", "first image"),
    ],
)
def test_a_mistake_is_named(op, arrays, name, mistake, kind, text):
    found = of_planted(op, arrays, **{name: mistake}).get(name, [])
    assert [guess.kind for guess in found[:1]] == ([kind] if kind else [])
    assert not found or (text in found[0].text and found[0].text.startswith("looks "))


def test_each_number_in_the_text_is_true():
    arrays = drawn(x=(4, 3), W=(3, 5), b=(5,))
    (guess,) = of_planted(DENSE, arrays, W=lambda dy, x, W, b: 4 * x.T @ dy)["W"]
    assert guess.text == (
        "looks like the right gradient times 4, because analytic / numeric = 4 in all 15 entries "
        "known, and N = 4"
    )


@pytest.mark.parametrize("shapes", [((1, 1, 1, 1), (1, 1, 1, 1)), ((1, 2, 2, 1), (2, 2, 1, 1))])
def test_results_in_another_order_are_no_factor_of_one_number(shapes):
    arrays = drawn(x=shapes[0], W=shapes[1], b=(1,))
    conv = Conv(Windows(shapes[1][:2]))

    def turned(dy, *given):
        dx, dW, db = conv.backward(dy, *given)
        return dW.reshape(dx.shape), dx.reshape(dW.shape), db

    found = said((conv.forward, turned), *arrays.values())
    assert {name: [guess.kind for guess in guesses] for name, guesses in found.items()} == {
        "x": ["another array's"], "W": ["another array's"],
    }  # fmt: skip


@pytest.mark.parametrize("cells", [1, 2])
def test_a_factor_of_one_or_two_numbers_is_none_without_a_meaning(cells):
    x = drawn(x=(cells,))["x"]
    assert said((np.tanh, lambda dy, x: 1.37 * TANH.backward(dy, x)), x) == {}
    (guesses,) = said((np.tanh, lambda dy, x: -TANH.backward(dy, x)), x).values()
    assert guesses[0].kind == "sign"


# ----------------------------------------------------------------------- large: entries alone known

LARGE = drawn(x=(7, 200), W=(200, 200), b=(200,))


@pytest.mark.parametrize(
    ("mistake", "kind"),
    [
        (lambda dy, x, W, b: (x.T @ dy).T, "transposed"),
        (lambda dy, x, W, b: 7 * x.T @ dy, "factor"),
        (lambda dy, x, W, b: -x.T @ dy, "sign"),
        (lambda dy, x, W, b: 0 * W, "zero"),
        (lambda dy, x, W, b: x.T @ dy + 0.1 * W, "added"),
        (lambda dy, x, W, b: (x.T @ dy)[::-1, ::-1], "flipped kernel"),
    ],
)
def test_of_a_large_array_the_entries_that_were_tried_are_enough(mistake, kind):
    found = of_planted(DENSE, LARGE, W=mistake)["W"]
    assert found[0].kind == kind


def test_a_wrong_weight_matrix_in_a_large_layer():
    found = of_planted(DENSE, LARGE, x=lambda dy, x, W, b: dy @ W)["x"]
    assert found[0].kind == "transposed"
    assert "another W" in found[0].text


def test_a_wrong_cell_of_a_large_array_is_the_only_one_named():
    cell = np.arange(40_000).reshape(200, 200) != 12_345
    (guess,) = of_planted(DENSE, LARGE, W=lambda dy, x, W, b: x.T @ dy * cell)["W"]
    assert "one wrong cell, [61,145], which is 0" in guess.text


def test_ties_of_a_large_array():
    pool = MaxPool(Windows((2, 2), stride=(2, 2)))
    x = np.random.default_rng(0).integers(0, 4, (2, 24, 24, 2)).astype(float)

    def every_tie(dy, x):
        return pool.windows.inside(
            pool.padded_gradient(dy, x, lambda window: window == window.max())
        )

    found = of_planted(pool, {"x": x}, x=every_tie)["x"]
    assert found[0].kind == "ties"
    assert "cells tied at" in found[0].text


# --------------------------------------------------------------------------------- layers, a model


class HalfConv(Conv2D):
    """dW of half the size."""

    def backward(self, params, dy, saved, context):
        dx, gradients = super().backward(params, dy, saved, context)
        return dx, {**gradients, "W": gradients["W"] / 2}


class Unmasked(Layer):
    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return np.maximum(x, 0), None

    def backward(self, params, dy, saved, context):
        return dy, {}


class EveryTie(MaxPool2D):
    def backward(self, params, dy, saved, context):
        _, shape = saved
        return np.repeat(np.repeat(dy, 2, 1), 2, 2).reshape(shape), {}


class Diagonal(Layer):
    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        y = softmax(x)
        return y, y

    def backward(self, params, dy, saved, context):
        return dy * saved * (1 - saved), {}


def test_a_layer_of_ones_own():
    x = drawn(x=(3, 5, 4, 2))["x"]
    found = said(HalfConv(3, (3, 2)), x)
    assert [(name, guesses[0].kind) for name, guesses in found.items()] == [("W", "factor")]
    (guesses,) = said(Unmasked(), x).values()
    assert guesses[0].kind == "mask"
    (guesses,) = said(Diagonal(), drawn(x=(4, 5))["x"]).values()
    assert guesses[0].kind == "diagonal alone"


def test_every_tie_paid_in_a_layer():
    x = drawn(x=(2, 3, 3, 1))["x"].repeat(2, axis=1).repeat(2, axis=2)
    (guesses,) = said(EveryTie(2), x).values()
    assert [guess.kind for guess in guesses] == ["ties"]


def test_a_layer_in_a_model_is_named_by_its_tensor():
    layers = [HalfConv(3, 3, activation="relu"), Dense(4, activation="softmax")]
    found = said(Sequential(layers, (5, 5, 2)), drawn(x=(3, 5, 5, 2))["x"], labels=[0, 3, 1])
    assert [(name, guesses[0].kind) for name, guesses in found.items()] == [("conv1.W", "factor")]
