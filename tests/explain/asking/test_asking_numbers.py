"""Opened numbers asked for: what is right, and what is said of what is not.

Right answers and likely wrong ones are worked out here, by loops over plain numbers.
"""

import math

import numpy as np
import pytest
from asking_sessions import opened, session, verdicts

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.explain import explain
from tinycnn.explain.asking import numbers
from tinycnn.explain.examples.example import load
from tinycnn.explain.readers.style import Style
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)


@pytest.fixture(scope="module")
def trace():
    """A network with biases, in float64: convolution, two pools, norm and a dense softmax."""
    layers = [
        Conv2D(3, 3, stride=2, padding=1, activation="relu"),
        MaxPool2D(3, stride=1),
        LocalResponseNorm(size=3, alpha=0.5),
        AveragePool2D(2),
        Flatten(),
        Dense(4),
        ReLU(),
        Dense(3, activation="softmax"),
    ]
    model = tc.Sequential(layers, (13, 13, 2), rng=5, dtype="float64")
    with model.edit() as weights:
        for name, array in weights.items():
            if name.endswith(".b"):
                array[...] = 0.25 + np.arange(array.size) / 8
    trace = model.trace(np.random.default_rng(2).standard_normal((1, 13, 13, 2)))
    trace.backward(labels=[1])
    return trace


def convolved(trace, row, column, f):
    """The products of a cell of conv1, and its bias."""
    x, W = trace["conv1"].x[0], trace["conv1"].params["W"]
    products = {}
    for i, j, c in np.ndindex(3, 3, 2):
        h, w = 2 * row - 1 + i, 2 * column - 1 + j
        inside = 0 <= h < 13 and 0 <= w < 13
        products[i, j, c] = float(x[h, w, c] * W[i, j, c, f]) if inside else 0.0
    return products, float(trace["conv1"].params["b"][f])


def cells_of_conv1(trace, *, passed):
    for place in np.ndindex(7, 7, 3):
        products, bias = convolved(trace, *place)
        z = math.fsum(products.values()) + bias
        if (z > 0.3) is passed and abs(z) > 0.3:
            yield place, products, bias


def test_a_cell_of_a_convolution(trace):
    place, products, bias = next(cells_of_conv1(trace, passed=True))
    total = math.fsum(products.values())
    alone = math.fsum(products[2, 1, c] for c in range(2))
    answers = [total, -(total + bias), total + bias - alone, math.fsum(map(abs, products.values()))]
    said = verdicts(
        opened(trace, "conv1", place), *(f"{a:.5f}" for a in answers), f"{total + bias:.5f}"
    )
    assert said[0] == f"No: the bias is missing: add the bias, {bias:.5f}."
    assert said[1] == "No: the sign is the other one."
    assert said[2] == "No: position (2,1) is left out."
    assert said[-1].startswith("Right: ")


def test_a_cell_that_relu_stops(trace):
    place, products, bias = next(cells_of_conv1(trace, passed=False))
    z = math.fsum(products.values()) + bias
    said = verdicts(opened(trace, "conv1", place), f"{z:.5f}", f"{z - bias:.5f}", "0")
    assert said[0] == "No: ReLU was forgotten: take ReLU, max(0, z)."
    assert said[1].startswith("No: that is the sum alone: add the bias, ")
    assert said[2] == "Right: 0."


def test_nothing_that_is_asked_gives_the_answer_away(trace):
    passing, _, _ = next(cells_of_conv1(trace, passed=True))
    for what, at in (
        ("conv1", passing),
        ("dense1", (2,)),
        ("pool2", (1, 1, 1)),
        ("conv1.b", (1,)),
    ):
        explanation = explain(trace, what, at)
        (question,) = opened(trace, what, at)
        assert question.shown.splitlines()[0].endswith(" ?")
        assert explanation.headline not in question.shown
        assert "CHECK" not in question.shown and "CHECK" in question.solution
        assert explanation.headline in question.solution


def test_a_dense_cell_before_its_softmax_asks_for_its_logit(trace):
    x, params = trace["dense2"].x[0], trace["dense2"].params
    z = sum(float(x[d] * params["W"][d, 2]) for d in range(4)) + float(params["b"][2])
    (question,) = opened(trace, "dense2", (2,))
    assert "What do these steps come to?" in session([question])
    assert verdicts([question], f"{z:.6f}") == [f"Right: {question.answer.shown}."]
    assert question.answer.value == pytest.approx(z, rel=1e-12)


