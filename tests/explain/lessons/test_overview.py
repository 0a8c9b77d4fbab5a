"""The overview's rows against the trace and the arithmetic they print."""

import json
import math
import re

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.explain import open_lesson
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.pictures import picture
from tinycnn.explain.readers.overview_text import draw_overview
from tinycnn.explain.readers.picture_text import draw_picture
from tinycnn.explain.readers.style import WIDTH, Style
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    LocalResponseNorm,
)


@pytest.fixture(scope="module")
def lesson():
    return open_lesson(model="mini")


def test_formulas_work_out(lesson):
    for row, record in zip(overview.forward_rows(lesson), lesson.trace.records, strict=True):
        formula = re.fullmatch(r"floor\(\((\d+)\+(\d+)-(\d+)\)/(\d+)\)\+1 = (\d+)", row.size)
        if formula:
            size, pad, kernel, stride, result = map(int, formula.groups())
            assert (size + pad - kernel) // stride + 1 == result == record.y.shape[1]
        if row.parameters:
            worked, total = row.parameters.replace(",", "").split(" = ")
            assert eval(worked) == int(total) == sum(p.size for p in record.params.values())


def test_rows_describe_the_trace(lesson):
    for row, record in zip(overview.forward_rows(lesson), lesson.trace.records, strict=True):
        assert (row.lowest, row.highest) == (record.y.min(), record.y.max())
        assert row.zeros == pytest.approx((record.y == 0).mean())
    for row, record in zip(
        overview.backward_rows(lesson), reversed(lesson.backward.records), strict=True
    ):
        gradient = record.grads["W"] if "W" in record.grads else record.dx[0]
        assert row.largest == gradient[row.where]
        assert abs(row.largest) == np.abs(gradient).max()


def test_first_loss_is_near_chance(lesson):
    loss = overview.loss(lesson)
    assert loss.chance == pytest.approx(math.log(1000))
    assert abs(loss.loss - loss.chance) < 0.5
    assert loss.loss == pytest.approx(-math.log(loss.probability), rel=1e-5)


@pytest.mark.parametrize("activation", ["softmax", None, "relu"])
def test_the_loss_is_minus_ln_p_whatever_the_network_ends_in(activation):
    layers = [Flatten(), Dense(4, activation=activation)]
    model = tc.Sequential(layers, (8, 8, 3), rng=3, name="x")
    loss = overview.loss(Lesson(model, picture.load(None, model.input_shape), 1, "", False))
    assert loss.loss == pytest.approx(-math.log(loss.probability), rel=1e-5)
    assert [p for _, p in loss.top] == sorted((p for _, p in loss.top), reverse=True)
    assert sum(p for _, p in loss.top) < 1 + 1e-6


def test_drawn_in_80_columns_with_every_layer(lesson):
    text = "\n".join(draw_overview(lesson, Style.plain()))
    assert max(map(len, text.splitlines())) <= WIDTH
    for record in lesson.trace.records:
        assert text.count(f"\n{record.name} ") == 2  # forward and backward
    assert "means nothing" in text and "CC0" in text
    assert "\x1b" not in text
    assert "\x1b[1m" in "\n".join(draw_overview(lesson, Style(colour=True)))


@pytest.mark.parametrize("name", ["a", "a_rather_long_name"])
@pytest.mark.parametrize("kernel", [3, (5, 3)])
def test_rows_stand_under_their_headings(name, kernel):
    layers = [Conv2D(4, kernel, name=name), Flatten(), Dense(1200), Dense(3, activation="softmax")]
    model = tc.Sequential(layers, (31, 29, 3), name="x")
    seen = picture.load(None, model.input_shape)
    lines = list(draw_overview(Lesson(model, seen, 0, "", False), Style.plain()))
    forward, backward = (i for i, line in enumerate(lines) if line.startswith("layer "))
    row = "\n".join(lines).split("\n")[forward:]
    head = row[0]
    assert row[1].startswith(f"{name} ") and row[1].index("floor") == head.index("output size")
    shape = "29 x 27 x 4" if kernel == 3 else "27 x 27 x 4"
    assert row[1].index(shape) == head.index("feature map")
    if kernel != 3:
        assert row[2].strip().startswith("floor") and row[2].index("floor") == row[1].index("floor")
    for line in lines[backward + 1 : backward + 5]:
        assert line.index("dL/d") == lines[backward].index("gradient")
        assert len(line) == len(lines[backward])


def test_as_data(lesson):
    data = json.loads(json.dumps(overview.to_dict(lesson)))
    assert [row["name"] for row in data["forward"]] == [r.name for r in lesson.trace.records]
    assert data["random"] is True and data["parameters"] == 904_216


def test_formulas_of_other_layers():
    def size(layer, shape):
        return explainer_of(layer).size_formula(shape)

    assert size(Conv2D(2, 3, dilation=2), (9, 9, 1)) == "floor((9+0-(2*2+1))/1)+1 = 5"
    assert size(AveragePool2D((2, 3), ceil_mode=True), (5, 7, 1)) == (
        "ceil((5+0-2)/2)+1 = 3, ceil((7+0-3)/3)+1 = 3"
    )
    assert size(LocalResponseNorm(), (4, 4, 8)) == "as its input"
    assert size(BatchNormalization(), (4, 4, 8)) == "as its input"
    grouped = explainer_of(Conv2D(4, 3, groups=2))
    assert grouped.parameter_formula((9, 9, 6)) == "(3*3*3+1)*4 = 112"
    assert size(Flatten(), (4, 4, 8)) == "4*4*8 = 128"


def test_picture_is_framed_where_asked():
    pixels = np.full((40, 40, 3), 255, np.uint8)
    lines = draw_picture(pixels, ((10, 29), (20, 39)), Style.plain())
    assert len(lines) == 20
    framed = [i for i, line in enumerate(lines) if set(line) & set("┌┐└┘│─")]
    assert framed == list(range(5, 15))
    assert lines[5].index("┌") == 8 + 20 and lines[14].rindex("┘") == 8 + 39
    dot = draw_picture(pixels, ((0, 0), (0, 0)), Style.plain())
    assert dot[0][8] == "□"
    assert any(
        "\x1b[38;2;255;255;255m" in line
        for line in draw_picture(pixels, ((0, 1), (0, 1)), Style(True))
    )


def test_label_out_of_range():
    with pytest.raises(ArgumentError, match=r"label must lie in 0 \.\. 999, got 1000"):
        open_lesson(model="mini", label=1000)
