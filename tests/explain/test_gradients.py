"""Gradients opened: every kind, against differences of a loss worked out in plain NumPy."""

import re
from copy import deepcopy

import numpy as np
import pytest
from plain_network import objective, slope
from redone import redo, sound
from small_nets import Scale, images, whole_net

import tinycnn as tc
from tinycnn.explain import explain
from tinycnn.explain.values.explanation import Funnel, ReceptiveField, Step, only
from tinycnn.explain.values.sums import leaves
from tinycnn.layers import (
    RELU,
    SOFTMAX,
    Activation,
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)


def traced(layers, x, *, dtype="float32", labels=None, dy=None, seed=1, **options):
    """A pass forward and backward; dy is drawn where there are no labels."""
    x = np.asarray(x, dtype)
    model = tc.Sequential(deepcopy(layers), x.shape[1:], dtype=dtype, rng=seed)
    trace = model.trace(x, **options)
    if labels is None and dy is None:
        dy = np.random.default_rng(7).standard_normal(trace.y.shape)
    trace.backward(dy=dy, labels=labels, keep=True)
    return trace


def places(shape, count=4, seed=0):
    """The first place, the last, and some between."""
    rng = np.random.default_rng(seed)
    drawn = [tuple(int(rng.integers(size)) for size in shape) for _ in range(count)]
    return {(0,) * len(shape), tuple(size - 1 for size in shape), *drawn}


def opened_rightly(trace, what, at, expected, largest, *, sample=0):
    """An explanation whose value is the expected slope, which agrees, and whose sums can be redone."""
    opened = explain(trace, what, at, sample=sample)
    assert opened.ok, opened
    assert abs(opened.value - expected) <= 1e-5 * largest + 1e-8, opened
    if opened.trees:
        tree = opened.trees[-1]
        assert abs(tree.value - opened.value) <= 2e-6 * largest
        assert (opened.value == 0) == bool(opened.notes("WHY 0"))
    redo(str(opened))
    return opened


def every_gradient(trace, count=4):
    """Open the input's gradient, that of each parameter, and of what is before each activation."""
    largest = float(np.abs(trace.records[0].dx).max())
    for sample in range(len(trace.x)):
        for place in places(trace.x.shape[1:], count):
            expected = slope(trace, "x", (sample, *place))
            opened_rightly(
                trace, f"{trace.records[0].name}.x", place, expected, largest, sample=sample
            )
    for record in trace.records:
        for name, gradient in record.grads.items():
            largest = float(np.abs(gradient).max())
            for place in places(gradient.shape, count):
                expected = slope(trace, f"{record.name}.{name}", place)
                opened_rightly(trace, f"{record.name}.{name}", place, expected, largest)


# ---------------------------------------------------------------------------------- kind by kind

