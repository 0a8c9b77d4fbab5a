"""Arrays of other engines: turned by hand here, index by index, and taken into a model."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    MaxPool2D,
    ReLU,
)
from tinycnn.weights import TORCH, Arrays, from_keras, from_torch

rng = np.random.default_rng(0)


def net(between=()):
    """2 x 3 maps of 4 channels before the dense layers, with ``between`` on the way."""
    layers = [
        Conv2D(4, (2, 3), groups=2, name="c"),
        *between,
        Dense(5, name="d"),
        Dense(5, name="e"),
    ]
    return tc.Sequential(layers, (3, 5, 2), dtype="float64")


def state(**more):
    return {
        "0.weight": rng.random((4, 1, 2, 3)), "0.bias": rng.random(4), **more,
        "2.weight": rng.random((5, 24)), "2.bias": rng.random(5),
        "3.weight": rng.random((5, 5)), "3.bias": rng.random(5),
    }  # fmt: skip


@pytest.mark.parametrize(
    "between", [(), (Flatten,), (Flatten, Dropout), (ReLU, Flatten, ReLU)], ids=str
)
def test_axes_and_rows_are_turned(between):
    given, model = state(), net([kind() for kind in between])
    origins = from_torch(given, model)
    p = model.parameters()
    for f, c, h, w in np.ndindex(4, 1, 2, 3):
        assert p["c.W"][h, w, c, f] == given["0.weight"][f, c, h, w]
    for unit, h, w, c in np.ndindex(5, 2, 3, 4):
        ours, theirs = (h * 3 + w) * 4 + c, (c * 2 + h) * 3 + w
        assert p["d.W"][ours, unit] == given["2.weight"][unit, theirs]
    np.testing.assert_array_equal(p["e.W"], given["3.weight"].T)  # its input was never an image
    for name, theirs in (("c.b", "0.bias"), ("d.b", "2.bias"), ("e.b", "3.bias")):
        np.testing.assert_array_equal(p[name], given[theirs])
    assert origins == {"c.W": "0.weight", "c.b": "0.bias", "d.W": "2.weight", "d.b": "2.bias",
                       "e.W": "3.weight", "e.b": "3.bias"}  # fmt: skip


def norm(size, prefix):
    names = ("weight", "bias", "running_mean", "running_var")
    return {f"{prefix}.{name}": rng.random(size) for name in names} | {
        f"{prefix}.num_batches_tracked": np.array(7)
    }


def test_batch_normalisation_of_maps_and_of_what_was_flattened():
    given = state(**norm(24, "1"))
    model = net([Flatten(), BatchNormalization(name="n")])
    from_torch(given, model)
    for name, theirs in (("gamma", "weight"), ("beta", "bias"), ("mean", "running_mean"),
                         ("variance", "running_var")):  # fmt: skip
        for h, w, c in np.ndindex(2, 3, 4):
            ours = model.arrays()[f"n.{name}"][(h * 3 + w) * 4 + c]
            assert ours == given[f"1.{theirs}"][(c * 2 + h) * 3 + w]
    given = state(**norm(4, "1"))
    model = net([BatchNormalization(name="n")])
    from_torch(given, model)
    np.testing.assert_array_equal(model.arrays()["n.mean"], given["1.running_mean"])
    assert model.parameters()["d.W"][1, 0] == given["2.weight"][0, 6]  # the second channel's first


def test_what_was_averaged_is_not_turned():
    model = tc.Sequential(
        [Conv2D(6, 1), GlobalAveragePool2D(), Dense(2)], (2, 3, 1), dtype="float64"
    )
    given = {"a.weight": rng.random((6, 1, 1, 1)), "a.bias": rng.random(6),
             "b.weight": rng.random((2, 6)), "b.bias": rng.random(2)}  # fmt: skip
    from_torch(given, model)
    np.testing.assert_array_equal(model.parameters()["dense1.W"], given["b.weight"].T)


def test_layers_are_found_by_name_or_as_one_says():
    given = state()
    shuffled = {f"{new}.{part}": given[f"{old}.{part}"] for new, old in (("e", 3), ("c", 0), ("d", 2))
                for part in ("weight", "bias")}  # fmt: skip
    plain, named, said = net(), net(), net()
    from_torch(given, plain)
    from_torch(shuffled, named)
    other = {f"m.{name}": array for name, array in reversed(given.items())}
    from_torch(other, said, names={"c": "m.0", "d": "m.2", "e": "m.3"})
    for model in (named, said):
        np.testing.assert_array_equal(model.parameters().flat, plain.parameters().flat)


def without(given, *names):
    return {name: array for name, array in given.items() if name not in names}


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (3, ArgumentError, "takes a state dict, such as .*, got an int"),
        ({"model": state()}, ArgumentError, r"model holds arrays by name itself: pass what \['model'\]"),
        (without(state(), "3.weight", "3.bias"), ArgumentError,
         r"layers c, d, e do not go together with '0', '2': .* names=\{layer: module\}"),
        (without(state(), "2.bias"), ArgumentError,
         r"d \(Dense\) takes weight, bias, but '2' has weight; .* bias=False"),
        (state() | {"0.weight": np.ones((4, 2, 2, 3))}, ShapeError,
         r"0.weight must have shape \(4, 1, 2, 3\), for c.W with shape \(2, 3, 1, 4\), got shape \(4, 2"),
        (state() | {"2.weight": np.ones((24, 5))}, ShapeError, r"2.weight must have shape \(5, 24\)"),
        (state() | {"0.bias": ["a"] * 4}, DTypeError, "0.bias must hold real numbers"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_leaves_the_model_as_it_was(given, error, words):
    model = net()
    before = model.parameters().flat.copy()
    with pytest.raises(error, match=words):
        from_torch(given, model)
    np.testing.assert_array_equal(model.parameters().flat, before)


def test_names_that_are_wrong_are_refused():
    for names in ({"c": "0"}, {"c": "0", "d": "2", "e": "4"}, {"x": "0", "d": "2", "e": "3"}):
        with pytest.raises(ArgumentError, match="do not go together"):
            from_torch(state(), net(), names=names)


class Scale(Layer):
    def output_shape(self, input_shape):
        return input_shape

    def parameter_shapes(self, input_shape):
        return {"scale": input_shape[-1:]}

    def forward(self, params, x, context):
        return x * params["scale"], x


def test_a_layer_of_ones_own_is_entered():
    given = {"0.gain": rng.random(4), "1.weight": rng.random((2, 4)), "1.bias": rng.random(2)}
    model = tc.Sequential([Scale(name="s"), Dense(2)], (4,), dtype="float64")
    with pytest.raises(
        ArgumentError, match=r"how other engines keep them is not known: enter it in"
    ):
        from_torch(given, model)
    TORCH.register(Scale)(Arrays({"scale": "gain"}, keeps_order=True))
    from_torch(given, model)
    np.testing.assert_array_equal(model.parameters()["s.scale"], given["0.gain"])


# --------------------------------------------------------------------------------------- Keras


def keras():
    """A convolution, batch normalisation and a dense layer: a model, its arrays in order, by name."""
    model = tc.Sequential(
        [Conv2D(4, (2, 3), groups=2, bias=False), BatchNormalization(), MaxPool2D(2), Dense(5)],
        (3, 7, 2), dtype="float64",
    )  # fmt: skip
    named = {"conv2d/kernel:0": rng.random((2, 3, 1, 4))}
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    named |= {f"batch_normalization/{part}:0": rng.random(4) for part in parts}
    return model, named | {"dense/kernel:0": rng.random((8, 5)), "dense/bias:0": rng.random(5)}


@pytest.mark.parametrize("in_order", [True, False])
def test_keras_has_our_axes_and_our_rows(in_order):
    model, named = keras()
    origins = from_keras([*named.values()] if in_order else named, model)
    ours = ("conv1.W", "batchnorm1.gamma", "batchnorm1.beta", "batchnorm1.mean", "batchnorm1.variance",
            "dense1.W", "dense1.b")  # fmt: skip
    for name, array in zip(ours, named.values(), strict=True):
        np.testing.assert_array_equal(model.arrays()[name], array)
    assert tuple(origins) == ours
    if not in_order:
        assert origins["batchnorm1.mean"] == "batch_normalization/moving_mean"


@pytest.mark.parametrize(("C", "M"), [(3, 2), (3, 1), (1, 4)])
def test_depthwise_filters_of_keras_are_counted_channel_by_channel(C, M):
    model = tc.Sequential([Conv2D(C * M, (2, 3), groups=C, bias=False)], (4, 5, C), dtype="float64")
    kernel, x = rng.random((2, 3, C, M)), rng.random((1, 4, 5, C))
    from_keras([kernel], model)
    y = model.predict(x)
    for c, m in np.ndindex(C, M):
        window = (x[0, 1:3, 2:5, c] * kernel[:, :, c, m]).sum()
        assert y[0, 1, 2, c * M + m] == pytest.approx(window, rel=1e-12)
    with pytest.raises(ShapeError, match="array 0: kernel must have shape"):
        from_keras([rng.random((2, 3, C + 1, M))], model)


def test_arrays_of_keras_that_do_not_go_together():
    model, named = keras()
    arrays = [*named.values()]
    for given, error, words in (
        (arrays[:-1], ArgumentError, r"has 7 arrays \(conv1\.W, .*dense1\.b\), got 6; .* bias=False"),
        ([arrays[1], arrays[0], *arrays[2:]], ShapeError, r"array 0: kernel must have shape \(2, 3, 1, 4\)"),
        ("w.h5", ArgumentError, "takes a list of arrays or arrays by name, got a str"),
        (np.ones(3), ArgumentError, "takes a list of arrays or arrays by name, got an ndarray"),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            from_keras(given, model)
