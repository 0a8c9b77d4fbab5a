"""Predict first: what is right, what is said of what is not, and the count.

Right answers and likely wrong ones are worked out here, by loops over plain numbers.
"""

import io
import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn as tc
from tinycnn import cli
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.explain import explain
from tinycnn.explain.asking import numbers, sizes
from tinycnn.explain.asking.answers import Integers, Number
from tinycnn.explain.asking.prediction import Prediction
from tinycnn.explain.asking.session import ask
from tinycnn.explain.asking.sums import slips
from tinycnn.explain.examples.example import load
from tinycnn.explain.readers.style import Style
from tinycnn.explain.values.sums import Term
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

EXAMPLES = load()


def session(questions, *answers):
    """What a session prints whose reader types these lines."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", said)
        ask(questions, io.StringIO("".join(f"{answer}\n" for answer in answers)), print)
    return said.getvalue()


def verdicts(questions, *answers):
    """The verdict on each answer, without the last line."""
    text = re.sub(r"\n(?![\n>A-Z])", " ", session(questions, *answers))
    return re.findall(r"^(?:Right|No|It is|'.*?' cannot).*$", text, flags=re.MULTILINE)


def opened(trace, what, at=None):
    return list(numbers.questions(explain(trace, what, at), Style.plain()))


# --------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    "typed", ["0.375", "3/8", "+0.375", "0.3750", "3.75e-1", " 0.375 ", "0.3752", "37.5e-2"]
)
def test_a_number_may_be_written_in_many_ways(typed):
    answer = Number(0.375, 0.0003, "0.3750")
    assert answer.meets(answer.read(typed), 0.375)


@pytest.mark.parametrize(
    ("value", "typed", "right"),
    [
        (2.682017, "2.68", True),  # three digits, rounded
        (2.682017, "2.69", False),
        (2.682017, "2.7", False),  # two digits say too little
        (2.682017, "2.6820", True),
        (2.682017, "2.6821", True),  # as near as its tolerance
        (2.682017, "2.6824", False),
        (0.00123456, "0.00123", True),
        (0.00123456, "1.23e-3", True),
        (0.00123456, "0.0012", True),  # its tolerance allows that
        (34944.0, "34,944", True),
        (34944.0, "34,848", False),
        (-0.75, "-3/4", True),
        (-0.75, "0.75", False),
    ],
)
def test_a_number_is_right_within_its_tolerance_or_rounded_to_three_digits(value, typed, right):
    answer = Number(value, 1e-4, "")
    assert answer.meets(answer.read(typed), value) is right


@pytest.mark.parametrize("typed", ["", "abc", "1/0", "nan", "inf", "2,68", "1 2/", "--1", "1e999"])
def test_what_is_no_number_is_said_so(typed):
    with pytest.raises(ValueError, match=r"a number such as -0\.25, 3/4"):
        Number(1.0, 0.1, "1").read(typed)


@pytest.mark.parametrize(
    "typed", ["27x27x96", "27 x 27 x 96", "(27, 27, 96)", "27*27*96", "27 27 96"]
)
def test_a_size_may_be_written_in_many_ways(typed):
    answer = Integers((27, 27, 96), ("height", "width", "number of filters"), "27 x 27 x 96")
    assert answer.meets(answer.read(typed), (27, 27, 96))
    assert not answer.meets(answer.read(typed), (27, 26))


@pytest.mark.parametrize("typed", ["", "27", "27x27", "27x27xa", "27.5x27x96", "1x2x3x4"])
def test_what_is_no_size_is_said_so(typed):
    with pytest.raises(
        ValueError, match="3 whole numbers, height, width, number, such as 10x11x12"
    ):
        Integers((27, 27, 96), ("height", "width", "number"), "").read(typed)
    with pytest.raises(ValueError, match="2 whole numbers, row, column, such as 10,11"):
        Integers((3, 4), ("row", "column"), "3,4").read("7")


# --------------------------------------------------------------------------------------- session


def plain_question(value=1.0, **options):
    return Prediction("What is shown.", "one = ?", Number(value, 0.0, f"{value:g}"), **options)


def test_a_session_counts_and_shows_the_solution_afterwards():
    questions = [plain_question(k, solution=f"because of {k}") for k in (1, 2, 3, 4)]
    text = session(questions, "1", "7", "2", "nonsense", "?", "8", "q")
    assert text.splitlines()[0] == "Answer each question; ? shows its answer, q ends."
    assert text.index("Right: 1.") < text.index("because of 1") < text.index("Right: 2.")
    assert "No: it is smaller.\n> 2\nRight: 2." in text
    assert "'nonsense' cannot be read: type a number such as" in text and "It is 3." in text
    assert "because of 4" not in text
    assert text.splitlines()[-1] == (
        "1 of 4 right at the first try, 1 later, 1 shown, 1 left open."
    )


def test_the_end_of_the_input_ends_it_with_the_count():
    assert session([plain_question()] * 3, "1", "1").endswith("2 of 2 right at the first try.\n")
    assert session([plain_question()]).endswith("> \n\nNo question was answered.\n")


def test_of_several_explanations_two_are_told():
    found = tuple(tc_slip(2.0, words) for words in ("a", "b", "a", "c"))
    assert verdicts([plain_question(slips=found)], "2") == ["No: a; or b."]
    assert verdicts([plain_question(rule="the rule")], "2") == ["No: it is smaller; the rule."]


def tc_slip(value, words):
    from tinycnn.explain.values.task import Slip

    return Slip(value, words)


@given(st.lists(st.integers(-50, 50).filter(bool), min_size=3, max_size=8), st.data())
def test_a_part_left_out_is_named(parts, data):
    which = data.draw(st.integers(0, len(parts) - 1))
    named = [Term(f"part {place}", float(part)) for place, part in enumerate(parts)]
    total = math.fsum(parts)
    words = [slip.words for slip in slips(named, total) if slip.answer == total - parts[which]]
    assert f"part {which} is left out" in words
    words = [slip.words for slip in slips(named, total) if slip.answer == total - 2 * parts[which]]
    assert f"part {which} has the wrong sign" in words


# ------------------------------------------------------------------------------ cells, gradients


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
    values = EXAMPLES["whole"]["values"]
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


# ----------------------------------------------------------------------------------------- sizes


def test_the_rows_of_alexnet():
    expected = {
        "conv1": ("55x55x96", 11 * 11 * 3 * 96 + 96),
        "pool1": ("27x27x96", 0),
        "conv2": ("27x27x256", 5 * 5 * 96 * 256 + 256),
        "pool2": ("13x13x256", 0),
        "conv3": ("13x13x384", 3 * 3 * 256 * 384 + 384),
        "conv4": ("13x13x384", 3 * 3 * 384 * 384 + 384),
        "conv5": ("13x13x256", 3 * 3 * 384 * 256 + 256),
        "pool3": ("6x6x256", 0),
        "dropout1": ("6x6x256", 0),
        "fc1": ("4096", (6 * 6 * 256 + 1) * 4096),
        "dropout2": ("4096", 0),
        "fc2": ("4096", 4097 * 4096),
        "fc3": ("1000", 4097 * 1000),
    }
    answers = [answer for row in expected.values() for answer in row if answer]
    text = session(sizes.questions(tc.alexnet()), *answers)
    assert text.splitlines()[-1] == f"{len(answers)} of {len(answers)} right at the first try."


@pytest.mark.parametrize(
    ("layer", "typed", "words"),
    [
        ("conv1", "54x54x96", "the + 1 is missing"),
        ("conv1", "217x217x96", "the stride was forgotten"),
        ("conv1", "55x55x3", "number of filters is wrong, height and width are right"),
        ("conv1", "54x55x96", "height is wrong, width and number of filters are right"),
        ("conv2", "23x23x256", "the padding was forgotten: it makes room"),
        ("conv2", "25x25x256", "the padding was counted at one end only"),
        ("pool1", "55x55x96", "that is the size of the input"),
        ("fc1", "9216", "number of units is wrong"),
    ],
)
def test_a_wrong_size_is_explained(layer, typed, words):
    said = verdicts(sizes.questions(tc.alexnet(), layer), typed)
    assert said[0].startswith(f"No: {words}")


@pytest.mark.parametrize(
    ("layer", "typed", "words"),
    [
        ("conv1", 11 * 11 * 3 * 96, "the biases are missing"),
        ("conv1", 11 * 11 * 3 + 1, "that is one filter alone"),
        ("conv1", 11 * 11 * 96 + 96, "the channels were forgotten"),
        ("conv1", 11 * 11 * 96, "the channels were forgotten"),
        ("conv1", (11 * 11 * 3 + 1) * 96 * 55 * 55, "a filter has the same weights at every place"),
        ("fc1", 256 * 4096 + 4096, "the input is flattened"),
        ("fc2", 4096 * 4096, "the biases are missing: one for each unit"),
    ],
)
def test_a_wrong_parameter_count_is_explained(layer, typed, words):
    said = verdicts(sizes.questions(tc.alexnet(), layer), "?", str(typed))
    assert said[1].startswith(f"No: {words}")


def test_dilation_and_ceil_mode_are_told_apart():
    model = tc.Sequential(
        [Conv2D(1, 3, dilation=2), MaxPool2D(2, stride=3, ceil_mode=True)], (17, 17, 1)
    )  # 17 - 5 + 1 = 13; ceil((13 - 2)/3) + 1 = 5
    first, count, second = sizes.questions(model)
    assert verdicts([first], "15x15x1", "13x13x1") == [
        "No: the dilation was forgotten: a kernel reaches over its gaps too.", "Right: 13 x 13 x 1.",
    ]  # fmt: skip
    assert verdicts([count], "10") == ["Right: 10."]
    assert verdicts([second], "4x4x1", "5x5x1")[0].startswith("No: ")
    assert "it was rounded down, the wrong way" in verdicts([second], "4x4x1")[0]


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(UnknownNameError, match="there is no layer 'conv9'; there are conv1, pool1"):
        sizes.questions(tc.alexnet(), "conv9")


# -------------------------------------------------------------------------------------- examples


def ask_command(monkeypatch, capsys, *argv, answers=()):
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
    code = cli.main(["step", *argv, "--ask"])
    out, err = capsys.readouterr()
    return code, out, err


def stored(name, cell):
    """A number of the file from a cell's name, such as z[0,1]."""
    key, *index = re.findall(r"\w+", cell)
    number = EXAMPLES[name]["values"][key]["data"]
    for place in map(int, index):
        number = number[place]
    return float(number)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_file_s_numbers_are_the_right_answers(name, monkeypatch, capsys):
    code, out, err = ask_command(monkeypatch, capsys, "--example", name, answers=["?"] * 99)
    assert code == 0 and err == ""
    assert max(map(len, out.splitlines())) <= 80
    cells = re.findall(
        r"^(\w+(?:\[[\d,]+\])?) = \?\n> \?\nIt is (?:.* = )?(.*)\.$", out, re.MULTILINE
    )
    known = [
        (cell, shown) for cell, shown in cells if cell.partition("[")[0] in EXAMPLES[name]["values"]
    ]
    assert len(known) >= 3
    for cell, shown in known:
        assert float(shown) == pytest.approx(stored(name, cell), rel=1e-5, abs=1e-12), cell
    right = re.findall(r"^(.*)\?\n> \?\nIt is (?:.* = )?(.*)\.$", out, re.MULTILINE)
    answers = [shown for _, shown in right]
    _, again, _ = ask_command(monkeypatch, capsys, "--example", name, answers=answers)
    assert again.splitlines()[-1] == f"{len(answers)} of {len(answers)} right at the first try."