KINDS = {
    "conv": lambda: [Conv2D(3, 3, name="a")],
    "conv, strided, padded, dilated": lambda: [
        Conv2D(3, (2, 3), stride=(2, 1), padding=((1, 0), (2, 1)), dilation=(1, 2), name="a")
    ],
    "conv, grouped, relu": lambda: [Conv2D(4, 2, groups=2, activation="relu", name="a")],
    "max-pool": lambda: [MaxPool2D(3, stride=2, name="a")],
    "max-pool, padded, dilated": lambda: [
        MaxPool2D((2, 3), stride=1, padding=1, dilation=(2, 1), name="a")
    ],
    "max-pool, more than 25 windows": lambda: [MaxPool2D(6, stride=1, padding=3, name="a")],
    "average pool": lambda: [AveragePool2D(3, stride=1, padding=1, name="a")],
    "average pool, own cells alone": lambda: [
        AveragePool2D((2, 3), stride=(2, 1), padding=((0, 1), (1, 1)), ceil_mode=True,
                      count_include_pad=False, name="a")
    ],
    "dense of an image": lambda: [Dense(5, name="a")],
    "dense, relu": lambda: [Flatten(name="f"), Dense(30, activation="relu", name="a")],
    "dense, softmax": lambda: [Dense(4, activation="softmax", name="a")],
    "relu": lambda: [ReLU(name="a")],
    "softmax": lambda: [Softmax(name="a")],
    "lrn": lambda: [LocalResponseNorm(size=3, alpha=0.3, beta=0.6, k=1.1, name="a")],
    "lrn, over size": lambda: [LocalResponseNorm(alpha=2.0, alpha_over_size=True, name="a")],
    "batch norm": lambda: [BatchNormalization(name="a")],
    "batch norm after relu": lambda: [
        Conv2D(3, 3, activation="relu", name="c"), BatchNormalization(epsilon=0.1, name="a")
    ],
    "batch norm of rows": lambda: [Flatten(name="f"), BatchNormalization(epsilon=0.5, name="a")],
    "flatten": lambda: [Flatten(name="a")],
    "dropout": lambda: [Dropout(0.3, name="a")],
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_layer_from_a_gradient_that_is_given(kind, dtype):
    x = images(2, (7, 6, 4), seed=5)
    trace = traced(KINDS[kind](), x, dtype=dtype, training=True, rng=3)
    every_gradient(trace)


@pytest.mark.parametrize(
    "kind", ["conv, grouped, relu", "max-pool", "lrn", "batch norm", "average pool", "dropout"]
)
@pytest.mark.parametrize("end", ["softmax", "softmax layer", "logits", "relu"])
def test_each_kind_of_end_from_labels(kind, end):
    last = {
        "softmax": lambda: [Dense(4, activation="softmax", name="z")],
        "softmax layer": lambda: [Dense(4, name="z"), Softmax(name="p")],
        "logits": lambda: [Dense(4, name="z")],
        "relu": lambda: [Dense(4, activation="relu", name="z")],
    }[end]()
    trace = traced([*KINDS[kind](), *last], images(3, (7, 6, 4), seed=9), labels=[3, 0, 3])
    every_gradient(trace, count=2)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("labels", [True, False])
def test_a_network_of_every_layer(training, labels):
    model = whole_net(rng=2)
    trace = model.trace(images(3, seed=1), training=training, rng=11)
    dy = np.random.default_rng(0).standard_normal(trace.y.shape)
    trace.backward(**({"labels": [1, 4, 1]} if labels else {"dy": dy}), keep=True)
    every_gradient(trace, count=2)
    assert (trace["dropout1"].saved is not None) == training


@pytest.mark.parametrize("offset", [0.0, 1.0, 1000.0])
def test_what_cancels_inside_a_softmax_counts_in_the_bounds(offset):
    """A dy that is the same for all classes does nothing: float32 is left with what it rounded."""
    z = images(1, (400,), seed=2)
    signs = np.where(np.arange(400) % 2, 1, -1) * (offset + 1e-3)
    for dy in (
        np.full((1, 400), offset),
        signs[None],
        np.random.default_rng(1).normal(offset, 1e-3, (1, 400)),
    ):
        trace = traced([Softmax(name="a")], z, dy=dy)
        for k in range(0, 400, 37):
            opened = explain(trace, "a.x", (k,))
            assert opened.ok, opened
            redo(str(opened))


def test_gradients_inside_the_network_open_from_both_sides():
    """dL/dy of a layer is dL/dx of the next, and dL/dz is it after the activation's slope."""
    trace = whole_net(rng=2).trace(images(2, seed=4), training=True, rng=1)
    trace.backward(labels=[0, 3], keep=True)
    for record, after in zip(trace.records, trace.records[1:], strict=False):
        for place in places(record.y.shape[1:], 3):
            behind = explain(trace, f"{record.name}.y", place, sample=1)
            ahead = explain(trace, f"{after.name}.x", place, sample=1)
            assert behind.value == ahead.value == float(after.dx[(1, *place)])
            assert behind.sections[1:] == ahead.sections
            assert behind.notes("FROM") == (f"{after.name}, whose input this is",)
            before = explain(trace, f"{record.name}.z", place, sample=1)
            passes = record.layer.activation is not RELU or not record.y[(1, *place)] <= 0
            assert before.value == (behind.value if passes else 0)
            assert before.ok and behind.ok


def test_the_gradient_that_backward_was_given():
    trace = traced([ReLU(name="a")], images(1, (4,)))
    opened = explain(trace, "a.y", (2,))
    assert opened.value == float(trace.dy[0, 2])
    assert opened.notes("FROM") == ("you: it is the dy that backward was given",)
    trace = traced([Dense(3, name="a")], images(2, (4,)), labels=[0, 2])
    opened = explain(trace, "a.y", (2,), sample=1)
    assert opened.notes("FROM") == (
        "the loss: (p - onehot) / 2, where p is the softmax of the answer",
    )
    p = np.exp(trace.y[1].astype(float)) / np.exp(trace.y[1].astype(float)).sum()
    assert opened.value == pytest.approx((p[2] - 1) / 2, rel=1e-5)


# ------------------------------------------------------------------------------ what the terms are


def test_every_term_of_a_weight_is_an_upstream_gradient_times_what_the_weight_met():
    layer = Conv2D(4, (3, 2), stride=(2, 1), padding=((1, 2), (0, 1)), groups=2, name="a")
    trace = traced([layer], images(3, (7, 6, 4), seed=2))
    record, win = trace["a"], layer.window((7, 6, 4))
    opened = explain(trace, "a.W[2,1,0,3]")
    terms = {leaf.place: leaf for leaf in leaves(opened.trees[0].parts)}
    assert len(terms) == 3 * win.output[0] * win.output[1]
    for n in range(3):
        for oh in range(win.output[0]):
            for ow in range(win.output[1]):
                h, w = 2 * oh - 1 + 2, ow + 1
                inside = 0 <= h < 7 and 0 <= w < 6
                leaf = terms[f"image {n}, place ({oh},{ow})"]
                assert leaf.a == float(trace.dy[n, oh, ow, 3])
                assert leaf.b == (float(record.x[n, h, w, 2]) if inside else 0.0)
    assert "dz[i,j,3] * x[2i+1,j+1,2]" in " ".join(str(opened).split())


def test_the_funnel_counts_what_became_of_the_places():
    layers = [Conv2D(3, 3, activation="relu", name="a"), MaxPool2D(2, stride=1, name="p"),
              Dense(2, activation="softmax", name="z")]  # fmt: skip
    trace = traced(layers, images(2, (8, 7, 1), seed=3), labels=[0, 1])
    y, dz, winner = trace["a"].y[..., 1], trace["a"].dz[..., 1], trace["p"].saved[0][..., 1]
    won = np.zeros(y.shape, bool)
    for n, r, c in np.ndindex(winner.shape):
        i, j = divmod(int(winner[n, r, c]), 2)
        won[n, r + i, c + j] = True
    x = trace.x[:, 1:7, 0:5, 0]
    terms = int(((dz * x) != 0).sum())
    opened = explain(trace, "a.W[1,0,0,1]")
    (funnel,) = only(Funnel, opened.sections)
    passed = (won & (y > 0)).sum()
    words = ["places", "win a window of p", "pass ReLU", "terms are not zero"]
    assert funnel.stages == tuple(zip([y.size, won.sum(), passed, terms], words, strict=True))
    line = f"{y.size} places > {won.sum()} win a window of p > {passed} pass ReLU > {terms} terms"
    assert line in " ".join(str(opened).split())
    assert opened.to_dict()["sections"][0]["stages"][1] == {"left": won.sum(), "words": words[1]}
    assert won.sum() < y.size and terms <= (won & (y > 0)).sum()


def test_the_biggest_term_names_its_place_and_the_windows_that_it_won():
    layers = [Conv2D(1, 1, activation="relu", name="a", weight_initializer=ones),
              MaxPool2D(2, stride=1, name="p")]  # fmt: skip
    x = np.ones((2, 6, 6, 1))
    x[1, 3, 2] = 5  # wins four windows of image 1
    dy = np.full((2, 5, 5, 1), 0.25)
    dy[1, 2, 1], dy[1, 2, 2], dy[1, 3, 1], dy[1, 3, 2] = 1, 2, -4, 8
    trace = traced(layers, x, dy=dy)
    opened = explain(trace, "a.W[0,0,0,0]")
    named = opened.notes("BIGGEST")
    assert named[0] == "image 1, place (3,2): 7.000000 * 5.000000 = 35.000"
    assert named[-2] == (
        "the first one's dz came from the windows of p that it won, (2,1), (2,2), (3,1), (3,2):"
    )
    assert named[-1] == "dz = 1.0000 + 2.0000 - 4.0000 + 8.0000 = 7.0000"
    assert opened.ok
    one = traced([Conv2D(1, 1, name="a", weight_initializer=ones), MaxPool2D(2, name="p")], x[1:])
    named = explain(one, "a.W[0,0,0,0]").notes("BIGGEST")
    assert named[-1] == "the first one's dz came from the window of p that it won, (1,1)"


def ones(out, rng):
    out[...] = 1


def test_the_biggest_terms_place_is_shown_in_the_picture():
    layers = [
        MaxPool2D(2, name="p"),
        Conv2D(2, 3, name="a"),
        Dense(3, activation="softmax", name="z"),
    ]
    trace = traced(layers, images(1, (16, 16, 3), seed=1), labels=[2])
    opened = explain(trace, "a.W[0,2,1,1]")
    dz, x = trace["a"].dz[0, ..., 1], trace["a"].x[0, 0:6, 2:8, 1]
    oh, ow = np.unravel_index(int(np.abs(dz.astype(float) * x).argmax()), dz.shape)
    (sees,) = (section for section in opened.sections if isinstance(section, ReceptiveField))
    assert sees.field == ((2 * oh, 2 * oh + 5), (2 * ow, 2 * ow + 5))
    assert sees.lines[0] == f"the window of the biggest term, place ({oh},{ow})"
    assert "(6 x 6 pixels)" in sees.lines[1]


def test_terms_of_an_input_name_place_and_filter():
    layers = [Conv2D(40, 3, name="a"), Dense(2, activation="softmax", name="z")]
    trace = traced(layers, images(1, (6, 6, 2), seed=1), labels=[1])
    opened = explain(trace, "a.x", (3, 2, 1))
    terms = [
        (
            float(trace["a"].dz[0, r, c, f]) * float(trace["a"].params["W"][3 - r, 2 - c, 1, f]),
            r,
            c,
            f,
        )
        for r in (1, 2, 3)
        for c in (0, 1, 2)
        for f in range(40)
    ]
    value, r, c, f = max(terms, key=lambda term: abs(term[0]))
    assert opened.notes("BIGGEST")[0].startswith(f"place ({r},{c}), filter {f}: ")
    assert opened.trees[0].value == pytest.approx(sum(term[0] for term in terms), rel=1e-9)
    assert value != 0


def test_windows_of_a_pool_are_told_apart():
    x = np.array([[3, 1, 2], [0, 5, 4], [1, 1, 9]], float)[None, :, :, None]
    trace = traced([MaxPool2D(2, stride=1, name="p")], x, dy=np.arange(1.0, 5).reshape(1, 2, 2, 1))
    opened = explain(trace, "p.x", (1, 1, 0))
    assert [leaf.place for leaf in leaves(opened.trees[0].parts)] == [
        "window (0,0), won", "window (0,1), won", "window (1,0), won", "window (1,1), lost to 2,2",
    ]  # fmt: skip
    assert opened.value == 1 + 2 + 3
    assert [leaf.factors for leaf in leaves(opened.trees[0].parts)] == [
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 0),
    ]


