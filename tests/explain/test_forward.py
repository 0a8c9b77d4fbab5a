"""Cells opened forward: each kind of layer, against sums spelled out here in float64."""

import json
import math
import re
from copy import deepcopy

import numpy as np
import pytest
from redone import redo, sound
from small_nets import Scale, Square, images

import tinycnn as tc
from tinycnn.explain import explain, open_lesson
from tinycnn.explain.opening import im2col_row
from tinycnn.explain.values.explanation import Check, Maximum, Notes, ReceptiveField, Step, SumTree
from tinycnn.explain.values.sums import leaves
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)


def opened_cell(layers, x, name, at, *, sample=0, dtype="float32", **options):
    """The trace and an explanation that agrees with itself and can be redone."""
    layers = layers if isinstance(layers, list) else [layers]
    x = np.asarray(x, dtype)
    trace = tc.Sequential(layers, x.shape[1:], dtype=dtype).trace(x, **options)
    opened = explain(trace, name, at, sample=sample)
    assert sound(opened)
    redo(str(opened))
    np.testing.assert_equal(opened.value, float(trace[name].y[(sample, *opened.place)]))
    return trace, opened


def sections(opened, kind):
    return [section for section in opened.sections if isinstance(section, kind)]


def step(opened, name):
    (found,) = (section for section in sections(opened, Step) if section.name == name)
    return found


def padded(x, layer):
    """An image (H, W, C) with the layer's padding around it, and its window."""
    win = layer.window(x.shape)
    edges = ((win.height.before, win.height.after), (win.width.before, win.width.after), (0, 0))
    return np.pad(x.astype(np.float64), edges), win


# -------------------------------------------------------------------------------------- convolution

CONVOLUTIONS = {
    "plain": Conv2D(4, 3, name="a"),
    "strided, padded on one side": Conv2D(3, 2, stride=(2, 3), padding=((1, 0), (0, 2)), name="a"),
    "non-square": Conv2D(2, (2, 4), padding=(1, 2), name="a"),
    "dilated": Conv2D(4, (3, 2), dilation=(2, 3), padding=2, name="a"),
    "grouped": Conv2D(6, 3, groups=3, padding=1, name="a"),
    "one filter a channel": Conv2D(6, (1, 2), groups=6, name="a"),
    "all at once": Conv2D(4, (2, 3), stride=(1, 2), dilation=(2, 1), groups=2, padding=1, name="a"),
    "above 25 positions": Conv2D(2, (5, 7), padding=3, name="a"),
    "one long row": Conv2D(2, (1, 9), padding=(0, 4), name="a"),
}


