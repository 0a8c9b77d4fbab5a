"""A layer that gives no gradient of its input, as an embedding: allowed where nobody needs one."""

import re

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import open_lesson
from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.initializers import Gaussian
from tinycnn.layers import Dense, Dropout, Flatten, Layer, ReLU


class Embedding(Layer):
    """A row of ``table`` (words, size) for each whole number of x."""

    stem = "embedding"

    def __init__(self, words, size):
        self.words, self.size = words, size

    def output_shape(self, input_shape):
        return (*input_shape, self.size)

    def parameter_shapes(self, input_shape):
        return {"table": (self.words, self.size)}

    def initializer(self, parameter):
        return Gaussian(1.0)

    def forward(self, params, x, context):
        words = x.astype(np.intp)
        return params["table"][words], words

    def backward(self, params, dy, saved, context):
        table = np.zeros((self.words, self.size), dy.dtype)
        np.add.at(table, saved, dy)
        return None, {"table": table}


WORDS = np.random.default_rng(0).integers(0, 7, (4, 5))
LABELS = [0, 1, 2, 3]
FRONTS = {
    "first": [],
    "behind a flattening": [Flatten],
    "behind what has no parameters": [ReLU, lambda: Dropout(0.0), Flatten],
}


def net(front, **options):
    layers = [*(kind() for kind in front), Embedding(7, 3), Dense(4, activation="softmax")]
    return tc.Sequential(layers, (5,), **options)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
def test_nothing_is_carried_beyond_it(front, training, keep):
    trace = net(front, dtype="float64").trace(WORDS, training=training, rng=0)
    gradients = trace.backward(labels=LABELS, keep=keep)
    W, dz = trace["dense1"].params["W"], trace.y - np.eye(4)
    expected = np.zeros((7, 3))
    np.add.at(expected, WORDS, (dz / 4 @ W.T).reshape(4, 5, 3))
    np.testing.assert_allclose(gradients["embedding1.table"], expected, rtol=0, atol=1e-14)
    for record in trace.records[:-1]:
        assert record.dx is None
    assert (trace["dense1"].dx is not None) is keep


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
def test_a_gradient_check_says_that_the_input_is_not_differentiable(front):
    report = tc.gradcheck(net(front), WORDS, labels=LABELS)
    assert report.ok
    assert [tensor.name for tensor in report.tensors] == [
        "embedding1.table",
        "dense1.W",
        "dense1.b",
    ]
    note = "x is not differentiable, as backward says: it gives None for it"
    assert report.to_dict()["notes"] == [note]
    assert note in str(report)
    assert note in report._repr_html_()


def test_a_wrong_table_is_found():
    class Wrong(Embedding):
        def backward(self, params, dy, saved, context):
            return None, {"table": 1.01 * super().backward(params, dy, saved, context)[1]["table"]}

    model = tc.Sequential([Wrong(7, 3), Dense(4, activation="softmax")], (5,))
    assert not tc.gradcheck(model, WORDS, labels=LABELS)["embedding1.table"].ok


def test_asked_for_by_name_it_is_missed():
    report = tc.gradcheck(net([]), WORDS, labels=LABELS, wrt="x")
    assert report.problems == ["backward gives no gradient for x, which wrt names"]


def test_where_parameters_stand_before_it_they_need_dx():
    model = tc.Sequential([Dense(5), ReLU(), Embedding(7, 3), Dense(4)], (5,))
    with model.edit() as p:
        p.flat[...] = 0
    message = "embedding1 (Embedding): backward returned None for dx, which the parameters of the"
    with pytest.raises(ArgumentError, match=re.escape(message)):
        model.trace(WORDS).backward(labels=LABELS)


NET = """
import numpy as np, tinycnn as tc
from tinycnn.layers import Conv2D, Flatten, Layer

class Stop(Layer):
    def output_shape(self, input_shape):
        return (4,)
    def parameter_shapes(self, input_shape):
        return {"table": (4,)}
    def forward(self, params, x, context):
        return x.reshape(len(x), -1)[:, :4] * 0 + params["table"], None
    def backward(self, params, dy, saved, context):
        return None, {"table": dy.sum(0)}

net = tc.Sequential([Flatten(), Stop(name="stop"), tc.layers.Softmax()], (8, 8, 3))
"""


def test_the_walk_says_that_there_is_no_gradient(tmp_path):
    (tmp_path / "stop.py").write_text(NET)
    lesson = open_lesson(model=f"{tmp_path / 'stop.py'}:net")
    rows = [(row.name, row.gradient) for row in overview.backward_rows(lesson)]
    assert rows == [("softmax1", "dL/dx"), ("stop", "dL/dtable")]
    assert np.isnan(LessonCache(lesson).layout(0, backward=True).cells).all()
    with pytest.raises(ArgumentError, match="stop gives no gradient of its input: its backward"):
        lesson.backward.explain("stop.x", at=(3,))
    with pytest.raises(ArgumentError, match="no gradient reaches flatten1: a layer after it gives"):
        lesson.backward.explain("flatten1.x", at=(0, 0, 0))
    assert lesson.backward.explain("stop.table[1]").value == lesson.trace["stop"].grads["table"][1]
