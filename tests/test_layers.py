"""Layers: shapes worked out as the ops give them, errors that help, and layers of a user's own."""

import copy
import math
import pickle
import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_nets import IMAGE, Scale, Square, errors_of_gradients, every_layer, images
from twins import error

import tinycnn as tc
from tinycnn import ops
from tinycnn.errors import ArgumentError, DTypeError, ShapeError, TinyCNNError
from tinycnn.initializers import Constant, He
from tinycnn.layers import (
    IDENTITY,
    AveragePool2D,
    BackwardContext,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    ForwardContext,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.testing.strategies import convolutions, pools

TRAINING = ForwardContext(training=True, rng=7)


def run(layer, shape, context=None):
    """What the layer gives for zeros, with parameters of the shapes it asks for."""
    context = context or ForwardContext()
    params = {name: np.zeros(size) for name, size in layer.parameter_shapes(shape[1:]).items()}
    return layer.forward(params, np.zeros(shape), context)


class Rows(Layer):
    """The rows of an image, (H, W*C)."""

    def output_shape(self, input_shape):
        H, W, C = input_shape
        return H, W * C


# ------------------------------------------------------------------------------------- the shapes


@given(convolutions())
def test_conv2d_knows_its_shapes(case):
    layer = Conv2D(case.filters, case.geometry.kernel, **case.options)
    assert layer.parameter_shapes(case.x_shape[1:]) == {"W": case.W_shape, "b": (case.filters,)}
    assert layer.output_shape(case.x_shape[1:]) == case.y_shape[1:]
    assert run(layer, case.x_shape)[0].shape == case.y_shape
    # Every output cell is a sum over its group's columns.
    cells = math.prod(case.geometry.size)
    assert layer.multiply_adds(case.x_shape[1:]) == cells * math.prod(case.W_shape)
    columns = ops.im2col(np.zeros((1, *case.x_shape[1:])), case.geometry.kernel, **case.window)
    assert layer.im2col_cells(case.x_shape[1:]) == columns.size


@given(pools())
def test_max_pool_knows_its_shapes(pool):
    layer = MaxPool2D(**pool.options)
    assert layer.output_shape(pool.geometry.shape[1:]) == pool.geometry.out_shape[1:]
    assert layer.parameter_shapes(pool.geometry.shape[1:]) == {}
    assert run(layer, pool.geometry.shape)[0].shape == pool.geometry.out_shape


@given(pools(max_dilation=1), st.booleans())
def test_average_pool_knows_its_shapes(pool, include):
    layer = AveragePool2D(**pool.options, count_include_pad=include)
    assert layer.output_shape(pool.geometry.shape[1:]) == pool.geometry.out_shape[1:]
    assert run(layer, pool.geometry.shape)[0].shape == pool.geometry.out_shape


shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)


@given(st.integers(0, 3), shapes, st.integers(1, 6), st.sampled_from([None, "relu", "softmax"]))
def test_dense_knows_its_shapes(N, shape, units, activation):
    layer = Dense(units, activation=activation)
    assert layer.output_shape(shape) == (units,)
    assert layer.parameter_shapes(shape) == {"W": (math.prod(shape), units), "b": (units,)}
    assert layer.multiply_adds(shape) == math.prod(shape) * units
    assert run(layer, (N, *shape))[0].shape == (N, units)


@given(st.integers(0, 3), shapes, st.sampled_from([Dropout(), ReLU(), Softmax(), Flatten()]))
def test_layers_for_any_shape_know_theirs(N, shape, layer):
    for context in (ForwardContext(), TRAINING):
        y, saved = run(layer, (N, *shape), context)
        assert y.shape == (N, *layer.output_shape(shape))
        dx, gradients = layer.backward({}, np.zeros(y.shape), saved, context)
        assert dx.shape == (N, *shape)
        assert gradients == {}


@given(st.integers(0, 3), st.tuples(*[st.integers(1, 6)] * 3), st.sampled_from([1, 3, 7]))
def test_local_response_norm_knows_its_shapes(N, shape, size):
    layer = LocalResponseNorm(size=size)
    assert layer.output_shape(shape) == shape
    assert run(layer, (N, *shape))[0].shape == (N, *shape)