@pytest.mark.parametrize(
    ("name", "cell", "typed", "words"),
    [
        ("conv-pool", "z[0,1]", "7", "the bias is left out"),
        ("conv-pool", "z[0,1]", "2", "that is z[0,0]"),
        ("conv-pool", "a[2,1]", "-4", "ReLU was forgotten"),
        ("conv-pool", "y[0,0]", "2", "a larger number is in the window"),
        ("conv-pool", "da[0,1]", "2", "that is one part (2) alone: all parts are added up"),
        ("conv-pool", "W_new[1,0]", "-0.4", "the step goes against the gradient: subtract"),
        ("conv-pool", "W_new[1,0]", "-7", "the rate is missing"),
        ("softmax", "dz[2]", "0.625", "the 1 of onehot is missing"),
        ("dropout", "y[7]", "8", "what is kept is divided by 1 - rate"),
        ("channels", "dW[1,1,1]", "8", "1*2 is left out"),
        ("whole", "da[0,1]", "0.75", "that is one part (0.75) alone"),
    ],
)
def test_a_wrong_number_of_an_example_is_explained(name, cell, typed, words, monkeypatch, capsys):
    _, out, _ = ask_command(monkeypatch, capsys, "--example", name, answers=["?"] * 99)
    prompts = re.findall(r"^(.*\?)\n> \?$", out, re.MULTILINE)
    before = prompts.index(f"{cell} = ?")
    _, out, _ = ask_command(
        monkeypatch, capsys, "--example", name, answers=[*["?"] * before, typed, "q"]
    )
    said = re.sub(r"\n(?=\S)", " ", out.partition(f"{cell} = ?\n> {typed}\n")[2])
    assert said.startswith("No: ") and words in said.partition("> q")[0]