# ------------------------------------------------------------------------------------------ a step


@pytest.mark.parametrize("name", ["conv1.W[1,1,2,3]", "conv1.b[2]", "dense1.W[5,3]", "dense2.b[1]"])
def test_a_step_and_what_it_does_to_the_loss(name):
    trace = whole_net(rng=2).trace(images(2, seed=1), training=True, rng=5)
    trace.backward(labels=[1, 2], keep=True)
    opened = explain(trace, name, rate=0.05)
    key, index = re.fullmatch(r"(.*)\[(.*)\]", name).groups()
    index = tuple(map(int, index.split(",")))
    value = float(trace.model.parameters()[key][index])
    (step,) = (s for s in opened.sections if isinstance(s, Step) and s.name == "STEP")
    assert step.value == value - 0.05 * opened.value
    wide = {k: np.array(array, np.float64) for k, array in trace.model.parameters().items()}
    x = trace.x.astype(np.float64)
    before = objective(trace, wide, x)
    wide[key][index] -= 0.05 * opened.value
    measured = objective(trace, wide, x) - before
    predicted, found = (
        float(re.search(pattern, line)[1])
        for pattern, line in zip(
            (r"= (\S+)$", r"by (\S+),"), opened.notes("EXPECT")[1:], strict=True
        )
    )
    assert predicted == pytest.approx(-0.05 * opened.value**2, rel=1e-4)
    assert found == pytest.approx(measured, rel=1e-3, abs=1e-12)
    assert found == pytest.approx(predicted, rel=0.1)


def test_a_step_against_a_gradient_that_is_given_speaks_of_its_sum():
    trace = traced([Dense(2, name="a")], images(1, (3,)))
    lines = explain(trace, "a.W[0,0]").notes("EXPECT")
    assert lines[0] == "the step should change the sum of dy * y by about"


# -------------------------------------------------------------------------------------- why it is 0


GIVEN = "the dy that backward was given is 0 there"


def why(trace, what, at=None, sample=0):
    opened = explain(trace, what, at, sample=sample)
    assert opened.value == 0 and opened.ok
    redo(str(opened))
    return " | ".join(opened.notes("WHY 0"))


def given(array):
    """An initializer."""
    return lambda out, rng: out.__setitem__(..., np.reshape(array, out.shape))


def test_died_at_a_relu():
    x = np.array([[1.0, -2.0, 3.0]])
    trace = traced([Dense(3, name="a", weight_initializer=given(np.eye(3))), ReLU(name="r")], x)
    assert why(trace, "r.x", (1,)) == "it died at r's ReLU: z = -2.0000"
    assert why(trace, "a.z", (1,)) == "it died at r's ReLU: z = -2.0000"
    assert why(trace, "a.y", (1,)) == "it died at r's ReLU: z = -2.0000"
    trace = traced([Dense(3, activation="relu", name="a", weight_initializer=given(np.eye(3)))], x)
    assert why(trace, "a.z", (1,)) == "it died at a's ReLU: z = -2.0000"
    assert why(trace, "a.W[0,1]") == "unit 1 died at a's ReLU for every image"
    assert why(trace, "a.b[1]") == "unit 1 died at a's ReLU for every image"
    trace = traced([Conv2D(2, 1, activation="relu", name="a", weight_initializer=given([1, -1]))],
                   np.ones((2, 2, 2, 1)))  # fmt: skip
    assert why(trace, "a.W[0,0,0,1]") == "filter 1 died at a's ReLU at every place"