def test_pools_step_by_their_kernel_unless_told():
    for pool in (MaxPool2D, AveragePool2D):
        assert pool((3, 2)).stride == (3, 2)
        assert pool(3, stride=(2, 1)).stride == (2, 1)


def test_pools_build_no_dx_that_is_not_needed():
    for layer in (MaxPool2D(2), AveragePool2D(2)):
        y, saved = run(layer, (1, 4, 4, 2))
        assert layer.backward({}, y, saved, BackwardContext(need_dx=False)) == (None, {})


# ------------------------------------------------------------------------------------ the errors


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2D(0, 3), "filters must be at least 1, got 0"),
        (lambda: Conv2D(-4, 3), "filters must be at least 1, got -4"),
        (lambda: Conv2D(2.5, 3), "filters must be an int, got 2.5"),
        (lambda: Conv2D(4, 0), "kernel must be at least 1, got 0"),
        (lambda: Conv2D(4, (3, 3, 3)), "kernel must be an int or a pair (height, width)"),
        (lambda: Conv2D(4, 3, stride=0), "stride must be at least 1, got 0"),
        (lambda: Conv2D(4, 3, dilation=0), "dilation must be at least 1, got 0"),
        (lambda: Conv2D(4, 3, groups=0), "groups must be at least 1, got 0"),
        (lambda: Conv2D(4, 3, activation="tanh"), "activation must be one of None, 'relu'"),
        (lambda: Conv2D(4, 3, activation=np.array([1, 1])), "None, 'relu', got array([1, 1])"),
        (lambda: Conv2D(4, 3, algorithm=np.array([1, 1])), "'reference', got array([1, 1])"),
        (lambda: Dense(4, activation=np.array([1, 1])), "'softmax', got array([1, 1])"),
        (lambda: Conv2D(4, 3, activation="softmax"), "activation must be one of None, 'relu'"),
        (lambda: Conv2D(4, 3, weight_initializer="he"), "an initializer is called as f(out, rng)"),
        (lambda: Dense(4, bias_initializer=0.1), "an initializer is called as f(out, rng)"),
        (lambda: Dense(0), "units must be at least 1, got 0"),
        (lambda: Dense(4, activation="tanh"), "one of None, 'relu', 'softmax', got 'tanh'"),
        (lambda: MaxPool2D(0), "kernel must be at least 1, got 0"),
        (lambda: MaxPool2D(2, stride=0), "stride must be at least 1, got 0"),
        (lambda: MaxPool2D(2, dilation=-1), "dilation must be at least 1, got -1"),
        (lambda: AveragePool2D("2"), "kernel must be an int or a pair (height, width)"),
        (lambda: AveragePool2D(2, stride=(1, 0)), "stride must be at least 1, got 0"),
        (lambda: Dropout(1.0), "rate must be a finite number from 0 up and below 1, got 1.0"),
        (lambda: Dropout(-0.1), "rate must be a finite number from 0 up and below 1, got -0.1"),
        (lambda: Dropout(math.nan), "rate must be a finite number from 0 up and below 1, got nan"),
        (lambda: LocalResponseNorm(size=4), "size must be odd"),
        (lambda: BatchNormalization(momentum=1), "momentum must be a finite number from 0 up and"),
        (lambda: BatchNormalization(epsilon=0), "epsilon must be a finite number above 0, got 0"),
        (lambda: BatchNormalization(epsilon=math.inf), "a finite number above 0, got inf"),
        (lambda: LocalResponseNorm(alpha=-1), "alpha must be a finite number from 0 up"),
    ],
)
def test_arguments_out_of_range_are_refused_at_once(make, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        # The name, the arithmetic and the remedy.
        (
            [Dense(9), Conv2D(4, 3)],
            [
                "conv1 (Conv2D): takes images (H, W, C), but its input has shape (9,)",
                "put it before",
            ],
        ),
        (
            [Flatten(), MaxPool2D(2)],
            ["pool1 (MaxPool2D): takes images (H, W, C), but its input has shape (297,)"],
        ),
        (
            [Flatten(), LocalResponseNorm()],
            ["norm1 (LocalResponseNorm): takes images (H, W, C), but its input has shape (297,)"],
        ),
        (
            [Rows(), BatchNormalization()],
            [
                "batchnorm1 (BatchNormalization): takes images (H, W, C) or rows (C,), but its input "
                "has shape (11, 27)"
            ],
        ),
        (
            [MaxPool2D(3), Conv2D(4, (3, 6), padding=(0, 1))],
            [
                "conv1 (Conv2D): the kernel does not fit the padded image",
                "width 3 + padding 2 = 5 is less than 6",
                "use a smaller kernel or more padding",
            ],
        ),
        (
            [MaxPool2D(4), Conv2D(4, 5, padding=1, name="second")],
            [
                "second (Conv2D): the kernel does not fit the padded image",
                "height 2 + padding 2 = 4 is less than 5",
                "use a smaller kernel or more padding",
            ],
        ),
        (
            [Conv2D(4, 3), Conv2D(6, 3, groups=4)],
            [
                "conv2 (Conv2D): groups must divide the channels and the filters",
                "4 groups for 4 channels and 6 filters",
                "use a divisor of 2",
            ],
        ),
        ([Conv2D(4, 3, padding="full")], ['conv1 (Conv2D): padding must be numbers, "valid" or']),
        ([Conv2D(4, 3, padding=-1)], ["conv1 (Conv2D): padding must be at least 0, got -1"]),
        (
            [MaxPool2D(2, padding=2)],
            ["pool1 (MaxPool2D): a pool window lies wholly in the padding", "use less padding"],
        ),
        ([AveragePool2D(12)], ["pool1 (AveragePool2D): the kernel does not fit the padded image"]),
    ],
)
def test_layers_that_do_not_fit_are_named_with_the_arithmetic_and_the_remedy(layers, words):
    with pytest.raises(TinyCNNError) as caught:
        tc.Sequential(copy.deepcopy(layers), IMAGE)
    assert str(caught.value).startswith(words[0])
    for word in words[1:]:
        assert word in str(caught.value)


