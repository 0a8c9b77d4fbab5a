"""AlexNet: the counts, the shapes, the layout and the first weights of every variant."""

import math

import numpy as np
import pytest
from small_nets import images

import tinycnn as tc
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.layers import Conv2D, Dense, Dropout, LocalResponseNorm, MaxPool2D
from tinycnn.networks import VARIANTS

# Outputs, inputs and places of each layer with weights, worked out by hand from `SIZES` and `WIDTHS`.
FASHION = (
    (32, 25 * 1, 28 * 28), (64, 25 * 32, 13 * 13), (128, 9 * 64, 6 * 6), (128, 9 * 128, 6 * 6),
    (64, 9 * 128, 6 * 6), (256, 2 * 2 * 64, 1), (256, 256, 1), (10, 256, 1),
)  # fmt: skip
FASHION_COUNTS = (
    sum(outputs * (inputs + 1) for outputs, inputs, _ in FASHION),
    sum(outputs * inputs * places for outputs, inputs, places in FASHION),
)

# Parameters and multiply-adds of the published networks, and of that which comes trained.
COUNTS = {
    "one-tower": (62_378_344, 1_135_256_096),
    "paper": (60_965_224, 724_406_816),
    "caffe": (60_965_224, 724_406_816),
    "caffenet": (60_965_224, 724_406_816),
    "torchvision": (61_100_840, 714_188_480),
    "fashion": FASHION_COUNTS,
}

ORDERS = {
    "one-tower": "conv1 pool1 conv2 pool2 conv3 conv4 conv5 pool3 "
    "dropout1 fc1 dropout2 fc2 fc3",
    "paper": "conv1 norm1 pool1 conv2 norm2 pool2 conv3 conv4 conv5 pool3 "
    "fc1 dropout1 fc2 dropout2 fc3",
    "caffenet": "conv1 pool1 norm1 conv2 pool2 norm2 conv3 conv4 conv5 pool3 "
    "fc1 dropout1 fc2 dropout2 fc3",
}  # fmt: skip
ORDERS |= {
    "caffe": ORDERS["paper"],
    "torchvision": ORDERS["one-tower"],
    "mini": ORDERS["one-tower"],
    "fashion": ORDERS["one-tower"],
}

every_variant = pytest.mark.parametrize("variant", list(VARIANTS))


def network(variant, classes=None):
    return tc.alexnet(classes, variant=variant, trained=False)


def layers_of(variant):
    return {layer.name: layer for layer in network(variant).layers}


def rows_of(variant, classes=None):
    return {row.name: row for row in network(variant, classes).summary().rows}


def test_the_variants_are_all_here():
    assert set(VARIANTS) == set(ORDERS)
    assert next(iter(VARIANTS)) == "one-tower"


# ---------------------------------------------------------------------------------------- counts


@pytest.mark.parametrize("variant", COUNTS)
def test_parameters_and_multiply_adds(variant):
    model = network(variant)
    summary = model.summary()
    assert (summary.parameters, summary.multiply_adds) == COUNTS[variant]
    assert sum(map(math.prod, model.parameter_shapes().values())) == summary.parameters


def test_the_papers_grouped_convolutions():
    for variant in ("paper", "caffe", "caffenet"):
        rows = rows_of(variant)
        parameters = [rows[name].parameters for name in ("conv2", "conv4", "conv5")]
        assert parameters == [307_456, 663_936, 442_624]


def test_more_classes_cost_fc3_only():
    assert tc.alexnet(10_000).summary().parameters == 99_251_344
    few, many = rows_of("one-tower", 10), rows_of("one-tower", 10_000)
    assert [name for name in few if few[name] != many[name]] == ["fc3"]


# ---------------------------------------------------------------------------------------- layout


@every_variant
def test_the_order_of_the_layers(variant):
    layers = layers_of(variant)
    assert " ".join(layers) == ORDERS[variant]
    kinds = {"conv": Conv2D, "pool": MaxPool2D, "norm": LocalResponseNorm, "dropout": Dropout}
    for name, layer in layers.items():
        assert type(layer) is kinds.get(name.rstrip("123456"), Dense)


@every_variant
def test_kernels_strides_and_padding(variant):
    layers = layers_of(variant)
    convolutions = {name: layer for name, layer in layers.items() if name.startswith("conv")}
    placed = [(c.kernel, c.stride, c.padding) for c in convolutions.values()]
    first = {"torchvision": ((11, 11), (4, 4), 2), "fashion": ((5, 5), (1, 1), 2)}
    assert placed == [
        first.get(variant, ((11, 11), (4, 4), 0)),
        ((5, 5), (1, 1), 2),
        *[((3, 3), (1, 1), 1)] * 3,
    ]
    grouped = [c.groups for c in convolutions.values()]
    assert grouped == ([1, 2, 1, 2, 2] if variant in ("paper", "caffe", "caffenet") else [1] * 5)
    for i in (1, 2, 3):
        pool = layers[f"pool{i}"]
        assert (pool.kernel, pool.stride, pool.padding) == ((3, 3), (2, 2), 0)
    rate = 0.25 if variant == "fashion" else 0.5
    assert [layers[f"dropout{i}"].rate for i in (1, 2)] == [rate, rate]