def test_lost_its_pool_windows():
    x = np.array([[3, 1, 2], [0, 5, 4], [1, 1, 9]], float)[None, :, :, None]
    trace = traced([ReLU(name="r"), MaxPool2D(2, stride=1, name="p")], x)
    assert why(trace, "p.x", (1, 2, 0)) == "it lost p's windows (0,1) to 1,1, (1,1) to 2,2"
    assert why(trace, "r.y", (0, 0, 0)) == "it lost p's window (0,0) to 1,1"
    trace = traced([MaxPool2D(2, name="p")], x)
    assert why(trace, "p.x", (2, 2, 0)) == "no window of p reaches it"


def test_won_a_pool_window_that_got_nothing():
    x = np.array([[1.0, 5], [2, 3]])[None, :, :, None]
    layers = [
        MaxPool2D(2, name="p"),
        Dense(2, name="a", activation="relu", weight_initializer=given([-1, -2])),
    ]
    trace = traced(layers, x)
    assert why(trace, "p.x", (0, 1, 0)) == (
        "p's window (0,0), which it won, got nothing: | all 2 dz of a that it feeds are 0: | 2 of "
        "them died at a's ReLU"
    )


def test_won_several_windows_that_got_nothing():
    x = np.array([[1, 2, 1], [3, 9, 4], [1, 5, 2]], float)[None, :, :, None]
    trace = traced([MaxPool2D(2, stride=1, name="p")], x, dy=np.zeros((1, 2, 2, 1)))
    assert why(trace, "p.x", (1, 1, 0)) == (
        "p's windows (0,0), (0,1), (1,0), (1,1), which it won, got nothing"
    )
    trace = traced([AveragePool2D(2, name="v")], x)
    assert why(trace, "v.x", (2, 1, 0)) == "no window of v reaches it"


def test_dropped_by_dropout():
    layers = [
        Conv2D(1, 1, name="a", weight_initializer=ones),
        Dropout(0.5, name="d"),
        Flatten(name="f"),
    ]
    trace = traced(layers, np.ones((1, 5, 5, 1)), training=True, rng=2)
    dropped = tuple(int(i) for i in np.argwhere(~trace["d"].saved[0])[0])
    kept = tuple(int(i) for i in np.argwhere(trace["d"].saved[0])[0])
    assert why(trace, "d.x", dropped) == "d dropped it"
    assert why(trace, "a.z", dropped) == "d dropped it"
    assert explain(trace, "d.x", kept).value != 0
    # The finite difference replays the mask.
    assert explain(trace, "d.x", kept).checks[-1].against.startswith("(L(+h) - L(-h))")
    unit = int(np.ravel_multi_index(dropped, (5, 5, 1)))
    dy = np.ones((1, 25))
    dy[0, unit] = 0
    trace = traced([Flatten(name="f")], np.ones((1, 5, 5, 1)), dy=dy)
    assert why(trace, "f.x", dropped) == "the dy that backward was given is 0 there"


def test_all_lost_behind_one_filter():
    """Every place of the filter loses: some at the pool, the others at ReLU or at dropout."""
    x = np.ones((1, 4, 4, 1))
    layers = [
        Conv2D(2, 1, activation="relu", name="a", weight_initializer=ones),
        MaxPool2D(2, name="p"),
    ]
    dy = np.zeros((1, 2, 2, 2))
    dy[..., 0] = 1
    trace = traced(layers, x, dy=dy)
    assert why(trace, "a.W[0,0,0,1]") == (
        "no gradient reaches filter 1: dz is 0 at all 16 places | 16 of them get no dy from p | "
        "12 of them lost every window of p"
    )
    layers = [Conv2D(1, 1, name="a", weight_initializer=ones), Dropout(0.999, name="d")]
    trace = traced(layers, x, training=True, rng=0)
    assert why(trace, "a.b[0]") == (
        "no gradient reaches filter 0: dz is 0 at all 16 places | 16 of them were dropped by d"
    )
    layers = [Conv2D(1, 1, name="a", activation="relu", weight_initializer=ones)]
    x[0, 0, 0] = -1
    dy = np.zeros((1, 4, 4, 1))
    dy[0, 0, 0] = 1
    assert why(traced(layers, x, dy=dy), "a.b[0]") == (
        "no gradient reaches filter 0: dz is 0 at all 16 places | 15 of them get no dy from what "
        "backward was given | 1 of them died at a's ReLU"
    )


def test_terms_that_are_zero_or_cancel():
    trace = traced([Conv2D(1, 1, name="a")], np.zeros((1, 2, 2, 1)))
    assert why(trace, "a.W[0,0,0,0]") == (
        "at the 4 places where dz is not 0, what the weight met is 0"
    )
    dy = np.array([1.0, -1, 2, -2]).reshape(1, 2, 2, 1)
    trace = traced([Conv2D(1, 1, name="a")], np.ones((1, 2, 2, 1)), dy=dy)
    assert why(trace, "a.b[0]") == "its terms cancel"
    assert why(trace, "a.W[0,0,0,0]") == "its terms cancel"
    layers = [Conv2D(2, 1, name="a", weight_initializer=given([0, 0]))]
    trace = traced(layers, np.ones((1, 2, 2, 1)))
    assert why(trace, "a.x", (0, 0, 0)) == (
        "no term is left: where dz is not 0, what it meets in a is 0"
    )
    layers = [Conv2D(2, 1, name="a", weight_initializer=given([1, -1]))]
    trace = traced(layers, np.ones((1, 1, 1, 1)), dy=np.ones((1, 1, 1, 2)))
    assert why(trace, "a.x", (0, 0, 0)) == "its terms cancel"