def test_the_change_that_a_step_should_bring(monkeypatch, capsys):
    answers = ["?"] * 26 + ["2.25", "0.225", "-0.225"]
    _, out, _ = ask_command(monkeypatch, capsys, "--example", "whole", answers=answers)
    _, _, end = out.partition("By how much should step 1 change the loss, to first order?\n")
    assert "> 2.25\nNo: minus the rate is missing: times -0.1." in end
    assert "> 0.225\nNo: the sign is the other one." in end
    assert "> -0.225\nRight: -0.225." in end and "it does change by" in " ".join(
        end.lower().split()
    )


# ---------------------------------------------------------------------------------- command line

MINI = ("--model", "mini")


def test_a_cell_of_a_network_by_the_command(monkeypatch, capsys):
    cli.main(["step", *MINI, "--layer", "conv2", "--at", "5,5,7", "--json"])
    value = json.loads(capsys.readouterr().out)["value"]
    argv = (*MINI, "--layer", "conv2", "--at", "5,5,7")
    code, out, _ = ask_command(monkeypatch, capsys, *argv, answers=["99", f"{value:.4f}"])
    assert code == 0 and "> 99\nNo: it is smaller." in out
    assert out.splitlines()[-1] == "0 of 1 right at the first try, 1 later."


@pytest.mark.parametrize(
    "argv",
    [
        ("--weight", "conv1.W[5,5,0,3]"),
        ("--grad", "pool1.x", "--at", "3,2,1"),
        ("--grad", "conv2.z", "--at", "3,2,1"),
        ("--layer", "pool1", "--at", "3,2,1"),
        ("--layer", "fc3", "--at", "281"),
        ("--layer", "conv3"),
        ("--why", "loss"),
        ("--train", "--layer", "conv3", "--at", "1,1,1"),
        (),
    ],
    ids=" ".join,
)
def test_whatever_opens_can_be_asked(argv, monkeypatch, capsys):
    code, out, _ = ask_command(monkeypatch, capsys, *MINI, *argv, answers=["?"] * 99)
    asked = out.count("\nIt is ")
    assert code == 0 and asked >= 1
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[-1] == f"0 of {asked} right at the first try, {asked} shown."


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--json"], "leave out --json"),
        (["-i"], "leave out -i/--interactive"),
        (["--layer", "conv1", "--at", "3,3", "--im2col"], "leave out --im2col"),
        (
            ["--layer", "conv1", "--at", "3,3,3", "--save", "a.svg", "--json"],
            "leave out --json, --save",
        ),
        (["--example", "stride", "--json"], "leave out --json"),
        (["--model", "mini", "--layer", "conv9"], "there is no layer 'conv9'"),
        (
            ["--model", "mini", "--layer", "dropout1", "--at", "0,0,0"],
            "there is nothing to predict",
        ),
    ],
)
def test_what_asks_nothing_is_refused(argv, words, monkeypatch, capsys):
    code, out, err = ask_command(monkeypatch, capsys, *argv)
    assert (code, out) == (2, "") and err.count("\n") == 1 and words in err


def test_a_line_that_is_no_text_ends_in_no_traceback(monkeypatch, capsys):
    stdin = io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n?\n"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", stdin)
    assert cli.main(["step", "--example", "stride", "--ask"]) == 0
    assert "cannot be read" in capsys.readouterr().out
