"""The doors for arrays: what would be misread is refused at each of them, with the remedy."""

import re
import warnings

import numpy as np
import pytest
from small_nets import IMAGE, images, plain_net

import tinycnn as tc
from tinycnn import ops
from tinycnn.arrays import as_array, as_input_array, misread
from tinycnn.errors import DTypeError, ShapeError
from tinycnn.initializers import Constant
from tinycnn.layers import Layer

MASKED = np.ma.masked_greater(np.array([[1.0, 2.0, 1e6]]), 100)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    MATRIX = np.matrix([[1.0, 2.0]])


class Sparse:
    """As SciPy's sparse arrays are: no array, and no sequence."""

    shape, dtype = (2, 2), np.dtype(float)

    def toarray(self):
        return np.eye(2)


class Refusing:
    """As a tensor of another library that lies on a device, or whose gradient is recorded."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


def endless():
    value = []
    value.append(value)
    return value


REFUSED = {
    "masked": (MASKED, "x has masked cells, whose mask would be lost; say what stands in their"),
    "masked rows in a list": ([[1.0, 2.0, 3.0], MASKED[0]], "x has masked cells"),
    "a masked cell in a list": ([[1.0, np.ma.masked]], "x has masked cells"),
    "masked rows in a tuple of lists": (([1.0], [MASKED]), "x has masked cells"),
    "matrix": (MATRIX, "got a numpy.matrix, which stays 2-D; pass np.asarray(x)"),
    "sparse": (Sparse(), "x must be an array, got a sparse Sparse; pass x.toarray()"),
    "sparse in a list": ([Sparse(), Sparse()], "got a sparse Sparse; pass x.toarray()"),
    "on a device": (Refusing(TypeError("use .cpu() first")), "as an array: use .cpu() first"),
    "recorded": (Refusing(RuntimeError("use .detach()")), "x cannot be read as an array: use .det"),
    "structured": (np.zeros(3, [("a", "f4")]), "[('a', '<f4')]; take one of its fields"),
    "records": (np.rec.array([(1.0,)], dtype=[("a", "f4")]), "take one of its fields"),
    "dates": (np.zeros(3, "M8[s]"), "got dtype datetime64[s]; count in a unit, such as (x -"),
    "durations": (np.zeros(3, "m8[s]"), "got dtype timedelta64[s]; count in a unit, such as x /"),
    "complex": (np.zeros(3, complex), "got dtype complex128; convert it to float32 or float64"),
    "texts": (["1", "2"], "got dtype <U1; convert it to float32 or float64"),
    "bytes": ([b"1"], "got dtype |S1; convert it"),
    "objects": ([None, 1.0], "got dtype object; convert it"),
    "large integers": ([2**70], "got dtype object; convert it"),
    "endless": (endless(), "x "),
}


@pytest.mark.parametrize(("value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_misread(value, message):
    with pytest.raises((DTypeError, ShapeError), match=re.escape(message)):
        as_input_array(value, "x", "...", np.dtype(np.float32))


@pytest.mark.parametrize(
    "value",
    [
        [1, 2.5, True],
        [[np.float32(1), 2], (3, 4)],
        [np.ones(2), np.zeros(2, np.uint8)],
        np.ma.array([1.0, 2.0]),  # nothing of it is masked
        np.ma.array([1.0, 2.0], mask=[False, False]),
        np.float16(3),
        np.longdouble(3),
        memoryview(np.ones(3)),
        range(3),
        [],
    ],
)
def test_what_is_numbers_is_read(value):
    assert misread(value) == ""
    expected = np.array(value.tolist() if hasattr(value, "tolist") else value, np.float64)
    np.testing.assert_array_equal(as_input_array(value, "x", "...", np.dtype(np.float64)), expected)


def test_the_remedies_work():
    np.testing.assert_array_equal(as_array(MASKED.filled(0), "x"), [[1, 2, 0]])
    np.testing.assert_array_equal(as_array(np.asarray(MATRIX), "x"), [[1, 2]])
    np.testing.assert_array_equal(as_array(Sparse().toarray(), "x"), np.eye(2))
    seconds = np.array([0, 5, 7], "M8[s]")
    counted = (seconds - seconds.min()) / np.timedelta64(1, "s")
    np.testing.assert_array_equal(as_array(counted, "x"), [0, 5, 7])


# ------------------------------------------------------------------------------------- every door


def masked(*shape, dtype=np.float64):
    return np.ma.array(np.ones(shape, dtype), mask=np.arange(np.prod(shape)).reshape(shape) == 1)


X, W, B, Y = np.ones((1, 4, 4, 2)), np.ones((3, 3, 2, 3)), np.ones(3), np.ones((1, 2, 2, 3))
M = masked(1, 4, 4, 2)


def model():
    return plain_net()


def edited(name, value):
    with model().edit() as p:
        p[name] = value


def step(value):
    net = model()
    gradients = dict(net.trace(images(1)).backward(labels=[0]))
    tc.optimizers.SGD(net).step({**gradients, "dense1.b": value})


class Returns(Layer):
    """A user's layer that returns masked arrays, forward or backward."""

    def __init__(self, y, dx):
        self.y, self.dx = y, dx

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return self.y, None

    def backward(self, params, dy, saved, context):
        return self.dx, {}