def test_no_gradient_through_sums_means_and_norms():
    x = images(1, (4, 4, 6))
    many = "all {} {} of a that it feeds are 0: | {} of them get no dy from what backward was given"
    for layer, words in (
        (Conv2D(4, 3, groups=2, name="a"), many.format(2, "dz", 2)),
        (AveragePool2D(2, stride=1, name="a"), "the only dy of a that it feeds is 0: | " + GIVEN),
        (LocalResponseNorm(size=3, name="a"), many.format(2, "dy", 2)),
        (Dense(3, name="a"), many.format(3, "dz", 3)),
    ):
        shape = layer.output_shape((4, 4, 6))
        trace = traced([layer], x, dy=np.zeros((1, *shape)))
        assert why(trace, "a.x", (0, 0, 5)) == words
    trace = traced([Conv2D(2, 2, stride=3, name="a")], x)
    assert why(trace, "a.x", (2, 0, 0)) == "no window of a reaches it"


@pytest.mark.parametrize("training", [False, True])
def test_no_gradient_through_a_batch_normalisation(training):
    x = images(2, (2, 1, 2))
    options = {"training": training}
    trace = traced([BatchNormalization(name="a")], x, dy=np.zeros((2, 2, 1, 2)), **options)
    nothing = "4 of them get no dy from what backward was given"
    assert why(trace, "a.x", (0, 0, 1)) == (
        f"all 4 dy of a that it feeds are 0: | {nothing}" if training else GIVEN
    )
    for name in ("gamma", "beta"):
        assert why(trace, f"a.{name}[1]") == (
            f"no gradient reaches channel 1: dy is 0 at all 4 places | {nothing}"
        )
    layer = BatchNormalization(name="a")
    layer.initializer = lambda parameter: tc.initializers.Constant(float(parameter == "variance"))
    assert why(traced([layer], x, **options), "a.x", (0, 0, 1)) == "a's gamma of channel 1 is 0"
    trace = traced([BatchNormalization(name="a")], np.zeros((2, 3)), **options)
    assert why(trace, "a.gamma[1]") == "at the 2 places where dy is not 0, xhat is 0"


def test_one_cell_a_channel_has_no_gradient():
    trace = traced([BatchNormalization(name="a")], images(1, (3,)), training=True)
    assert why(trace, "a.x", (1,)) == (
        "the only cell of its channel is its own mean: y is beta, whatever x is"
    )


def test_a_dy_that_is_the_same_for_a_channel_is_taken_back():
    trace = traced(
        [BatchNormalization(name="a")], images(4, (3,)), dy=np.ones((4, 3)), training=True
    )
    assert why(trace, "a.gamma[1]") == "its terms cancel"
    assert why(trace, "a.x", (1,)) == (
        "its mean and its variance take back all that dy asks for: the terms cancel"
    )


def test_what_a_mean_takes_away_is_rounding_and_said_so():
    """A bias before a normalisation in training moves all of a channel's cells, and so does nothing."""
    layers = [Conv2D(4, 3, name="c"), BatchNormalization(name="a"), Dense(3, name="z")]
    trace = traced(layers, images(4, (6, 6, 2), seed=1), labels=[0, 1, 2, 0], training=True)
    for f in range(4):
        opened = explain(trace, f"c.b[{f}]")
        assert opened.ok and abs(opened.value) < 1e-6, opened
        redo(str(opened))
    assert "for that of terms which cancel" in " ".join(str(opened).split())


def test_the_way_back_is_followed_through_what_only_passes_on():
    layers = [ReLU(name="r"), Dropout(0.5, name="d"), MaxPool2D(2, name="p"), Flatten(name="f"),
              Dense(2, name="z", weight_initializer=given(np.zeros(2)))]  # fmt: skip
    trace = traced(layers, np.ones((1, 2, 2, 1)), labels=[1])
    assert why(trace, "r.x", (0, 0, 0)) == (
        "p's window (0,0), which it won, got nothing: | no term is left: where dz is not 0, what it "
        "meets in z is 0"
    )
    assert why(trace, "r.x", (0, 1, 0)) == (
        "p's window (0,0) got nothing: | no term is left: where dz is not 0, what it meets in z is 0 | "
        "it lost p's window (0,0) to 0,0 too"
    )


def test_every_cause_is_named_the_one_nearest_the_loss_first():
    """Cell 1 dies at a's ReLU, loses p's window, is dropped, and gets no dy: each alone is enough."""
    x = np.array([[3.0, -2.0], [1.0, 2.0]])[None, :, :, None]
    relu = [ReLU(name="r")]
    zero = np.zeros((1, 2, 2, 1))
    assert why(traced(relu, x, dy=zero), "r.x", (0, 1, 0)) == (
        f"{GIVEN} | it died at r's ReLU too: z = -2.0000"
    )
    layers = [ReLU(name="r"), MaxPool2D(2, name="p")]
    assert why(traced(layers, x), "r.x", (0, 1, 0)) == (
        "it lost p's window (0,0) to 0,0 | it died at r's ReLU too: z = -2.0000"
    )
    assert why(traced(layers, x, dy=np.zeros((1, 1, 1, 1))), "r.x", (0, 1, 0)) == (
        f"p's window (0,0) got nothing: | {GIVEN} | it lost p's window (0,0) to 0,0 too | it died at "
        "r's ReLU too: z = -2.0000"
    )
    assert why(traced(layers, x, dy=np.zeros((1, 1, 1, 1))), "r.x", (0, 0, 0)) == (
        f"p's window (0,0), which it won, got nothing: | {GIVEN}"
    )
    layers = [ReLU(name="r"), Dropout(0.999, name="d"), Dense(1, name="f", weight_initializer=ones)]
    trace = traced(layers, x, training=True, rng=0)
    assert not trace["d"].saved.any()
    assert why(trace, "r.x", (0, 1, 0)) == "d dropped it | it died at r's ReLU too: z = -2.0000"
    assert why(trace, "r.x", (0, 0, 0)) == "d dropped it"
    trace = traced(layers, x, training=True, rng=0, dy=np.zeros((1, 1)))
    assert why(trace, "r.x", (0, 1, 0)) == (
        f"the only dz of f that it feeds is 0: | {GIVEN} | d dropped it too | it died at r's ReLU "
        "too: z = -2.0000"
    )