@pytest.mark.parametrize("layer", every_layer(), ids=lambda layer: type(layer).__name__)
def test_layers_show_what_they_are(layer):
    assert repr(layer).startswith(f"<{type(layer).__name__} (unnamed)")


def test_a_layers_facts_stand_in_its_repr():
    assert repr(Conv2D(4, 3, groups=2, name="c")) == (
        "<Conv2D c, filters=4, kernel=3 x 3, stride=1, padding=0, groups=2>"
    )
    unusual = MaxPool2D((3, 2), stride=2, dilation=(1, 2), ceil_mode=True)
    assert "stride=2, padding=0, details=dilation (1, 2), ceil_mode True" in repr(unusual)
    assert "count_include_pad False" in repr(AveragePool2D(2, count_include_pad=False))
    assert "n 3, details=k 1, a = alpha/size, alpha 0.1" in repr(
        LocalResponseNorm(size=3, alpha=0.1, k=1, alpha_over_size=True)
    )
    assert "rate 0.25" in repr(Dropout(0.25))
    assert repr(BatchNormalization(name="n")) == "<BatchNormalization n>"
    assert "details=momentum 0.9, epsilon 1e-05" in repr(
        BatchNormalization(momentum=0.9, epsilon=1e-5)
    )


# -------------------------------------------------------------------------- a user's own layers


def a_users_net(**options):
    return tc.Sequential(
        [Conv2D(4, 3), Square(), Scale(), Flatten(), Scale(), Dense(3)], IMAGE, **options
    )


def test_a_users_layers_work_in_a_model():
    model = a_users_net()
    x = images(3)
    p = model.parameters()
    assert list(p) == [
        "conv1.W", "conv1.b", "scale1.scale", "scale2.scale", "dense1.W", "dense1.b",
    ]  # fmt: skip
    assert ((p["scale1.scale"] >= 0.5) & (p["scale1.scale"] <= 1.5)).all()
    features = ops.conv2d(x, p["conv1.W"]) ** 2 * p["scale1.scale"]
    expected = ops.dense(features.reshape(3, -1) * p["scale2.scale"], p["dense1.W"])
    assert (
        error(model.predict(x), expected) < 1e-6
    )  # its dense product sums in another order than BLAS
    trace = model.trace(x)
    np.testing.assert_array_equal(trace.y, expected)
    np.testing.assert_array_equal(trace["square1"].y, trace["conv1"].y ** 2)
    assert trace["square1"].z is trace["square1"].y