def test_a_max_pool_asks_for_the_maximum_and_its_place(trace):
    x = trace["conv1"].y[0, :, :, 2]
    window = {(h, w): float(x[h, w]) for h in (1, 2, 3) for w in (2, 3, 4)}
    place = max(window, key=window.get)
    other = next(cell for cell, value in window.items() if 0 < value < window[place])
    questions = opened(trace, "pool1", (1, 2, 2))
    assert "[" not in questions[0].shown.partition("compete:")[2]
    local = f"{place[0] - 1},{place[1] - 2}"
    said = verdicts(
        questions, f"{window[other]:.5f}", f"{window[place]:.5f}",
        "{},{}".format(*other), "6,0", "{},{}".format(*place),
    )  # fmt: skip
    assert said[0].startswith("No: that stands at {},{}, and a larger".format(*other))
    assert said[1].startswith("Right: ")
    assert said[2].startswith("No: there stands ")
    assert "not in this window, whose first cell is 1,2 and last 3,4" in said[3]
    assert said[4] == "Right: {},{}.".format(*place)
    if tuple(map(int, local.split(","))) not in window:
        assert verdicts(questions[1:], local)[0].startswith(
            "No: that is its place within the window"
        )


def test_a_place_within_the_window_exchanged_and_tied_are_told_apart():
    x = np.zeros((1, 8, 8, 1))
    x[0, 6, 4, 0] = x[0, 6, 5, 0] = 3.0
    trace = tc.Sequential([MaxPool2D(2)], (8, 8, 1), dtype="float64").trace(x)
    said = verdicts(opened(trace, "pool1", (3, 2, 0))[1:], "0,0", "4,6", "6,5", "6,4")
    assert said == [
        "No: that is its place within the window; in the map it is row 6 + 0, column 4 + 0.",
        "No: row and column are exchanged: the row comes first.",
        "No: it is as large, but of equal ones the first in reading order wins.",
        "Right: 6,4.",
    ]


def test_largest_size_mean_and_padding_are_not_the_maximum():
    x = np.array([[-8.0, -3.0], [-5.0, -6.0]]).reshape(1, 2, 2, 1)
    trace = tc.Sequential([MaxPool2D(3, padding=1)], (2, 2, 1), dtype="float64").trace(x)
    said = verdicts(opened(trace, "pool1", (0, 0, 0)), "8", "-5.5", "-22", "0", "-3")
    assert [words.split(":")[1].strip() for words in said[:4]] == [
        "the largest counts, not the largest size",
        "that is the mean",
        "that is the sum",
        "padding does not compete",
    ]
    assert said[4] == "Right: -3.0000."


def test_a_mean_and_a_norm(trace):
    x = trace["pool2"].x[0, 2:4, 0:2, 1]
    said = verdicts(opened(trace, "pool2", (1, 0, 1)), f"{x.sum():.5f}", f"{x.sum() / 4:.5f}")
    assert said[0] == "No: it was not divided by 4: divide by 4."
    assert said[1].startswith("Right")
    channels = trace["norm1"].x[0, 2, 2].tolist()
    s = 2 + 0.5 * sum(value**2 for value in channels)
    said = verdicts(opened(trace, "norm1", (2, 2, 1)), f"{s:.6f}", f"{channels[1] / s**0.75:.6f}")
    assert said[0].startswith("No: x / s^beta is missing") and said[1].startswith("Right")


def whole():
    """The network of the example `whole`: its gradients are fractions."""
    model = tc.Sequential(
        [Conv2D(1, 2, activation="relu"), MaxPool2D(2, stride=1), Dense(2), Softmax()],
        (4, 4, 1), dtype="float64",
    )  # fmt: skip
    values = load()["whole"]["values"]
    with model.edit() as weights:
        for name, key in (("conv1.W", "W"), ("conv1.b", "b"), ("dense1.W", "V"), ("dense1.b", "c")):
            weights[name] = np.reshape(values[key]["data"], weights[name].shape)
    trace = model.trace(np.reshape(values["x"]["data"], (1, 4, 4, 1)).astype(float))
    trace.backward(labels=[0])
    return trace


def test_the_gradient_of_a_weight():
    questions = opened(whole(), "conv1.W", (1, 1, 0, 0))  # 1.5*3 - 0.75*3 - 0.75*2
    said = verdicts(questions, "-3/4", "4.5", "-1.5", "8.25", "3/4")
    assert said[0].startswith("No: the sign is the other one")
    assert said[1].startswith("No: that is one part (place (0,1)) alone: all parts are added up")
    assert said[2].startswith("No: that is one part (place (2,2)) alone: all parts are added up")
    assert said[3].startswith("No: the signs of the parts are left out")
    assert said[4] == "Right: 0.75000."


def test_the_gradient_of_an_input_and_before_relu():
    trace = whole()
    said = verdicts(opened(trace, "pool1.x", (0, 1, 0)), "0.75", "1.5")  # it won two windows
    assert said[0].startswith("No: that is one part (window (0,1), won) alone")
    assert said[1] == "Right: 1.5000."
    assert verdicts(opened(trace, "conv1.x", (1, 2, 0)), "1.5", "3")[-1] == "Right: 3.0000."
    (question,) = opened(trace, "conv1.z", (1, 0, 0))
    assert "comes from above, and y is 0" in question.shown and "stopped" not in question.shown
    (question,) = opened(trace, "conv1.z", (0, 1, 0))
    said = verdicts([question], "0", "1.5")
    assert said == ["No: y = 6.0000: ReLU let it pass, so dy passes.", "Right: 1.5000."]