def test_a_window_won_and_a_window_lost():
    x = np.array([[1.0, 5, 9]])[None, :, :, None]
    trace = traced([MaxPool2D((1, 2), stride=1, name="p")], x, dy=np.array([[[[0.0], [1.0]]]]))
    assert why(trace, "p.x", (0, 1, 0)) == (
        f"p's window (0,0), which it won, got nothing: | {GIVEN} | it lost p's window (0,1) to 0,2"
    )


def test_only_windows_that_hold_a_cell_can_be_lost():
    """With dilation, a window between two others passes over the cell."""
    x = np.arange(5.0)[None, None, :, None]
    layers = [MaxPool2D((1, 2), stride=1, dilation=(1, 2), name="p")]
    trace = traced(layers, x)
    assert trace["p"].y.shape == (1, 1, 3, 1)
    assert why(trace, "p.x", (0, 1, 0)) == "it lost p's window (0,1) to 0,3"
    assert explain(traced(layers, x[:, :, ::-1]), "p.x", (0, 2, 0)).trees[0].terms == 2
    ways = explain(traced([ReLU(name="r"), *layers], x), "r", (0, 2, 0)).notes("NEXT")
    assert ways == ("p window (0,0): wins", "p window (0,2): loses to 0,4")
    # Its neighbour's dz, which it does not feed, is not 0: still nothing of its own is left.
    conv = [Conv2D(1, (1, 2), dilation=(1, 2), name="a", weight_initializer=ones)]
    trace = traced(conv, x, dy=np.array([[[[0.0], [1.0], [0.0]]]]))
    assert why(trace, "a.x", (0, 2, 0)) == (
        "all 2 dz of a that it feeds are 0: | 2 of them get no dy from what backward was given"
    )


def test_a_parameter_of_a_dead_filter_that_gets_nothing_either():
    x = -np.ones((1, 2, 2, 1))
    layers = [Conv2D(1, 1, activation="relu", name="a", weight_initializer=ones)]
    assert why(traced(layers, x, dy=np.zeros((1, 2, 2, 1))), "a.b[0]") == (
        "no gradient reaches filter 0: dz is 0 at all 4 places | 4 of them get no dy from what backward "
        "was given | filter 0 died at a's ReLU at every place too"
    )
    layers = [Dense(1, name="a", weight_initializer=ones)]
    assert why(traced(layers, np.ones((1, 2)), dy=np.zeros((1, 1))), "a.b[0]") == (
        "no gradient reaches unit 0: its dz is 0 | it gets no dy from what backward was given"
    )
    layers = [Dense(1, name="a", weight_initializer=ones), Dropout(0.999, name="d")]
    trace = traced(layers, np.ones((1, 2)), training=True, rng=0)
    assert why(trace, "a.b[0]") == "no gradient reaches unit 0: its dz is 0 | it was dropped by d"


def test_a_weight_of_a_dead_unit_that_met_zeros_too():
    layers = [Dense(2, activation="relu", name="a", weight_initializer=given(-np.ones((3, 2))))]
    trace = traced(layers, np.array([[0.0, 1, 2], [0.0, 2, 0]]))
    died = "unit 1 died at a's ReLU for every image"
    assert why(trace, "a.W[0,1]") == f"{died} | what the weight met is 0 for every image too"
    assert why(trace, "a.W[2,1]") == why(trace, "a.b[1]") == died
    x = np.zeros((1, 3, 3, 2))
    x[0, 1, 1] = 0, 1  # met by the kernel's middle alone where the padding surrounds it
    layers = [Conv2D(2, 3, stride=3, padding=1, groups=2, activation="relu", name="a",
                     weight_initializer=lambda out, rng: out.fill(-1.0))]  # fmt: skip
    trace = traced(layers, x, dy=np.zeros((1, 1, 1, 2)))
    for filter_ in range(2):
        for i, j in np.ndindex(3, 3):
            met = x[0, i - 1, j - 1, filter_] if i and j else 0
            told = "met is 0 at every place too" in why(trace, f"a.W[{i},{j},0,{filter_}]")
            assert told == (met == 0)


def test_the_only_place_where_dz_is_not_zero():
    trace = traced([Conv2D(1, 1, name="a")], np.zeros((1, 1, 1, 1)))
    assert why(trace, "a.W[0,0,0,0]") == (
        "at the only place where dz is not 0, what the weight met is 0"
    )


def test_why_nothing_passes_a_softmax():
    layers = [Softmax(name="s")]
    x = np.log([[1.0, 1, 2]])
    trace = traced(layers, x, dy=np.zeros((1, 3)))
    assert why(trace, "s.x", (1,)) == "none of s's classes gets a dy from what backward was given"
    trace = traced(layers, x, dtype="float64", dy=np.array([[0.0, 4.0, 2.0]]))
    found = explain(trace, "s.x", (2,))
    assert abs(found.value) < 1e-15
    trace = traced(layers, np.array([[0.0, 0, 200]]), dy=np.array([[1.0, 2, 3]]))
    assert why(trace, "s.x", (2,)) == "s's softmax is saturated: p is exactly 0 or 1"
    trace = traced(
        [Dense(2, name="a", weight_initializer=given([200, 0]))], np.ones((1, 1)), labels=[0]
    )
    assert why(trace, "a.z", (0,)) == "the loss's softmax is saturated: p is exactly 0 or 1"