def test_a_users_layers_carry_gradients():
    errors = errors_of_gradients(a_users_net(dtype="float64"), images(2, dtype=np.float64))
    assert set(errors) == {
        "conv1.W", "conv1.b", "scale1.scale", "scale2.scale", "dense1.W", "dense1.b", "x",
    }  # fmt: skip
    assert max(errors.values()) < 1e-7


def test_a_users_layers_learn():
    model = a_users_net()
    before = model.parameters()["scale1.scale"].copy()
    trace = model.trace(images(3), training=True, rng=0)
    tc.optimizers.SGD(model, rate=0.01).step(trace.backward(labels=[0, 1, 2]))
    assert (model.parameters()["scale1.scale"] != before).any()


def test_a_users_layers_stand_in_the_summary():
    summary = a_users_net().summary()
    rows = {row.name: row for row in summary.rows}
    assert (rows["square1"].kind, rows["square1"].parameters) == ("Square", 0)
    assert (rows["scale1"].kind, rows["scale1"].parameters) == ("Scale", 4)
    assert rows["scale2"].output_shape == (9 * 7 * 4,)
    assert "scale1" in str(summary)


def test_a_users_layers_are_pickled_and_copied():
    model = a_users_net(rng=3)
    x = images(2)
    expected = model.predict(x)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(twin.predict(x), expected)


def test_layers_of_a_user_may_be_equal_and_have_no_hash():
    @dataclass
    class Times(Layer):
        factor: float

        def output_shape(self, input_shape):
            return input_shape

        def forward(self, params, x, context):
            return x * self.factor, None

        def backward(self, params, dy, saved, context):
            return dy * self.factor, {}

    assert Times(2.0) == Times(2.0)
    model = tc.Sequential([Times(2.0), Times(2.0)], (3,))
    np.testing.assert_array_equal(model.predict(np.ones((1, 3))), [[4, 4, 4]])
    assert [layer.name for layer in model.layers] == ["layer1", "layer2"]
    twice = Times(2.0)
    with pytest.raises(ArgumentError, match="already part of a model"):
        tc.Sequential([twice, twice], (3,))


def test_a_users_layer_may_say_more_of_itself_than_the_summary_shows():
    class Wordy(Square):
        def facts(self):
            return {"filters": 3, "colour": "red"}

    model = tc.Sequential([Wordy()], (3,))
    assert model.summary().rows[0].filters == "3"
    assert "colour=red" in repr(model.layers[0])


def test_what_a_users_layer_returns_becomes_the_models_dtype():
    class Double(Square):
        def forward(self, params, x, context):
            return (x * np.float64(2)).tolist(), None

        def backward(self, params, dy, saved, context):
            return dy * np.float64(2), {}

    model = tc.Sequential([Dense(3), Double(), Dense(2)], (4,))
    trace = model.trace(images(2, (4,)))
    assert trace["square1"].y.dtype == np.float32
    trace.backward(labels=[0, 1])
    assert trace["square1"].dx.dtype == np.float32
    np.testing.assert_array_equal(trace["square1"].dx, trace["square1"].dy * 2)


def test_a_users_layer_cannot_write_into_what_belongs_to_others():
    class InPlace(Square):
        def forward(self, params, x, context):
            x *= x
            return x, None

    class InPlaceBackward(Square):
        def backward(self, params, dy, saved, context):
            dy *= 2
            return dy, {}

    with pytest.raises(ValueError, match="read-only"):
        tc.Sequential([Dense(2), InPlace()], (2,)).predict(images(1, (2,)))
    trace = tc.Sequential([InPlaceBackward(), Dense(2)], (2,)).trace(images(1, (2,)))
    with pytest.raises(ValueError, match="read-only"):
        trace.backward(np.ones((1, 2)))


def faulty(**methods):
    """A `Scale` with some methods replaced, between two dense layers."""
    kind = type("Faulty", (Scale,), methods)
    return tc.Sequential([Dense(3), kind(name="mine"), Dense(2)], (4,))


RIGHT = {"scale": np.zeros(3)}


