"""The calculator rule: whatever number is drawn, what is printed of it can be redone by hand."""

import re
from collections import Counter

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from redone import read_level, redo, redo_bound, redo_equations, redo_level
from small_nets import images, whole_net

import tinycnn as tc
from tinycnn.explain import explain, open_lesson
from tinycnn.explain.readers.explanation_text import draw_words
from tinycnn.explain.readers.style import Style
from tinycnn.layers import Conv2D, Dense, Dropout, LocalResponseNorm, MaxPool2D


def mini():
    return open_lesson(model="mini").backward


def mini_in_training():
    return open_lesson(model="mini", training=True, seed=4).backward


def every_layer():
    trace = whole_net(rng=3).trace(images(3, seed=3), training=True, rng=9)
    trace.backward(labels=[2, 0, 2], keep=True)
    return trace


def from_a_gradient():
    trace = whole_net(rng=3, dtype="float64").trace(images(2, seed=3))
    trace.backward(images(2, (5,), seed=8))
    return trace


def large_and_small():
    """Numbers from 1e-9 to 1e9: sums in units, factors of both kinds."""
    layers = [
        Conv2D(
            6,
            (1, 30),
            padding=(0, 15),
            activation="relu",
            name="wide",
            weight_initializer=times(1e4),
        ),
        LocalResponseNorm(size=3, alpha=1e-9, name="norm"),
        MaxPool2D((1, 6), stride=1, name="pool"),
        Conv2D(40, 1, name="small", weight_initializer=times(1e-9)),
        Dropout(0.2, name="drop"),
        Dense(30, name="last", weight_initializer=times(1e-3)),
    ]
    trace = tc.Sequential(layers, (1, 40, 3), rng=1).trace(
        1e4 * images(2, (1, 40, 3)), training=True, rng=1
    )
    trace.backward(labels=[3, 29], keep=True)
    return trace


def times(scale):
    return lambda out, rng: out.__setitem__(..., scale * rng.standard_normal(out.shape))


PASSES = [mini, mini_in_training, every_layer, from_a_gradient, large_and_small]


@pytest.fixture(scope="module", params=PASSES, ids=lambda make: make.__name__)
def trace(request):
    return request.param()


@st.composite
def targets(draw, trace):
    """The name and the place of any number of a pass, and the image."""
    kind = draw(st.sampled_from(["cell", "x", "z", "y", "parameter", "loss"]))
    sample = draw(st.integers(0, len(trace.y) - 1))
    if kind == "loss" and trace.labels is not None:
        return "loss", None, sample
    records = trace.records
    if kind == "parameter":
        records = [record for record in records if record.params]
    if kind == "y":
        records = records[:-1]
    record = draw(st.sampled_from(records))
    part = draw(st.sampled_from(sorted(record.params))) if kind == "parameter" else kind
    shape = (record.x if kind == "x" else record.y).shape[1:]
    shape = record.params[part].shape if kind == "parameter" else shape
    place = draw(st.tuples(*(st.integers(-size, size - 1) for size in shape)))
    name = record.name if kind in ("cell", "loss") else f"{record.name}.{part}"
    return name, place, sample


@settings(max_examples=60)
@given(data=st.data())
def test_every_printed_sum_product_and_equation_can_be_redone(trace, data):
    name, place, sample = data.draw(targets(trace))
    opened = explain(trace, name, place, sample=sample)
    assert opened.ok, opened
    done = redo(str(opened))
    for kind, count in done.items():
        event(kind, count)
    assert done["checks"] == len(opened.checks)
    assert sum(done.values()) > 0 or opened.notes("FROM") or opened.notes("HOW")


def test_the_reader_misses_nothing():
    """All sums, down to the last level, and all products that a weight's gradient prints."""
    done = redo(str(explain(mini(), "conv2.W[1,2,3,4]")))
    # 25 regions, of which one opens to its 6 places; 5 biggest terms, the step, what it should do.
    assert done == Counter(sums=2, products=6, checks=2, equations=7)
    done = redo(str(explain(mini(), "conv2", (3, 4, 5))))
    assert done == Counter(sums=2, products=12, checks=1, equations=2)


# The reader itself: a figure changed in what is printed does not pass.

LEVEL = [
    "3 products:",
    "channel 0  0.50 *  1.20 =  0.600",
    "channel 1  2.00 * -0.10 = -0.200",
    "channel 2  0.10 *  0.10 =  0.010",
    "these 3 add up to 0.410; unrounded 0.411, rounding 0.001",
]


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [(1, "0.600", "0.601"), (2, "-0.10", "0.10"), (3, "0.010", "0.01"), (4, "0.410", "0.411"),
     (4, "0.411", "0.412"), (4, "these 3", "these 4"), (2, "channel 1  ", "what is this ")],
)  # fmt: skip
def test_a_wrong_figure_is_found(line, before, after):
    redo_level(read_level("SUMS", LEVEL), None)
    wrong = list(LEVEL)
    assert before in wrong[line]
    wrong[line] = wrong[line].replace(before, after, 1)
    with pytest.raises((AssertionError, ValueError)):
        redo_level(read_level("SUMS", wrong), None)


def test_a_wrong_equation_and_a_wrong_bound_are_found():
    assert redo_equations("BIAS", "1.3998 + 0.0100 = 1.4098") == 1
    assert redo_equations("LOSS", "0.6428301 + ln 3.946912 - (-0.2538100) = 2.2696 (remark)") == 1
    for heading, text in (
        ("BIAS", "1.3998 + 0.0100 = 1.4099"),
        ("NORM", "2.000000 / 4.000000^0.5 = 1.0001"),
    ):
        with pytest.raises(AssertionError):
            redo_equations(heading, text)
    bound, near = redo_bound("16 terms * 2^-24 * the sum of the terms' sizes, 2.0000", 1.0)
    assert bound == 2.0**-19 and near < 0.1
    with pytest.raises(AssertionError):
        redo_bound("16 apples", 1.0)


def test_colour_changes_no_word():
    for what in ("conv2[5,5,3]", "pool1.x[3,4,5]", "conv1.W[5,5,0,3]", "loss"):
        opened = explain(mini(), what)
        coloured = "\n".join(draw_words(opened, Style(colour=True)))
        assert "\x1b[32magrees\x1b[0m" in coloured and "\x1b[1mCHECK" in coloured
        plain = re.sub(r"\x1b\[[\d;]*m", "", coloured)
        assert plain == "\n".join(draw_words(opened, Style.plain()))
        assert "\x1b" not in str(opened)