@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_convolution(kind, activation):
    given = CONVOLUTIONS[kind]
    layer = Conv2D(
        given.filters, given.kernel, stride=given.stride, padding=given.padding,
        dilation=given.dilation, groups=given.groups, activation=activation, name="a",
        bias_initializer=lambda out, rng: out.__setitem__(..., rng.normal(size=out.shape)),
    )  # fmt: skip
    x = images(2, (9, 10, 6), seed=3)
    OH, OW, F = layer.output_shape(x.shape[1:])
    places = [(0, 0, 0), (OH - 1, OW - 1, F - 1), (OH // 2, OW // 2, F // 2)]
    trace = tc.Sequential([layer], x.shape[1:]).trace(x)
    W, b = (trace["a"].params[name].astype(np.float64) for name in "Wb")
    image, win = padded(x[1], layer)
    per_group = 6 // layer.groups
    for row, column, f in places:
        first = f // (F // layer.groups) * per_group
        top, left = row * win.stride[0], column * win.stride[1]
        z = sum(
            image[top + i * win.dilation[0], left + j * win.dilation[1], first + c] * W[i, j, c, f]
            for i in range(win.kernel[0])
            for j in range(win.kernel[1])
            for c in range(per_group)
        )
        opened = explain(trace, "a", (row, column, f), sample=1)
        (tree,) = opened.trees
        assert tree.value == pytest.approx(z, rel=1e-12, abs=1e-12)
        assert step(opened, "BIAS").value == pytest.approx(z + b[f], rel=1e-12, abs=1e-12)
        (check,) = opened.checks
        assert check.ok and check.engine == float(trace["a"].z[1, row, column, f])
        if activation:
            assert step(opened, "RELU").value == pytest.approx(max(z + b[f], 0), abs=1e-12)
            assert step(opened, "RELU").remark == ("passes" if z + b[f] > 0 else "stopped")
        assert opened.value == float(trace["a"].y[1, row, column, f])
        assert f"{win.cells * per_group:,} products" in str(opened)
        assert redo(str(opened))["sums"] >= 1


def test_padding_is_named_and_counts_as_zero():
    _, opened = opened_cell(
        Conv2D(1, 3, padding=1, name="a"), np.ones((1, 4, 5, 2)), "a", (0, 0, 0)
    )
    (tree,) = opened.trees
    outside = [leaf.value for leaf in leaves(tree.parts) if "padding" in leaf.place]
    assert outside == [0.0] * 5
    assert sections(opened, ReceptiveField)[0].lines[:2] == (
        "the input, rows -1..1, columns -1..1, all 2 channels",
        "(what lies outside its 4 x 5 cells is padding)",
    )


def test_the_first_layer_of_a_lesson_is_exact():
    lesson = open_lesson(model="mini")
    opened = explain(lesson.trace, "conv1", (11, 11, 3))
    (check,) = opened.checks
    assert check.bound == check.difference == 0
    assert check.why == "every partial sum is a float32: exact"
    # The same sum in whole numbers: pixels less 128, times weights in 1024ths.
    pixels = lesson.picture.pixels[44:55, 44:55].astype(int) - 128
    W = np.rint(lesson.trace["conv1"].params["W"][..., 3].astype(np.float64) * 1024).astype(int)
    assert check.engine == int((pixels * W).sum()) / 2**17


def test_a_group_sees_its_own_channels():
    x = images(1, (4, 4, 6))
    _, opened = opened_cell(Conv2D(3, 2, groups=3, name="a"), x, "a", (1, 1, 1))
    assert "channels 2..3" in sections(opened, ReceptiveField)[0].lines[0]
    assert {leaf.place for leaf in leaves(opened.trees[0].parts)} == {"channel 2", "channel 3"}
    _, opened = opened_cell(Conv2D(6, 1, groups=6, name="a"), x, "a", (1, 1, 4))
    assert "row 1, column 1, channel 4" in sections(opened, ReceptiveField)[0].lines[0]


def test_nan_and_infinity_pass_through():
    x = np.ones((1, 3, 3, 1))
    for value, shown in ((np.nan, "nan"), (np.inf, "inf")):
        x[0, 0, 0] = value
        layers = [Conv2D(1, 2, activation="relu", name="a", weight_initializer=ones)]
        _, opened = opened_cell(layers, x, "a", (0, 0, 0))
        assert str(opened.value) == shown and shown in str(opened)
        assert opened.checks[0].why == "not a finite number"


def ones(out, rng):
    out[...] = 1


# ------------------------------------------------------------------------------------------- pools


@pytest.mark.parametrize(
    "layer",
    [
        MaxPool2D(3, stride=2, name="a"),
        MaxPool2D((2, 3), stride=1, padding=((1, 0), (0, 1)), name="a"),
        MaxPool2D(2, stride=3, dilation=(3, 2), name="a"),
        MaxPool2D((6, 7), stride=2, padding=2, name="a"),
        MaxPool2D(2, ceil_mode=True, name="a"),
    ],
    ids=repr,
)
def test_max_pool(layer):
    x = images(2, (9, 9, 3), seed=1)
    OH, OW, _ = layer.output_shape(x.shape[1:])
    for row, column in ((0, 0), (OH - 1, OW - 1), (OH // 2, OW // 2)):
        model = MaxPool2D(layer.kernel, stride=layer.stride, padding=layer.padding,
                          dilation=layer.dilation, ceil_mode=layer.ceil_mode, name="a")  # fmt: skip
        _, opened = opened_cell(model, x, "a", (row, column, 2), sample=1)
        win = layer.window(x.shape[1:])
        (window,) = sections(opened, Maximum)
        best, at = -math.inf, None
        for i in range(win.kernel[0]):
            for j in range(win.kernel[1]):
                h = row * win.stride[0] - win.pad_top_left[0] + i * win.dilation[0]
                w = column * win.stride[1] - win.pad_top_left[1] + j * win.dilation[1]
                inside = 0 <= h < 9 and 0 <= w < 9
                assert window.rows[i][j] == (float(x[1, h, w, 2]) if inside else None)
                if inside and x[1, h, w, 2] > best:
                    best, at = float(x[1, h, w, 2]), (i, j, h, w)
        assert opened.value == best == step(opened, "MAX").value
        assert window.argmax == at[:2]
        assert step(opened, "MAX").remark == f"at row {at[2]}, column {at[3]}"
        assert str(opened).count("[") == 1  # the winner
        assert f"the largest of {sum(v is not None for r in window.rows for v in r)}" in str(opened)


@pytest.mark.parametrize(
    "options",
    [{"kernel": 3, "stride": 2}, {"kernel": (2, 3), "stride": 1, "padding": ((1, 0), (0, 1))},
     {"kernel": 2, "stride": 1, "dilation": (3, 2)}],
    ids=str,
)  # fmt: skip
def test_each_candidate_tells_in_which_windows_it_competes(options):
    """All windows gone through one by one, each with its cells, its maximum and its winner."""
    x = images(1, (7, 8, 2), seed=4)
    layer = MaxPool2D(**options, name="a")
    win, held = layer.window(x.shape[1:]), {}
    for r, c in np.ndindex(*win.output):
        top, left = (r, c) * np.array(win.stride) - win.pad_top_left
        down, right = win.dilation
        cells = [(top + i * down, left + j * right) for i, j in np.ndindex(*win.kernel)]
        cells = [(h, w) for h, w in cells if 0 <= h < 7 and 0 <= w < 8]
        winner = max(cells, key=lambda cell: x[0, *cell, 1])
        for cell in cells:
            outcome = "won" if cell == winner else f"lost to {winner[0]},{winner[1]}"
            words = f"window ({r},{c}), {outcome}"
            held.setdefault(cell, {})[words] = float(x[0, *winner, 1]), (r, c, 1)
    for place in ((0, 0, 1), (win.output[0] // 2, win.output[1] // 2, 1)):
        model = MaxPool2D(**options, name="a")
        _, opened = opened_cell(model, x, "a", place)
        (window,) = sections(opened, Maximum)
        for one in (one for row in window.candidates for one in row if one is not None):
            assert one.source.array == "x" and one.value == float(x[0, *one.source.place])
            found = {each.place: (each.value, each.source.place) for each in one.windows}
            assert found == held[one.source.place[:2]]
            assert {each.source.array for each in one.windows} == {"y"}
        data = json.loads(json.dumps(opened.to_dict()))
        (plain,) = (section for section in data["sections"] if section["kind"] == "compares")
        i, j = plain["winner"]
        assert plain["candidates"][i][j]["value"] == plain["rows"][i][j] == opened.value


def test_the_first_of_equal_maxima_wins():
    x = np.array([[1, 7, 2], [7, 0, 7]], float)[None, :, :, None]
    _, opened = opened_cell(MaxPool2D((2, 3), name="a"), x, "a", (0, 0, 0))
    assert sections(opened, Maximum)[0].argmax == (0, 1)
    assert step(opened, "MAX").remark == (
        "at row 0, column 1; 3 are equal: the first in reading order wins"
    )


def test_nan_wins_over_everything():
    x = np.array([[1, np.inf], [np.nan, np.nan]])[None, :, :, None]
    _, opened = opened_cell(MaxPool2D(2, name="a"), x, "a", (0, 0, 0))
    assert sections(opened, Maximum)[0].argmax == (1, 0)
    assert math.isnan(opened.value)
    assert step(opened, "MAX").remark == "at row 1, column 0; NaN wins over everything"


@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("ceil_mode", [True, False])
@pytest.mark.parametrize("stride", [1, 2, (3, 2)])
def test_average_pool(count_include_pad, ceil_mode, stride):
    x = images(2, (6, 7, 2), seed=2)
    options = {
        "kernel": (3, 2), "stride": stride, "padding": ((1, 1), (1, 0)), "ceil_mode": ceil_mode,
        "count_include_pad": count_include_pad,
    }  # fmt: skip
    OH, OW, _ = AveragePool2D(**options).output_shape(x.shape[1:])
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    for row in range(OH):
        for column in {0, OW // 2, OW - 1}:
            _, opened = opened_cell(
                AveragePool2D(**options, name="a"), x, "a", (row, column, 1), sample=1
            )
            cells, counted = [], 0
            for h in range(row * sh - 1, row * sh + 2):
                for w in range(column * sw - 1, column * sw + 1):
                    inside = 0 <= h < 6 and 0 <= w < 7
                    # The image with its padding ends at row 6 and column 6: what a window in ceil
                    # mode has behind that is nothing at all.
                    counted += inside or (count_include_pad and h <= 6 and w <= 6)
                    cells += [float(x[1, h, w, 1])] if inside else []
            assert step(opened, "MEAN").value == pytest.approx(sum(cells) / counted, rel=1e-12)
            assert step(opened, "MEAN").arithmetic.endswith(f" / {counted}")
            assert opened.trees[0].terms == len(cells)
            padding = counted - len(cells)
            one = padding == 1
            words = f"{padding} more {'is' if one else 'are'} padding and count{'s' * one} as 0"
            assert (words in str(opened)) == (padding > 0)


# --------------------------------------------------------------------------------- dense and softmax


@pytest.mark.parametrize("shape", [(7,), (60,), (3, 4, 2), (6, 7, 5), (1, 30, 1)])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_dense(shape, activation):
    layer = Dense(
        3, activation=activation, name="a",
        bias_initializer=lambda out, rng: out.__setitem__(..., [0.5, -2, 1e-3]),
    )  # fmt: skip
    x = images(2, shape, seed=4)
    trace = tc.Sequential([layer], shape).trace(x)
    W, b = (trace["a"].params[name].astype(np.float64) for name in "Wb")
    for unit in range(3):
        flat = [float(value) for value in x[1].ravel()]
        z = math.fsum(value * W[d, unit] for d, value in enumerate(flat))
        opened = explain(trace, "a", (unit,), sample=1)
        assert opened.ok and redo(str(opened))["sums"] >= 1
        assert opened.trees[0].value == pytest.approx(z, rel=1e-12)
        assert opened.trees[0].terms == len(flat)
        assert step(opened, "BIAS").value == pytest.approx(z + b[unit], rel=1e-12)
        if activation:
            assert step(opened, "RELU").value == pytest.approx(max(z + b[unit], 0))
        biggest = max(range(len(flat)), key=lambda d: abs(flat[d] * W[d, unit]))
        if len(flat) > 25:
            at = np.unravel_index(biggest, shape)
            place = (
                f"cell ({at[0]},{at[1]}), channel {at[2]}" if len(shape) == 3 else f"unit {at[0]}"
            )
            assert opened.notes("BIGGEST")[0].startswith(f"{place}: ")
        else:
            assert opened.notes("BIGGEST") == ()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("classes", [2, 40])
@pytest.mark.parametrize("layer", [Softmax, Dense])
def test_softmax(layer, classes, scale):
    z = scale * images(2, (classes,), seed=5)
    if layer is Dense:
        eye = lambda out, rng: out.__setitem__(..., np.eye(*out.shape))  # noqa: E731
        layers = [Dense(classes, activation="softmax", weight_initializer=eye, name="a")]
    else:
        layers = [Softmax(name="a")]
    trace = tc.Sequential(layers, (classes,)).trace(z)
    wide = z[1].astype(np.float64)
    for k in {0, classes - 1, int(wide.argmax())}:
        opened = explain(trace, "a", (k,), sample=1)
        assert opened.ok, opened
        redo(str(opened))
        tree = opened.trees[-1]
        exponentials = [math.exp(value - wide.max()) for value in wide]
        assert [leaf.value for leaf in leaves(tree.parts)] == pytest.approx(exponentials, rel=1e-12)
        p = 1 / math.fsum(math.exp(value - wide[k]) for value in wide)
        assert step(opened, "SOFTMAX").value == pytest.approx(p, rel=1e-12)
        assert opened.checks[-1].engine == opened.value


def test_softmax_over_the_channels_of_a_map():
    x = images(2, (3, 2, 4))
    _, opened = opened_cell(Softmax(name="a"), x, "a", (2, 1, 3), sample=1)
    row = x[1, 2, 1].astype(np.float64)
    p = math.exp(row[3]) / sum(math.exp(value) for value in row)
    assert step(opened, "SOFTMAX").value == pytest.approx(p)
    assert (
        sections(opened, ReceptiveField)[0].lines[0] == "the input, row 2, column 1, all 4 channels"
    )


# ------------------------------------------------------------------------------------ cell by cell


@pytest.mark.parametrize(
    ("value", "words"), [(0.25, "passes"), (-0.25, "stopped"), (0.0, "stopped"), (np.nan, "passes")]
)
def test_relu(value, words):
    x = np.full((1, 2, 2, 1), value)
    _, opened = opened_cell(ReLU(name="a"), x, "a", (1, 1, 0))
    found = step(opened, "RELU")
    assert found.remark == words
    np.testing.assert_equal(found.value, value if value != value else max(value, 0.0))


@pytest.mark.parametrize("rate", [0.5, 0.25, 0.3, 0.0])
def test_dropout_in_training_names_the_mask(rate):
    x = images(3, (20,))
    layers = [ReLU(name="r"), Dropout(rate, name="a")]
    trace = tc.Sequential(layers, (20,)).trace(x, training=True, rng=77, first_sample=5)
    mask = trace["a"].saved
    seen = set()
    for unit in range(20):
        kept, value = bool(mask[2, unit]), max(float(x[2, unit]), 0.0)
        opened = explain(trace, "a", (unit,), sample=2)
        assert opened.ok
        redo(str(opened))
        found = step(opened, "DROPOUT")
        assert found.value == pytest.approx(value / (1 - rate) if kept else 0.0, rel=1e-12)
        words = f"kept, and scaled up by 1 / (1 - {rate:g})" if kept else "dropped"
        assert found.remark == f"{words}; mask of key 77, layer 1, sample 7"
        seen.add(kept)
    assert seen == ({True, False} if rate else {True})


def test_dropout_off_passes_everything():
    x = images(1, (2, 2, 1))
    _, opened = opened_cell(Dropout(0.5, name="a"), x, "a", (1, 0, 0))
    assert opened.value == float(x[0, 1, 0, 0])
    assert step(opened, "DROPOUT").remark == "dropout is off: every cell passes"
    assert opened.checks[0].bound == 0


@pytest.mark.parametrize("alpha_over_size", [True, False])
@pytest.mark.parametrize("channel", [0, 1, 4, 6])
@pytest.mark.parametrize("size", [1, 5])
def test_local_response_norm(alpha_over_size, channel, size):
    x = images(2, (2, 3, 7), seed=6)
    options = {"size": size, "alpha": 0.7, "beta": 0.75, "k": 1.5}
    layer = LocalResponseNorm(**options, alpha_over_size=alpha_over_size, name="a")
    _, opened = opened_cell(layer, x, "a", (1, 2, channel), sample=1)
    near = range(max(0, channel - size // 2), min(6, channel + size // 2) + 1)
    squares = sum(float(x[1, 1, 2, c]) ** 2 for c in near)
    s = 1.5 + (0.7 / size if alpha_over_size else 0.7) * squares
    assert opened.trees[0].value == pytest.approx(squares, rel=1e-12)
    assert [leaf.place for leaf in leaves(opened.trees[0].parts)] == [f"channel {c}" for c in near]
    assert step(opened, "S").value == pytest.approx(s, rel=1e-12)
    assert step(opened, "NORM").value == pytest.approx(
        float(x[1, 1, 2, channel]) * s**-0.75, rel=1e-12
    )
    if size > 1:
        dialect = "alpha / n = 0.7 / 5" if alpha_over_size else "alpha = 0.7, not divided by n"
        assert step(opened, "S").remark == dialect
        outside = size - len(near)
        assert (f"; {outside} more would lie outside" in str(opened)) == (outside > 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "at"), [((2, 3, 4), (1, 2, 3)), ((5,), (2,))])
def test_batch_normalization_in_training(dtype, shape, at):
    x = 3 + images(6, shape, seed=6)
    layer = BatchNormalization(epsilon=0.1, name="a")
    trace, opened = opened_cell(layer, x, "a", at, sample=4, dtype=dtype, training=True)
    own = [float(value) for value in trace.x[..., at[-1]].ravel()]
    mean = math.fsum(own) / len(own)
    variance = math.fsum((value - mean) ** 2 for value in own) / len(own)
    assert [leaf.value for leaf in leaves(opened.trees[0].parts)] == own
    squares = [(value - mean) ** 2 for value in own]
    assert [leaf.value for leaf in leaves(opened.trees[1].parts)] == pytest.approx(squares)
    assert step(opened, "MEAN").value == pytest.approx(mean, rel=1e-12)
    assert step(opened, "VAR").value == pytest.approx(variance, rel=1e-12)
    xhat = (float(trace.x[(4, *at)]) - mean) / math.sqrt(variance + 0.1)
    assert step(opened, "XHAT").value == pytest.approx(xhat, rel=1e-9)
    sees = sections(opened, ReceptiveField)[0]
    if len(shape) == 3:
        assert sees.lines[0] == "the input, rows 0..1, columns 0..2, channel 3, of all 6 images"
        assert sees.field == ((0, 1), (0, 2))


def test_batch_normalization_in_inference():
    x = images(2, (2, 3, 4), seed=6)
    model = tc.Sequential([BatchNormalization(name="a"), ReLU(name="r")], (2, 3, 4))
    with model.edit() as parameters:
        parameters["a.gamma"], parameters["a.beta"] = [1, 2, 3, 4], [5, 6, 7, 8]
    model.update_state({"a.mean": [0.5, 1, 1.5, 2], "a.variance": [1, 4, 9, 16]})
    opened = explain(model.trace(x), "a", (1, 2, 3), sample=1)
    assert opened.ok
    redo(str(opened))
    xhat = (float(x[1, 1, 2, 3]) - 2) / math.sqrt(16.001)
    assert step(opened, "XHAT").value == pytest.approx(xhat, rel=1e-6)
    assert opened.trees[-1].value == pytest.approx(4 * xhat + 8, rel=1e-6)
    assert sections(opened, ReceptiveField)[0].lines == (
        "the input, row 1, column 2, channel 3", "in the input: row 1, column 2 (1 cell)",
    )  # fmt: skip


def test_who_reads_what_a_batch_normalization_reads():
    model = tc.Sequential([ReLU(name="r"), BatchNormalization(name="a")], (2, 3, 4))
    for training, words in (
        (False, "a: (1,2)"),
        (True, "a: all of channel 3, through its mean and variance"),
    ):
        trace = model.trace(images(2, (2, 3, 4)), training=training)
        assert explain(trace, "r", (1, 2, 3)).notes("NEXT") == (words,)


@pytest.mark.parametrize(
    ("scale", "k", "beta", "words"),
    [
        (
            1.0,
            2.0,
            0.75,
            "LRN does nothing here but divide by 2^0.75 = 1.6818: the squares hardly add to k",
        ),
        (1.0, 1.0, 0.75, "LRN does nothing here: the squares hardly add to k"),
        (1.0, 5.0, 0.0, "LRN does nothing here: the squares hardly add to k"),
        (100.0, 2.0, 0.75, ""),
        (1.0, 0.0, 0.75, ""),
    ],
)
def test_local_response_norm_says_where_it_does_nothing(scale, k, beta, words):
    """By default alpha is 1e-4: squares near 1 add nothing to k = 2, those near 10,000 do."""
    x = scale * np.array([1.0, 2, -1, 0.5]).reshape(1, 1, 1, 4)
    layer = LocalResponseNorm(size=3, alpha=1e-4, beta=beta, k=k, name="a")
    _, opened = opened_cell(layer, x, "a", (0, 0, 1))
    assert step(opened, "NORM").remark == words


def test_local_response_norm_of_nothing_by_nothing():
    """k = 0 and no squares: 0 / 0^0.75 is NaN, no error of Python's."""
    layer = LocalResponseNorm(size=3, alpha=1.0, beta=0.75, k=0.0, name="a")
    with np.errstate(all="ignore"):  # where kernels are not compiled, NumPy would warn
        _, opened = opened_cell(layer, np.zeros((1, 1, 1, 4)), "a", (0, 0, 1))
    assert math.isnan(opened.value)


def test_flatten():
    x = images(2, (3, 4, 5))
    for unit, cell in ((0, (0, 0, 0)), (59, (2, 3, 4)), (27, (1, 1, 2))):
        _, opened = opened_cell(Flatten(name="a"), x, "a", (unit,), sample=1)
        assert opened.value == float(x[(1, *cell)])
        assert step(opened, "FLATTEN").arithmetic == f"x[{cell[0]},{cell[1]},{cell[2]}]"


@pytest.mark.parametrize("own", [Scale, Square])
def test_a_layer_of_ones_own_says_what_cannot_be_opened(own):
    layers = [Conv2D(3, 2, name="a"), own(name="mine"), Conv2D(2, 1, name="b")]
    x = images(1, (4, 4, 1))
    trace, opened = opened_cell(layers, x, "mine", (1, 2, 0))
    assert opened.notes("HOW") == (
        "mine is a layer of your own: its arithmetic cannot be opened from outside",
    )
    # What it reads is not known, so it may be everything.
    assert (
        sections(opened, ReceptiveField)[0].lines[0] == "a, rows 0..2, columns 0..2, all 3 channels"
    )
    assert opened.checks == ()
    # Its neighbours open as ever, and do not claim to know which of its cells read theirs.
    assert explain(trace, "a", (1, 2, 0)).notes("NEXT") == ("mine",)
    assert explain(trace, "b", (1, 2, 0)).ok


def test_a_name_that_fills_the_line_leaves_the_number_whole():
    for length in (60, 66, 67, 90):
        model = tc.Sequential([ReLU(name="x" * length)], (2,))
        lines = str(explain(model.trace(np.ones((1, 2))), "x" * length, (1,))).splitlines()
        assert " ".join(lines[:2]).split() == ["x" * length + ",", "unit", "1", "1.0000"]
        assert [len(line) for line in lines[:2]] == ([80, 0] if length < 66 else [length + 8, 80])


# ---------------------------------------------------------------------------------------- who reads


def test_who_reads_a_cell_next():
    trace = open_lesson(model="mini").trace
    winner = trace["pool1"].saved[0]
    i, j = divmod(int(winner[0, 2, 3, 4]), 3)
    lines = explain(trace, "conv1", (4 + i, 6 + j, 4)).notes("NEXT")
    assert "pool1 window (2,3): wins" in lines
    other = (4 + (i + 1) % 3, 6 + j, 4)
    assert f"pool1 window (2,3): loses to {4 + i},{6 + j}" in explain(trace, "conv1", other).notes(
        "NEXT"
    )
    assert explain(trace, "conv3", (0, 0, 0)).notes("NEXT") == ("conv4: rows 0..1, columns 0..1",)
    assert explain(trace, "pool3", (0, 0, 0)).notes("NEXT") == ("dropout1: (0,0)",)
    assert explain(trace, "dropout1", (0, 0, 0)).notes("NEXT") == ("all 512 units of fc1",)
    assert explain(trace, "fc1", (0,)).notes("NEXT") == ("dropout2",)
    assert explain(trace, "fc3", (0,)).notes("NEXT") == ("nobody: it is the network's answer",)


def test_a_cell_that_nobody_reads():
    layers = [
        Conv2D(2, 2, name="a"),
        MaxPool2D(2, stride=3, name="b"),
        Conv2D(1, 1, stride=2, name="c"),
    ]
    trace = tc.Sequential(layers, (7, 7, 1)).trace(np.zeros((1, 7, 7, 1)))
    reached = "its windows do not reach this cell"
    assert explain(trace, "a", (2, 0, 0)).notes("NEXT") == (f"no window of b: {reached}",)
    assert explain(trace, "b", (1, 0, 0)).notes("NEXT") == (f"no window of c: {reached}",)


def test_the_window_and_its_field_in_the_picture():
    trace = open_lesson(model="mini").trace
    (sees,) = sections(explain(trace, "conv2", (5, 6, 7)), ReceptiveField)
    # pool1 rows 3..7 see conv1 rows 6..16, and those the picture's rows 24..74.
    assert sees.field == ((24, 74), (32, 82))
    assert sees.lines == (
        "pool1, rows 3..7, columns 4..8, all 12 channels",
        "in the picture: rows 24..74, columns 32..82 (51 x 51 pixels)",
    )
    assert "┌" in str(explain(trace, "conv2", (5, 6, 7)))
    (sees,) = sections(explain(trace, "fc1", (5,)), ReceptiveField)
    assert sees == ReceptiveField(("dropout1, all 2 x 2 x 32 cells",), None)


def test_an_input_that_is_no_picture_is_not_called_one():
    _, opened = opened_cell(Conv2D(2, 2, name="a"), images(1, (4, 4, 5)), "a", (1, 2, 1))
    assert opened.picture is None
    assert (
        sections(opened, ReceptiveField)[0].lines[1]
        == "in the input: rows 1..2, columns 2..3 (2 x 2 cells)"
    )
    _, opened = opened_cell(ReLU(name="a"), images(1, (4, 4, 1)), "a", (1, 2, 0))
    assert (
        sections(opened, ReceptiveField)[0].lines[1] == "in the picture: row 1, column 2 (1 pixel)"
    )
    assert opened.picture.dtype == np.uint8 and opened.picture.shape == (4, 4, 1)


def test_pixels_are_shown_as_they_were():
    lesson = open_lesson(model="mini")
    np.testing.assert_array_equal(
        explain(lesson.trace, "conv1", (0, 0, 0)).picture, lesson.picture.pixels
    )


# --------------------------------------------------------------------------------------- im2col, loss


@pytest.mark.parametrize("groups", [1, 2])
def test_a_row_of_im2col(groups):
    layer = Conv2D(4, (2, 3), stride=(2, 1), padding=1, dilation=(1, 2), groups=groups, name="a")
    x = images(2, (6, 7, 4), seed=8)
    trace = tc.Sequential([layer], x.shape[1:]).trace(x)
    image, _ = padded(x[1], layer)
    opened = im2col_row(trace, "a", (2, -1), sample=1)
    OH, OW, _ = layer.output_shape(x.shape[1:])
    assert opened.place == (2, OW - 1) and opened.value == 2 * OW + OW - 1
    words = " ".join(opened.notes("ROW"))
    assert f"row {3 * OW - 1} (= 2 * {OW} + {OW - 1}) of a matrix of {OH * OW} rows" in words
    assert "24 columns, one for each of the 2 x 3 x 4 cells" in words
    assert f"{24 // groups} x 4" in words and ("its group alone" in words) == (groups > 1)
    for i, line in enumerate(opened.notes("HOLDS")):
        head, shown = line.split(": ")
        assert head == f"columns {12 * i}..{12 * i + 11}, kernel row {i}"
        cells = image[4 + i, [OW - 1, OW + 1, OW + 3]].ravel()
        np.testing.assert_allclose([float(text) for text in shown.split()], cells, rtol=1e-4)
    assert max(map(len, str(opened).splitlines())) <= 80


def test_a_long_row_of_im2col_is_cut_and_says_so():
    trace = open_lesson(model="mini").trace
    opened = im2col_row(trace, "conv2", (0, 0))
    assert len(opened.notes("HOLDS")) == 5
    assert opened.notes("HOLDS")[4].endswith(" ... 27 more")
    assert max(map(len, str(opened).splitlines())) <= 80


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("N", [1, 3])
@pytest.mark.parametrize(
    "last",
    [[Dense(6, activation="softmax")], [Dense(6), Softmax()], [Dense(6)]],
    ids=["softmax in the layer", "softmax layer", "logits"],
)
def test_loss(last, N, dtype):
    layers = deepcopy(last)
    model = tc.Sequential(layers, (4,), dtype=dtype)
    trace = model.trace(images(N, (4,), dtype=dtype))
    labels = [4, 0, 2][:N]
    trace.backward(labels=labels)
    z = trace[layers[0].name].z.astype(np.float64)
    losses = [
        math.log(sum(math.exp(value) for value in row)) - row[label]
        for row, label in zip(z, labels, strict=True)
    ]
    for sample in range(N):
        opened = explain(trace, "loss", sample=sample)
        assert opened.ok
        assert redo(str(opened))["equations"] >= 4
        assert (
            opened.value == step(opened, "LOSS").value == pytest.approx(losses[sample], rel=1e-12)
        )
        rank = 1 + sum(value > z[sample][labels[sample]] for value in z[sample])
        assert f"the label's logit is number {rank} of 6" in str(opened)
        assert f"ln 6 = {math.log(6):.4f}" in str(opened)
        (check,) = opened.checks
        assert check.engine == trace.loss
        assert check.reference == pytest.approx(sum(losses) / N, rel=1e-12)


@pytest.mark.parametrize(
    ("classes", "scale", "near"), [(50, 0.1, True), (4, 3.0, False), (50, 9, False)]
)
def test_the_series_for_random_logits_is_given_where_it_holds(classes, scale, near):
    z = scale * images(1, (classes,))
    opened = explain_loss(tc.Sequential([Softmax()], (classes,)), z)
    words = " ".join(opened.notes("CHANCE"))
    formula = math.log(classes) + z.std() ** 2 / 2
    assert float(re.search(r"\^2 / 2 = ([\d.e+]+)", words)[1]) == pytest.approx(formula, rel=1e-4)
    assert ("or nearly ln" in words, "is too much" in words) == (near, not near)
    assert redo(str(opened))["equations"] >= 4


def test_loss_of_logits_that_are_too_wide_says_so():
    model = tc.Sequential([Softmax()], (50,))
    wide, narrow = (explain_loss(model, scale * images(1, (50,))) for scale in (20, 0.1))
    assert any("so wide at the start" in line for line in wide.notes("CHANCE"))
    assert not any("so wide at the start" in line for line in narrow.notes("CHANCE"))
    assert abs(narrow.value - math.log(50)) < 0.2


def explain_loss(model, x):
    trace = model.trace(x)
    trace.backward(labels=[3])
    return explain(trace, "loss")


def test_loss_where_the_probability_is_nothing_in_float64():
    opened = explain_loss(tc.Sequential([Softmax()], (4,)), [[900.0, 0, 0, -1]])
    assert opened.value == pytest.approx(901) and opened.ok
    assert opened.notes("SAME AS") == (
        "-ln p[3]; but p[3] is 0 in float64, so the logits are used",
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("gap", [-1000.0, -30.0, 1e-3, 3.0, 6.0, 9.0, 15.0, 40.0, 90.0, 200.0])
@pytest.mark.parametrize("offset", [0.0, 1234.0])
def test_loss_of_every_size(gap, offset, dtype):
    """From a network that is sure and right to one that is sure and wrong."""
    model = tc.Sequential([Softmax()], (3,), dtype=dtype)
    z = np.array([[offset + gap, offset, offset - 2]], dtype)
    trace = model.trace(z)
    trace.backward(labels=[0])
    opened = explain(trace, "loss")
    assert opened.ok
    redo(str(opened))
    wide = z[0].astype(np.float64)
    gap = wide[0] - wide[1]
    others = math.exp(-gap) + math.exp(-gap - 2) if gap > 0 else math.exp(gap) + math.exp(-2)
    assert opened.value == pytest.approx(math.log1p(others) - min(gap, 0), rel=1e-12)
    for k in range(3):
        cell = explain(trace, "softmax1", (k,))
        assert cell.ok
        redo(str(cell))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_loss_of_logits_that_are_no_numbers(wrong):
    for label in (0, 1):
        trace = tc.Sequential([Softmax()], (3,)).trace([[wrong, 1, 2]])
        trace.backward(labels=[label])
        opened = explain(trace, "loss")
        assert sound(opened), opened
        assert sound(explain(trace, "softmax1", (label,)))
        if (wrong, label) == (-np.inf, 1):
            assert opened.value == pytest.approx(math.log1p(math.exp(-1)) + 1)
            assert opened.notes("CHANCE")[1:] == ("of the 3 logits, 1 is not finite",)
        else:  # no sum on the way says anything
            kinds = [getattr(section, "heading", "CHECK") for section in opened.sections]
            assert kinds == ["CHECK", "BEGINS"]


def test_loss_of_a_single_class():
    trace = tc.Sequential([Softmax()], (1,)).trace([[-0.25]])
    trace.backward(labels=[0])
    opened = explain(trace, "loss")
    assert opened.value == 0 and opened.ok
    assert opened.notes("SAME AS") == ("-ln p[0]; but p[0] is 1, so the logits are used",)
    assert "exp(s^2)" not in " ".join(opened.notes("CHANCE"))
    redo(str(opened))


# --------------------------------------------------------------------------------------- as a value


def test_an_explanation_as_data():
    lesson = open_lesson(model="mini")
    data = json.loads(json.dumps(explain(lesson.trace, "conv2", (5, 6, 7)).to_dict()))
    assert data["ok"] is True and data["place"] == [5, 6, 7]
    kinds = [section["kind"] for section in data["sections"]]
    assert kinds == ["sees", "adds", "step", "step", "check", "notes"]
    total = sum(
        product["a"] * product["b"]
        for position in data["sections"][1]["sum"]["parts"]
        for product in position["parts"]
    )
    assert total == pytest.approx(data["sections"][1]["sum"]["value"], rel=1e-12)
    assert data["sections"][1]["sum"]["terms"] == 5 * 5 * 12
    assert data["sections"][4]["ok"] is True and data["sections"][4]["difference"] >= 0


def test_a_disagreement_is_shown_and_counts():
    opened = explain(open_lesson(model="mini").trace, "conv2", (5, 5, 3))
    wrong = Check("float64", 1.0, 1.5, 1e-6, "planted")
    false = type(opened)(**{**vars(opened), "sections": (*opened.sections, wrong)})
    assert opened.ok and not wrong.ok and not false.ok
    assert "DISAGREES" in str(false) and "DISAGREES" not in str(opened)
    assert false.to_dict()["ok"] is False


def test_notes_of_a_heading_that_is_not_there_are_none():
    opened = explain(open_lesson(model="mini").trace, "conv2", (5, 5, 3))
    assert opened.notes("NEXT") and opened.notes("LAST") == ()
    assert isinstance(sections(opened, Notes)[0].lines, tuple)


# ------------------------------------------------------------------------------ a picture's channels


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_s_channels_are_red_green_and_blue(channels):
    """Of the first layer alone, and only where there are three."""
    layers = [
        Conv2D(3, 2, name="a"),
        Conv2D(2, 2, name="b"),
        Dense(2, name="c", activation="softmax"),
    ]
    trace = tc.Sequential(layers, (4, 4, channels), rng=0).trace(images(1, (4, 4, channels)))
    trace.backward(labels=[0])
    names = ["red", "green", "blue"] if channels == 3 else [f"channel {c}" for c in range(channels)]
    opened = explain(trace, "a", (1, 1, 2))
    assert [part.place for part in opened.trees[0].parts[0].parts] == names
    for c, name in enumerate(names):
        assert explain(trace, "a.x", (1, 2, c)).subject == f"dL/dx of a, row 1, column 2, {name}"
        heading = sections(explain(trace, f"a.W[0,0,{c},1]"), SumTree)[0].heading
        assert heading.endswith(f"x[i,j,{name.removeprefix('channel ')}]:")
    inner = explain(trace, "b", (1, 1, 1))
    assert [part.place for part in inner.trees[0].parts[0].parts] == [
        f"channel {c}" for c in range(3)
    ]
    assert explain(trace, "b.x", (1, 1, 2)).subject.endswith("channel 2")


@pytest.mark.parametrize(
    "layer",
    [
        MaxPool2D(2, name="a"),
        AveragePool2D(2, name="a"),
        LocalResponseNorm(size=3, name="a"),
        Dense(2, name="a"),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_other_first_layers_name_colours_too(layer):
    trace = tc.Sequential([layer, Dense(2, activation="softmax", name="c")], (4, 4, 3)).trace(
        images(1, (4, 4, 3))
    )
    trace.backward(labels=[0])
    place = (1,) if isinstance(layer, Dense) else (1, 1, 2)
    text = str(explain(trace, "a", place))
    assert "blue" in text and "channel 2" not in text.partition("\n")[2]
    redo(text)
    redo(str(explain(trace, "a.x", (1, 1, 2))))