@every_variant
def test_activations(variant):
    for name, layer in layers_of(variant).items():
        rectified = isinstance(layer, (Conv2D, Dense)) and name != "fc3"
        expected = "softmax" if name == "fc3" else "relu" if rectified else None
        assert layer.activation.name == expected


SIZES = {  # height and width after each convolution and pool
    "one-tower": (227, [55, 27, 27, 13, 13, 13, 13, 6]),
    "torchvision": (224, [55, 27, 27, 13, 13, 13, 13, 6]),
    "mini": (99, [23, 11, 11, 5, 5, 5, 5, 2]),
    "fashion": (28, [28, 13, 13, 6, 6, 6, 6, 2]),
}
WIDTHS = {
    "one-tower": (96, 256, 384, 384, 256, 4096),
    "torchvision": (64, 192, 384, 256, 256, 4096),
    "mini": (12, 32, 48, 48, 32, 512),
    "fashion": (32, 64, 128, 128, 64, 256),
}


@every_variant
def test_feature_maps(variant):
    size, sizes = SIZES.get(variant, SIZES["one-tower"])
    f1, f2, f3, f4, f5, hidden = WIDTHS.get(variant, WIDTHS["one-tower"])
    model = network(variant)
    channels, classes = (1, 10) if variant == "fashion" else (3, 1000)
    assert model.input_shape == (size, size, channels)
    shapes = {row.name: row.output_shape for row in model.summary().rows}
    places = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool3"]
    filters = [f1, f1, f2, f2, f3, f4, f5, f5]
    for place, side, count in zip(places, sizes, filters, strict=True):
        assert shapes[place] == (side, side, count)
    assert [shapes[f"fc{i}"] for i in (1, 2, 3)] == [(hidden,), (hidden,), (classes,)]


def test_mini_is_the_one_tower_at_an_eighth_of_the_widths():
    mini, whole = rows_of("mini"), rows_of("one-tower")
    for name in mini:
        if name != "fc3":
            assert mini[name].output_shape[-1] * 8 == whole[name].output_shape[-1]
        assert (mini[name].kernel, mini[name].stride) == (whole[name].kernel, whole[name].stride)


def test_the_two_dialects_of_normalisation():
    expected = {"paper": (2.0, False), "caffe": (1.0, True), "caffenet": (1.0, True)}
    for variant, (k, alpha_over_size) in expected.items():
        layers = layers_of(variant)
        for name in ("norm1", "norm2"):
            assert layers[name].options == {
                "size": 5, "alpha": 1e-4, "beta": 0.75, "k": k, "alpha_over_size": alpha_over_size,
            }  # fmt: skip


# --------------------------------------------------------------------------------- the first weights

# Standard deviations of fc1 and fc2 and of all other weights, and the biases of conv2, conv4, conv5,
# fc1 and fc2. Without an entry: He's rule and 0.
GAUSSIANS = {
    "paper": (0.01, 0.01, 1.0),
    "caffe": (0.005, 0.01, 0.1),
    "caffenet": (0.005, 0.01, 1.0),
}


@every_variant
def test_weights_are_drawn_as_their_authors_drew_them(variant):
    model = network(variant)
    hidden_std, std, bias = GAUSSIANS.get(variant, (None, None, 0.0))
    for layer, shape in zip(model.layers, model.shapes, strict=False):
        for parameter, size in layer.parameter_shapes(shape).items():
            out = np.empty((*size[:-1], 2), np.float32)  # as for two filters: enough to see
            layer.initializer(parameter)(out, np.random.default_rng(0))
            if parameter == "b":
                biased = layer.name in ("conv2", "conv4", "conv5", "fc1", "fc2")
                assert (out == np.float32(bias if biased else 0)).all()
                continue
            expected = hidden_std if layer.name in ("fc1", "fc2") else std
            expected = expected or math.sqrt(2 / math.prod(size[:-1]))
            assert abs(out.mean()) < 5 * expected / math.sqrt(out.size)
            assert abs(out.std() / expected - 1) < 5 / math.sqrt(out.size)


def test_mini_draws_and_computes_probabilities():
    model = tc.alexnet(10, variant="mini", rng=4, dtype="float64")
    assert model.parameters()["fc3.W"].shape == (512, 10)
    p = model.predict(images(2, (99, 99, 3)))
    assert p.dtype == np.float64
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    again = tc.alexnet(10, variant="mini", rng=4, dtype="float64")
    np.testing.assert_array_equal(again.predict(images(2, (99, 99, 3))), p)


# --------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize("variant", ["vgg", "", None, ["mini"]])
def test_an_unknown_variant(variant):
    message = (
        "variant must be one of 'one-tower', 'paper', 'caffe', 'caffenet', 'torchvision', 'min"
    )
    with pytest.raises(UnknownNameError, match=message):
        tc.alexnet(variant=variant)


@pytest.mark.parametrize("classes", [0, -1, 10.0, "ten"])
def test_a_bad_number_of_classes(classes):
    with pytest.raises(ArgumentError, match="classes must be"):
        tc.alexnet(classes)


def test_a_model_is_named_after_its_variant():
    assert tc.alexnet().name == "AlexNet (one-tower)"
    assert repr(tc.alexnet(variant="mini")) == (
        "<Sequential 'AlexNet (mini)': 13 layers, 99 x 99 x 3 to 1000>"
    )
