"""One opened convolution cell: the tree is the naive sum, what is printed adds up."""

import json
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn as tc
from tinycnn import ops
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D
from tinycnn.stepthrough import explain, open_lesson
from tinycnn.stepthrough.sums import leaves
from tinycnn.stepthrough.terminal import WIDTH, Style, draw_explanation

ROW = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?|-?\d+")


@pytest.fixture(scope="module")
def lesson():
    return open_lesson(model="mini")


def cells(lesson, name):
    shape = lesson.trace[name].y.shape[1:]
    return st.tuples(*(st.integers(0, size - 1) for size in shape))


@pytest.mark.parametrize("name", ["conv1", "conv2", "conv4"])
def test_tree_is_the_naive_convolution(lesson, name):
    record = lesson.trace[name]
    row, column, f = (size // 2 for size in record.y.shape[1:])
    layer = record.layer
    z = ops.conv2d(
        record.x.astype(np.float64), record.params["W"][..., f : f + 1], record.params["b"][f : f + 1],
        stride=layer.stride, padding=layer.padding,
    )[0, row, column, 0]  # fmt: skip
    opened = lesson.trace.explain(name, at=(row, column, f))
    assert opened.tree.terms == record.params["W"][..., f].size
    assert opened.tree.value + float(record.params["b"][f]) == pytest.approx(z, rel=1e-12)
    assert opened.value == record.y[0, row, column, f]
    assert all(check.ok for check in opened.checks)


@given(data=st.data())
def test_every_printed_sum_adds_up(lesson, data):
    """Parse what a reader sees: every list of numbers equals the total printed below it."""
    name = data.draw(st.sampled_from(["conv1", "conv2", "conv3", "conv5"]))
    text = str(explain(lesson.trace, name, data.draw(cells(lesson, name))))
    assert all(len(line) <= WIDTH for line in text.splitlines())
    body = text[text.index("SUMS") : text.index("BIAS")].splitlines()[1:]
    numbers: list[Decimal] = []
    totals = 0
    for line in body:
        if line.startswith("OPEN"):
            continue
        total = re.search(
            r"these (\d+) add up to (\S+?)(?:; unrounded (\S+), rounding (\S+))?$", line
        )
        if total:
            count, printed, unrounded, gap = total.groups()
            assert len(numbers) == int(count) <= 25
            assert sum(numbers) == Decimal(printed)
            assert Decimal(printed) + Decimal(gap or 0) == Decimal(unrounded or printed)
            numbers, totals = [], totals + 1
        elif "*" in line:
            a, b, value = re.search(r"(\S+) \* +(\S+) = +(\S+)$", line).groups()
            unit = Decimal(1).scaleb(Decimal(value).as_tuple().exponent)
            assert abs(Decimal(a) * Decimal(b) - Decimal(value)) <= Decimal("0.7") * unit
            numbers.append(Decimal(value))
        else:
            line = re.sub(
                r"kernel row \d+|position \(\d+,\d+\)(, padding)?|channels \d+\.\.\d+", "", line
            )
            numbers += map(Decimal, ROW.findall(line))
    assert totals >= 2


def test_first_layer_is_exact(lesson):
    check = explain(lesson.trace, "conv1", (11, 11, 3)).checks[0]
    assert check.bound == 0 and check.difference == 0 and "exact" in check.why


def test_disagreement_is_shown(lesson):
    opened = explain(lesson.trace, "conv2", (5, 5, 3))
    wrong = type(opened.checks[0])("float64", 1.0, 1.5, 1e-6, "planted")
    text = draw_explanation(type(opened)(**{**vars(opened), "checks": (wrong,)}), Style.plain())
    assert not wrong.ok and "DISAGREES" in text


def test_who_reads_the_cell_next(lesson):
    trace = lesson.trace
    winner = trace["pool1"].saved[0]
    i, j = divmod(int(winner[0, 2, 3, 4]), 3)
    lines = explain(trace, "conv1", (4 + i, 6 + j, 4)).next
    assert "pool1 window (2,3): wins" in lines
    other = (4 + (i + 1) % 3, 6 + j)
    assert (
        f"pool1 window (2,3): loses to {4 + i},{6 + j}" in explain(trace, "conv1", (*other, 4)).next
    )
    assert explain(trace, "conv3", (0, 0, 0)).next == ("conv4: rows 0..1, columns 0..1",)


def test_next_of_the_last_layer_a_dense_one_and_a_cell_nobody_reads():
    layers = [Conv2D(2, 2, name="a"), MaxPool2D(2, stride=3, name="b"), Conv2D(1, 1, name="c")]
    model = tc.Sequential(layers, (7, 7, 1))
    trace = model.trace(np.zeros((1, 7, 7, 1)))
    assert explain(trace, "a", (2, 0, 0)).next == (
        "no window of b: its windows do not reach this cell",
    )
    assert explain(trace, "c", (0, 0, 0)).next == ("nobody: it is the network's answer",)
    tail = tc.Sequential([Conv2D(2, 1, name="a"), Dense(9, name="fc")], (3, 3, 1))
    assert explain(tail.trace(np.ones((1, 3, 3, 1))), "a", (0, 0, 0)).next == ("all 9 units of fc",)
    kept = tc.Sequential([Conv2D(2, 1, name="a"), Dropout(name="d")], (3, 3, 1))
    assert explain(kept.trace(np.ones((1, 3, 3, 1))), "a", (1, 2, 0)).next == ("d: (1,2)",)


def test_groups_and_dilation_and_a_second_sample():
    layer = Conv2D(4, (2, 3), dilation=(2, 1), padding=1, groups=2, stride=(1, 2), name="a")
    model = tc.Sequential([layer], (6, 7, 4), dtype="float64")
    x = np.random.default_rng(0).standard_normal((2, 6, 7, 4))
    trace = model.trace(x)
    opened = explain(trace, "a", (0, 1, 3), sample=1)
    assert opened.channels == (2, 3)
    assert opened.tree.value == pytest.approx(float(trace.records[0].z[1, 0, 1, 3]), rel=1e-12)
    assert "what lies outside is padding: 0" in str(opened)
    assert len(products(opened.tree)) == 2 * 3 * 2


def test_negative_places_count_from_the_end(lesson):
    assert explain(lesson.trace, "conv2", (-1, -11, -32)).place == (10, 0, 0)


def test_nan_passes_through():
    model = tc.Sequential([Conv2D(1, 2, activation="relu", name="a")], (3, 3, 1))
    x = np.ones((1, 3, 3, 1))
    x[0, 0, 0] = np.nan
    opened = explain(model.trace(x), "a", (0, 0, 0))
    assert np.isnan(opened.value) and opened.checks[0].ok
    assert "nan" in str(opened)


def test_as_data(lesson):
    data = json.loads(json.dumps(explain(lesson.trace, "conv2", (5, 6, 7)).to_dict()))
    total = sum(
        product["a"] * product["b"]
        for position in data["sum"]["parts"]
        for product in position["parts"]
    )
    assert total == pytest.approx(data["sum"]["value"], rel=1e-12)
    assert data["checks"][0]["ok"] is True


@pytest.mark.parametrize(
    ("name", "at", "error", "match"),
    [
        ("conv9", (0, 0, 0), UnknownNameError, "there is no layer 'conv9'; there are conv1, pool1"),
        ("conv2", (11, 0, 0), UnknownNameError, r"conv2 has rows 0 \.\. 10 .*, got 11"),
        ("conv2", (0, 0, -33), UnknownNameError, r"conv2 has channels 0 \.\. 31"),
        ("conv2", (0, 0), UnknownNameError, "named by row, column, channel, got 2 numbers"),
        ("fc1", (0,), ArgumentError, "fc1 is a Dense; cells of convolutions can be opened: conv1"),
        ("conv2", (0.5, 0, 0), ArgumentError, "row must be an int"),
    ],
)
def test_wrong_names_and_places(lesson, name, at, error, match):
    with pytest.raises(error, match=match):
        explain(lesson.trace, name, at)