def passed(y, dx):
    tc.Sequential([Returns(y, dx)], (2,)).trace(np.ones((2, 2))).backward(np.ones((2, 2)))


LIST = np.ones((2, 3))
DOORS = {
    "conv2d x": lambda: ops.conv2d(M, W),
    "conv2d W": lambda: ops.conv2d(X, masked(3, 3, 2, 3)),
    "conv2d b": lambda: ops.conv2d(X, W, masked(3)),
    "conv2d_backward dy": lambda: ops.conv2d_backward(masked(1, 2, 2, 3), X, W),
    "conv2d_backward x": lambda: ops.conv2d_backward(Y, M, W),
    "conv2d_backward y": lambda: ops.conv2d_backward(
        Y, X, W, activation="relu", y=masked(1, 2, 2, 3)
    ),
    "max_pool2d": lambda: ops.max_pool2d(M, 2),
    "max_pool2d_backward dy": lambda: ops.max_pool2d_backward(
        masked(1, 2, 2, 2), np.zeros((1, 2, 2, 2), np.uint8), X.shape, 2
    ),
    "max_pool2d_backward winner": lambda: ops.max_pool2d_backward(
        np.ones((1, 2, 2, 2)), masked(1, 2, 2, 2, dtype=np.uint8), X.shape, 2
    ),
    "avg_pool2d": lambda: ops.avg_pool2d(M, 2),
    "avg_pool2d_backward": lambda: ops.avg_pool2d_backward(masked(1, 2, 2, 2), X.shape, 2),
    "dense x": lambda: ops.dense(masked(2, 3), np.ones((3, 2))),
    "dense W": lambda: ops.dense(LIST, masked(3, 2)),
    "dense_backward dy": lambda: ops.dense_backward(masked(2, 2), LIST, np.ones((3, 2))),
    "relu": lambda: ops.relu(M),
    "relu_backward dy": lambda: ops.relu_backward(M, X),
    "relu_backward y": lambda: ops.relu_backward(X, M),
    "softmax": lambda: ops.softmax(M),
    "softmax_backward": lambda: ops.softmax_backward(M, X),
    "cross_entropy logits": lambda: ops.cross_entropy(masked(2, 3), [0, 1]),
    "cross_entropy labels": lambda: ops.cross_entropy(LIST, masked(2, dtype=int)),
    "cross_entropy labels in a list": lambda: ops.cross_entropy(LIST, [0, np.ma.masked]),
    "dropout": lambda: ops.dropout(M, 0.5, 0),
    "dropout_backward dy": lambda: ops.dropout_backward(M, X > 0, 0.5),
    "dropout_backward mask": lambda: ops.dropout_backward(X, np.ma.array(X > 0, mask=X > 0), 0.5),
    "moments": lambda: ops.moments(M),
    "batch_normalization": lambda: ops.batch_normalization(M, *[X[0, 0, 0]] * 4),
    "batch_normalization_backward": lambda: ops.batch_normalization_backward(
        M, X, *[X[0, 0, 0]] * 3
    ),
    "local_response_norm": lambda: ops.local_response_norm(M),
    "local_response_norm_backward": lambda: ops.local_response_norm_backward(M, X),
    "im2col": lambda: ops.im2col(M, 2),
    "col2im": lambda: ops.col2im(masked(9, 8), X.shape, 2),
    "predict": lambda: model().predict(masked(2, *IMAGE)),
    "predict a list": lambda: model().predict([*images(40), masked(*IMAGE)]),
    "trace": lambda: model().trace(masked(2, *IMAGE)),
    "backward dy": lambda: model().trace(images(2)).backward(masked(2, 5)),
    "backward labels": lambda: model().trace(images(2)).backward(labels=masked(2, dtype=int)),
    "edit": lambda: edited("dense1.b", masked(5)),
    "step": lambda: step(masked(5)),
    "a layer's y": lambda: passed(masked(2, 2), np.ones((2, 2))),
    "a layer's dx": lambda: passed(np.ones((2, 2)), masked(2, 2)),
    "an initializer": lambda: Constant(masked(2))(np.empty(2), np.random.default_rng(0)),
    "gradcheck": lambda: tc.gradcheck((np.sin, lambda dy, x: dy * np.cos(x)), masked(2, 3)),
    "gradcheck of a model": lambda: tc.gradcheck(model(), masked(2, *IMAGE)),
    "gradcheck dy": lambda: tc.gradcheck(
        (np.sin, lambda dy, x: dy * np.cos(x)), LIST, dy=masked(2, 3)
    ),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_every_door_refuses_masked_cells(door):
    with pytest.raises(DTypeError, match=r"has masked cells, whose mask would be lost; say what"):
        door()


@pytest.mark.parametrize(
    ("forward", "backward", "what"),
    [
        (lambda x: np.ma.masked_less(x, 0.5), lambda dy, x: dy, "forward's result"),
        (lambda x: x, lambda dy, x: np.ma.masked_less(dy, 0), "dx"),
    ],
)
def test_a_gradient_check_says_that_results_are_masked(forward, backward, what):
    report = tc.gradcheck((forward, backward), np.linspace(0, 1, 6))
    assert not report.ok
    assert f"{what} has masked cells, whose mask would be lost" in " ".join(str(report).split())