@pytest.mark.parametrize("seed", range(4))
def test_the_causes_are_those_that_plain_loops_find(seed):
    layers = [
        Conv2D(2, 3, activation="relu", name="a"),
        MaxPool2D(3, stride=2, name="p"),
        Conv2D(2, 2, activation="relu", name="b"),
        Dropout(0.5, name="d"),
        Dense(3, activation="softmax", name="c"),
    ]
    trace = traced(layers, images(1, (9, 9, 1)), labels=[1], training=True, rng=seed, seed=seed)
    y, dy = trace["a"].y[0], trace["p"].dy[0]
    for h, w, k in zip(*np.nonzero(trace["a"].dz[0] == 0), strict=True):
        causes = "; ".join(explain(trace, "a.z", (h, w, k)).notes("WHY 0"))
        windows = {
            (r, c): y[2 * r : 2 * r + 3, 2 * c : 2 * c + 3, k] for r in range(3) for c in range(3)
            if 2 * r <= h < 2 * r + 3 and 2 * c <= w < 2 * c + 3
        }  # fmt: skip
        won = {at: divmod(int(cells.argmax()), 3) == (h - 2 * at[0], w - 2 * at[1])
               for at, cells in windows.items()}  # fmt: skip
        empty = {at for at in windows if dy[(*at, k)] == 0}
        assert ("it died at a's ReLU" in causes) == (y[h, w, k] <= 0)
        if trace["a"].dy[0, h, w, k] == 0:
            assert ("it lost p's" in causes) == (not all(won.values()))
            assert ("got nothing" in causes) == (any(won.values()) or empty == set(windows))
        else:
            assert "p's" not in causes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("logit", [-3.0, 1.0, 5.0, 9.0, 14.0, 40.0, 120.0])
@pytest.mark.parametrize("label", [0, 1])
def test_a_softmax_that_is_sure(logit, label, dtype):
    """p - 1 is minus what the other classes have: no digits are lost, however sure."""
    layers = [Dense(3, name="h"), Dense(3, activation="softmax", name="a")]
    model = tc.Sequential(layers, (4,), rng=1, dtype=dtype)
    with model.edit() as parameters:
        parameters["a.W"][...] *= 1e-2
        parameters["a.b"][...] = [logit, 0, -1]
    trace = model.trace(images(1, (4,)))
    trace.backward(labels=[label])
    for what in (
        "a.z[0]",
        "a.z[1]",
        "a.z[2]",
        "a.W[1,1]",
        "a.b[0]",
        "h.b[1]",
        "h.W[1,1]",
        "a.x[2]",
    ):
        opened = explain(trace, what)
        assert opened.ok, opened
        redo(str(opened))
    z = trace["a"].z[0].astype(np.float64)
    others = [k for k in range(3) if k != label]
    slope = -1 / (1 + 1 / sum(np.exp(z[k] - z[label]) for k in others))
    assert explain(trace, f"a.z[{label}]").checks[0].reference == pytest.approx(slope, rel=1e-10)


def test_a_softmax_of_which_nothing_is_left():
    layer = Dense(2, activation="softmax", name="a", weight_initializer=given([200, 0]))
    trace = traced([layer], [[1.0]], labels=[0])
    assert why(trace, "a.z", (0,)) == "a's softmax is saturated: p is exactly 0 or 1"
    assert why(trace, "a.z", (1,)) == "a's softmax is saturated: p is exactly 0 or 1"
    # A dy that is the same for all classes: y * (dy - dy) in float32 is 0, or what rounding left.
    for scale in (0.0, 1.0, 3.3):
        trace = traced([Softmax(name="a")], scale * images(1, (4,)), dy=np.ones((1, 4)))
        for k in range(4):
            opened = explain(trace, "a.x", (k,))
            assert opened.ok
            redo(str(opened))


# ------------------------------------------------------------------------------------------- kinks


def test_a_relu_that_stands_exactly_at_zero_is_a_kink():
    x = np.zeros((1, 3))
    x[0, 1] = 1
    trace = traced([ReLU(name="r")], x, dy=[[3.0, 4.0, 5.0]])
    opened = explain(trace, "r.x", (0,))
    assert opened.ok and opened.value == 0  # the engine's slope at 0 is 0
    assert opened.notes("KINK") == (
        "1 ReLU or pool window changes sides within h = 1e-08: the slope to the left is not that to the "
        "right; held on the side that the pass took",
        "a kink is where a slope jumps: ReLU's at 0, a maximum's where another cell becomes the largest",
    )
    assert opened.checks[-1].reference == 0
    assert explain(trace, "r.x", (1,)).notes("KINK") == ()


def test_several_kinks_are_counted():
    trace = traced([Dense(2, name="a", weight_initializer=given(np.zeros(4))), ReLU(name="r")],
                   np.ones((3, 2)), dy=np.ones((3, 2)))  # fmt: skip
    opened = explain(trace, "a.b[1]")
    assert opened.ok and opened.value == 0
    assert opened.notes("KINK")[0].startswith(
        "3 ReLUs or pool windows change sides within h = 1e-08"
    )


def test_a_tie_in_a_pool_is_a_kink_and_the_pass_s_side_is_held():
    trace = traced([MaxPool2D(2, name="p")], np.full((1, 2, 2, 1), 2.0), dy=[[[[3.0]]]])
    first, second = (explain(trace, "p.x", (0, column, 0)) for column in (0, 1))
    assert (first.value, second.value) == (3, 0)  # the first in reading order wins
    for opened in (first, second):
        assert opened.ok and "changes sides within h = 1e-08" in opened.notes("KINK")[0]
        assert opened.checks[-1].reference == pytest.approx(opened.value, abs=1e-6)


def test_cells_that_move_together_are_no_kink():
    """Two equal pixels under one weight stay equal, however it moves."""
    layers = [Conv2D(1, 1, name="a", weight_initializer=ones), MaxPool2D(2, name="p")]
    trace = traced(layers, np.full((1, 2, 2, 1), 2.0))
    opened = explain(trace, "a.W[0,0,0,0]")
    assert opened.ok and opened.notes("KINK") == ()


def test_a_kink_that_is_farther_than_the_smaller_step_is_stepped_around():
    x = np.array([[1e-7, 1.0]])
    trace = traced([ReLU(name="r")], x, dy=[[3.0, 4.0]])
    opened = explain(trace, "r.x", (0,))
    assert opened.ok and opened.notes("KINK") == () and "h = 1e-08" in str(opened)
    assert opened.checks[-1].reference == pytest.approx(3, rel=1e-5)


