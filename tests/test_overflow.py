"""What is too large for a dtype becomes infinity, in silence: here a warning of NumPy's is an error."""

import numpy as np
import pytest
from small_nets import IMAGE, images, plain_net

import tinycnn as tc
from tinycnn import ops
from tinycnn.arrays import as_input_array, cast
from tinycnn.checking import explain
from tinycnn.initializers import Constant, Gaussian
from tinycnn.layers import Dense, Layer
from tinycnn.optimizers import SGD
from tinycnn.testing.layouts import LAYOUTS, laid_out

SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
# The halfway point between float32's largest number and 2**128, which rounds to infinity.
BEYOND = float(2**128 - 2**103)
HUGE = [1e300, -1e300, BEYOND, np.longdouble("1e4000"), np.inf]


def dense(**options):
    return tc.Sequential([Dense(3)], (4,), **options)


@pytest.mark.parametrize("value", HUGE)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_array_of_any_layout(value, layout):
    array = laid_out(np.full((2, 3), value), layout)
    expected = np.full((2, 3), np.copysign(np.inf, value), np.float32)
    read = as_input_array(array, "x", "...", SINGLE)
    np.testing.assert_array_equal(read, expected)
    assert read.dtype == SINGLE and read.flags.c_contiguous and read.flags.aligned


def test_what_rounds_down_stays_finite():
    assert cast(np.array(np.nextafter(BEYOND, 0)), SINGLE) == np.finfo(SINGLE).max


def test_what_has_the_dtype_is_not_copied():
    array = np.ones(3, SINGLE)
    assert cast(array, SINGLE) is array
    assert np.shares_memory(as_input_array(array, "x", "...", SINGLE), array)


def test_a_users_settings_stay_as_they_are():
    with np.errstate(over="raise"):
        assert np.isinf(cast(np.array(1e300), SINGLE))
        with pytest.raises(FloatingPointError):
            np.array([1e300]).astype(np.float32)


@pytest.mark.parametrize("run", [lambda m, x: m.predict(x), lambda m, x: m.trace(x).y])
def test_inputs_of_a_model(run):
    x = np.zeros((2, 4))
    x[1, 2] = 1e300
    y, W = run(dense(), x), dense().parameters()["dense1.W"]
    np.testing.assert_array_equal(y, [[0, 0, 0], np.copysign(np.inf, W[2])])


def test_a_gradient_from_outside():
    gradients = dense().trace(np.ones((1, 4))).backward([[1e300, -1e300, 1]])
    np.testing.assert_array_equal(gradients["dense1.b"], [np.inf, -np.inf, 1])


def test_parameters_and_gradients_by_name():
    model = dense()
    with model.edit() as p:
        p["dense1.b"] = [1e300, -1e300, 1]
    np.testing.assert_array_equal(model.parameters()["dense1.b"], [np.inf, -np.inf, 1])
    model, zero = dense(), np.zeros((4, 3))
    SGD(model).step({"dense1.W": zero, "dense1.b": [1e300, -1e300, 0]})
    np.testing.assert_array_equal(model.parameters()["dense1.b"], [-np.inf, np.inf, 0])


@pytest.mark.parametrize("std", [1e300, BEYOND])
def test_normal_parameters_have_the_signs_of_smaller_ones(std):
    signs, out = np.empty((2, 5), SINGLE), np.empty((2, 5), SINGLE)
    Gaussian(1.0)(signs, np.random.default_rng(0))
    Gaussian(std)(out, np.random.default_rng(0))
    np.testing.assert_array_equal(out, np.copysign(np.inf, signs))


def test_normal_parameters_that_overflow_in_part():
    plain, out = np.empty(50, SINGLE), np.empty(50, SINGLE)
    Gaussian(1.0)(plain, np.random.default_rng(0))
    Gaussian(2.0**127)(out, np.random.default_rng(0))
    expected = np.where(abs(plain) < 2, plain.astype(DOUBLE) * 2.0**127, np.copysign(np.inf, plain))
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    ("value", "dtype"), [(1e300, SINGLE), (np.longdouble("1e4000"), DOUBLE)], ids=str
)
def test_constant_parameters(value, dtype):
    out = np.empty(3, dtype)
    Constant(value)(out, np.random.default_rng(0))
    np.testing.assert_array_equal(out, np.inf)


def test_operators():
    beyond = np.full((1, 4, 4, 2), np.longdouble("1e4000"))
    assert ops.relu(np.longdouble("1e4000")) == np.inf
    assert np.isinf(ops.max_pool2d(beyond, 2)[0]).all()
    assert np.isinf(ops.conv2d(beyond, np.ones((3, 3, 2, 1)), algorithm="im2col")).all()


class Wide(Layer):
    """A layer of a user's whose results are too large."""

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return x * np.float64(1e300), None

    def backward(self, params, dy, saved, context):
        return dy * np.float64(1e300), {}


def test_results_of_a_users_layer():
    trace = tc.Sequential([Wide()], (2,)).trace([[1.0, -1.0]])
    np.testing.assert_array_equal(trace.y, [[np.inf, -np.inf]])
    trace.backward([[-1.0, 1.0]])
    np.testing.assert_array_equal(trace.records[0].dx, [[-np.inf, np.inf]])


def test_a_gradient_check_far_beyond_float32():
    with np.errstate(over="warn"):
        # What the bias adds is lost in outputs of 1e300: that is not known, and not wrong.
        assert tc.gradcheck(dense(), np.full((2, 4), 1e300)).verdict == "undecided"
        explain(dense(), np.full((2, 4), 1e300), where="dense1.W[0,0]")
        model = plain_net(dtype="float64")
        with model.edit() as p:
            p["dense1.b"] = np.full(5, 1e250)
        tc.gradcheck(model, images(1, IMAGE))