@pytest.mark.parametrize(
    ("methods", "error", "message"),
    [
        (
            {"forward": lambda *_: (np.zeros((2, 4)), None)},
            ShapeError,
            "mine (Faulty): y must have shape (2, 3) (N and what output_shape says), "
            "got shape (2, 4)",
        ),
        (
            {"forward": lambda self, params, x, context: x},
            ArgumentError,
            "mine (Faulty): forward must return a tuple (y, saved), got ndarray",
        ),
        (
            {"forward": lambda *_: (["a", "b"], None)},
            DTypeError,
            "mine (Faulty): y must hold real numbers",
        ),
        (
            {"backward": lambda self, params, dy, saved, context: dy},
            ArgumentError,
            "mine (Faulty): backward must return a tuple (dx, gradients), got ndarray",
        ),
        (
            {"backward": lambda self, params, dy, saved, context: (dy, {})},
            ArgumentError,
            "mine (Faulty): backward must return a gradient for each parameter by name, 'scale', "
            "got none",
        ),
        (
            {"backward": lambda self, params, dy, saved, context: (dy, RIGHT | {"b": 0})},
            ArgumentError,
            "by name, 'scale', got 'scale', 'b'",
        ),
        (
            {"backward": lambda self, params, dy, saved, context: (dy, np.zeros(3))},
            ArgumentError,
            "by name, 'scale', got array([0., 0., 0.])",
        ),
        (
            {"backward": lambda self, params, dy, saved, context: (dy, {"scale": np.zeros(4)})},
            ShapeError,
            "mine (Faulty): dscale must have shape (3,) (the shape of scale), got shape (4,)",
        ),
        (
            {"backward": lambda self, params, dy, saved, context: (dy, {"scale": [1j] * 3})},
            DTypeError,
            "mine (Faulty): dscale must hold real numbers",
        ),
        (
            {"backward": lambda self, params, dy, saved, context: (None, RIGHT)},
            ArgumentError,
            "mine (Faulty): backward returned None for dx, which the parameters of the layers before it need",
        ),
        (
            {"backward": lambda self, params, dy, saved, context: (dy[:, :2], RIGHT)},
            ShapeError,
            "mine (Faulty): dx must have shape (2, 3) (the shape of x), got shape (2, 2)",
        ),
    ],
)
def test_what_a_users_layer_gets_wrong_is_named(methods, error, message):
    with pytest.raises(error) as caught:
        faulty(**methods).trace(np.ones((2, 4))).backward(np.ones((2, 2)))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"output_shape": lambda *_: None}, "what output_shape returns must be a shape such as"),
        ({"output_shape": lambda *_: (3, 0)}, "what output_shape returns must be at least 1"),
        ({"output_shape": lambda *_: (3, 1.5)}, "what output_shape returns must be an int"),
        ({"parameter_shapes": lambda *_: {"scale": 3}}, "the shape of scale must be a shape such"),
        ({"parameter_shapes": lambda *_: {"scale": (-3,)}}, "the shape of scale must be at least"),
    ],
)
def test_a_users_layer_must_give_shapes(methods, message):
    with pytest.raises(ArgumentError, match=r"mine \(Faulty\): .*" + message):
        faulty(**methods)


def test_shapes_may_be_lists_and_numpys_integers():
    model = faulty(
        output_shape=lambda self, shape: [np.int64(size) for size in shape],
        parameter_shapes=lambda self, shape: {"scale": list(shape)},
    )
    assert model.shapes == [(4,), (3,), (3,), (2,)]
    assert model.parameter_shapes()["mine.scale"] == (3,)
    trace = model.trace(np.ones((2, 4)))
    trace.backward(np.ones((2, 2)), out=trace.backward(np.ones((2, 2))))


@pytest.mark.parametrize("method", ["output_shape", "forward", "backward"])
def test_what_a_layer_must_define(method):
    class Bare(Layer):
        pass

    arguments = {"output_shape": 1, "forward": 3, "backward": 4}[method]
    with pytest.raises(NotImplementedError, match=f"Bare does not define {method}"):
        getattr(Bare(), method)(*[None] * arguments)


def test_what_a_layer_need_not_define():
    layer = Layer()
    assert layer.parameter_shapes((3,)) == {}
    assert layer.initializer("W") == He()
    assert layer.initializer("b") == Constant(0.0)
    assert layer.activation is IDENTITY
    assert (layer.multiply_adds((3,)), layer.im2col_cells((3,)), layer.facts()) == (0, 0, {})
    assert repr(layer) == "<Layer (unnamed)>"