def test_float32_may_stand_on_the_other_side_of_a_kink():
    """-0.1f * 0.1f + c with c = float32(0.1f * 0.1f): 0 in float32, and above 0 in float64."""
    x = np.float32(0.1)
    c = np.float32(float(x) * float(x))
    assert 0 < float(c) - float(x) * float(x) < 1e-9
    layers = [
        Dense(
            1, activation="relu", name="a", weight_initializer=given(-x), bias_initializer=given(c)
        ),
        Dense(1, name="b", weight_initializer=ones),
    ]
    trace = traced(layers, [[float(x)]], dy=[[2.0]])
    opened = explain(trace, "a.b[0]")
    assert opened.value == 0 and opened.ok
    assert opened.notes("KINK") == (
        "1 ReLU or pool window stands so near a kink that float64 falls on the other side: held on the "
        "side that the pass took",
        "a kink is where a slope jumps: ReLU's at 0, a maximum's where another cell becomes the largest",
    )
    assert opened.checks[-1].reference == 0


# ------------------------------------------------------------------------------ a user's own layer


class InFloat32(Layer):
    """y = 3 x, in float32 whatever comes."""

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return (3 * x).astype(np.float32), None

    def backward(self, params, dy, saved, context):
        return 3 * dy, {}


class RefusesFloat64(InFloat32):
    """The same, and it says no."""

    def forward(self, params, x, context):
        if x.dtype != np.float32:
            raise TypeError("float32 only")
        return 3 * x, None


class Tanh(Activation):
    """An activation of a user's own."""

    name = "tanh"

    def forward(self, z):
        return np.tanh(z)

    def backward(self, dy, y):
        return dy * (1 - y * y)


def test_a_layer_of_ones_own_is_checked_by_differences_alone():
    layers = [Conv2D(2, 2, name="a"), Scale(name="mine"), Dense(2, activation="softmax", name="z")]
    trace = traced(layers, images(2, (4, 4, 1)), labels=[0, 1])
    for what in ("mine.scale[1]", "mine.x[1,2,0]"):
        opened = explain(trace, what, sample=1)
        assert opened.ok and len(opened.checks) == 1
        assert opened.notes("HOW") == (
            "mine is a layer of your own: its terms cannot be opened from outside",
        )
        redo(str(opened))
    assert explain(trace, "mine.scale[1]").value == pytest.approx(
        slope(trace, "mine.scale", (1,)), rel=1e-4
    )
    assert explain(trace, "mine.z[0,0,0]").ok


def test_a_layer_of_ones_own_that_gives_zero():
    trace = traced([Scale(name="mine")], np.zeros((1, 3)))
    assert why(trace, "mine.scale[0]") == (
        "a layer of your own: its terms cannot be opened from outside"
    )
    trace = traced([Scale(name="mine")], np.ones((1, 3)), dy=np.zeros((1, 3)))
    assert why(trace, "mine.x", (0,)) == (
        "mine is a layer of your own: its terms cannot be opened from outside"
    )


@pytest.mark.parametrize("own", [InFloat32, RefusesFloat64])
def test_a_layer_of_ones_own_that_does_not_compute_in_float64(own):
    trace = traced([Dense(3, name="a"), own(name="mine")], images(1, (4,)))
    opened = explain(trace, "a.W[1,1]")
    assert opened.notes("CHECK") == (
        "a layer of your own does not compute in float64, so no difference of the loss is taken",
    )
    assert opened.ok and len(opened.checks) == 1
    assert len(opened.notes("EXPECT")) == 2  # what was measured is missing
    redo(str(opened))


class OwnSoftmax(Scale):
    """A last layer of a user's own with the softmax that the pass applies."""

    activation = SOFTMAX


@pytest.mark.parametrize("labels", [[2], None])
def test_a_last_layer_of_ones_own_with_a_softmax_is_replayed(labels):
    layers = [Dense(3, name="a"), OwnSoftmax(name="mine")]
    trace = traced(layers, images(1, (4,)), labels=labels, dtype="float64")
    for what in ("a.W[1,1]", "mine.scale[2]", "mine.x[0]", "mine.z[0]"):
        opened = explain(trace, what)
        assert opened.ok and opened.checks[-1].against.startswith("(L(+h) - L(-h)) / 2h")
        redo(str(opened))
    # The gradient that backward hands to the layer is that of the softmax, by the closed form.
    p = trace.y[0]
    expected = p - np.eye(3)[2] if labels else p * (trace.dy[0] - (trace.dy[0] * p).sum())
    for k in range(3):
        assert explain(trace, "mine.z", (k,)).value == pytest.approx(expected[k], rel=1e-9)


def test_an_activation_of_ones_own():
    layers = [Dense(3, name="a", activation=Tanh()), Dense(2, name="b")]
    trace = traced(layers, images(2, (4,)), dtype="float64")
    words = "the activation 'tanh' is one of your own: its arithmetic cannot be opened"
    for what in ("a", "a.z"):
        assert explain(trace, what, (1,)).notes("HOW") == (words,)
    for what, at in (("a.z", (1,)), ("a.x", (2,)), ("a.W", (3, 1)), ("a.b", (0,)), ("b.x", (1,))):
        opened = explain(trace, what, at, sample=1)
        assert opened.ok and opened.checks[-1].against.startswith("(L(+h) - L(-h)) / 2h")
        redo(str(opened))
    slope_of_tanh = 1 - np.tanh(trace["a"].z) ** 2
    assert explain(trace, "a.z", (1,)).value == pytest.approx(
        float((trace["a"].dy * slope_of_tanh)[0, 1]), rel=1e-12
    )


def test_an_activation_of_ones_own_that_lets_nothing_pass():
    class Constant(Tanh):
        def forward(self, z):
            return np.ones_like(z)

        def backward(self, dy, y):
            return np.zeros_like(dy)

    trace = traced([Dense(3, name="a", activation=Constant())], images(1, (4,)))
    assert why(trace, "a.z", (1,)) == "a's activation, one of your own, let nothing pass"


def test_nan_in_a_gradient_is_shown_and_not_called_a_disagreement():
    x = np.ones((1, 2, 2, 1))
    x[0, 0, 0] = np.nan
    layers = [Conv2D(1, 1, activation="relu", name="a"), Dense(2, activation="softmax", name="z")]
    trace = traced(layers, x, labels=[0])
    for what in ("a.W[0,0,0,0]", "a.x[0,0,0]", "a.x[1,1,0]", "z.W[0,0]", "a.z[1,1,0]"):
        opened = explain(trace, what)
        assert sound(opened), opened
        assert "nan" in str(opened) or opened.value == opened.value