def test_a_gradient_that_relu_stops_is_explained():
    model = tc.Sequential([Dense(1), ReLU(), Dense(2, activation="softmax")], (1,), dtype="float64")
    with model.edit() as weights:
        weights["dense1.W"], weights["dense2.W"] = [[-1.0]], [[1.0, 0.0]]
    trace = model.trace([[1.0]])
    trace.backward(labels=[0])
    said = verdicts(opened(trace, "relu1.x", (0,)), "-0.5", "0")
    assert said == ["No: y = 0: ReLU stopped it, so nothing passes.", "Right: 0."]


def test_the_number_at_another_place_is_recognized(trace):
    here, _, _ = next(cells_of_conv1(trace, passed=True))
    for step in ((1, 0, 0), (0, -1, 0), (0, 0, 1)):
        other = tuple(at + by for at, by in zip(here, step, strict=True))
        inside = all(0 <= at < size for at, size in zip(other, (7, 7, 3), strict=True))
        value = math.fsum(convolved(trace, *other)[0].values()) if inside else 0.0
        value += convolved(trace, *other)[1] if inside else 0.0
        if value > 0:
            (said,) = verdicts(opened(trace, "conv1", here), f"{value:.6f}")
            places = [",".join(map(str, place)) for place in (other, here)]
            assert "that is the number at {}, not at {}".format(*places) in said
    (said,) = verdicts(
        opened(trace, "conv1.W", (0, 1, 0, 2)), repr(weight_gradient(trace, (1, 0, 0, 2)))
    )
    assert "that is the number at 1,0,0,2, not at 0,1,0,2" in said


def weight_gradient(trace, at):
    """The gradient of a weight of conv1, by its sum over all places."""
    i, j, c, f = at
    x, dz = trace["conv1"].x[0], trace["conv1"].dz[0]
    places = [
        (row, 2 * row - 1 + i, column, 2 * column - 1 + j) for row, column in np.ndindex(7, 7)
    ]
    return math.fsum(
        float(dz[row, column, f] * x[h, w, c])
        for row, h, column, w in places
        if 0 <= h < 13 and 0 <= w < 13
    )


def test_the_loss(trace):
    z = trace["dense2"].z[0].tolist()
    exponentials = [math.exp(value - max(z)) for value in z]
    loss = max(z) - z[1] + math.log(sum(exponentials))
    said = verdicts(opened(trace, "loss"), f"{sum(exponentials):.6f}", f"{loss:.6f}")
    assert said[0].startswith("No: that is the sum, whose logarithm is missing: ")
    assert said[1].startswith("Right")


def test_numbers_in_units_of_a_power_of_ten_are_multiplied_by_it():
    model = tc.Sequential([Dense(1)], (3,), dtype="float64")
    with model.edit() as weights:
        weights["dense1.W"] = [[1e-6], [2e-6], [4e-6]]
    said = verdicts(opened(model.trace([[1.0, 1.0, 1.0]]), "dense1", (0,)), "1.75", "7", "7e-6")
    assert said[1] == "No: the numbers are in units of 1e-6: multiply by that."
    assert said[2].startswith("Right")


@pytest.mark.parametrize(("what", "at"), [("flatten1", (3,)), ("relu1", (1,))])
def test_what_is_copied_asks_for_nothing(trace, what, at):
    with pytest.raises(ArgumentError, match="nothing is added up or compared there"):
        numbers.questions(explain(trace, what, at), Style.plain())


def test_what_is_not_finite_cannot_be_predicted():
    model = tc.Sequential([Dense(1)], (2,), dtype="float64")
    trace = model.trace([[math.inf, 1.0]])
    with pytest.raises(ArgumentError, match="there is no number to predict"):
        numbers.questions(explain(trace, "dense1", (0,)), Style.plain())


def test_a_wrong_sum_that_cannot_be_divided_by_is_no_answer():
    trace = tc.Sequential([Softmax()], (2,), dtype="float64").trace([[0.0, 0.0]])
    (question,) = opened(trace, "softmax1", (1,))  # one exponential with the wrong sign: 1 / 0
    assert verdicts([question], "2", "1/2") == [
        "No: that is the sum, by which the class's own exponential is divided: "
        "exp(0.0000000 - 0.0000000) over that sum.",
        "Right: 0.50000.",
    ]


def test_the_answer_that_is_shown_is_right_wherever_one_is_asked(trace):
    asked = 0
    for record in trace.records:
        arrays = {f"{record.name}.{name}": array for name, array in record.params.items()}
        arrays |= {record.name: record.y[0], f"{record.name}.x": record.x[0]}
        for what, array in arrays.items():
            for share in (0.0, 0.3, 0.7):
                place = tuple(int(size * share) for size in array.shape)
                try:
                    questions = opened(trace, what, place)
                except ArgumentError:  # what is copied
                    assert record.name in ("flatten1", "relu1")
                    continue
                for question in questions:
                    asked += 1
                    assert question.wrong(question.answer.read(question.answer.shown)) == ""
    assert asked > 50
