"""What is chosen for a chain of layers, before anything runs."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.inference import chain
from tinycnn.inference.plan import plan
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D, ReLU

FLOAT32 = np.dtype(np.float32)


def methods(layers, shape, batch=8, dtype=FLOAT32):
    model = tc.Sequential(layers, shape)
    return [step.method for step in plan(model.layers, shape, np.dtype(dtype), batch).steps]


def alexnet_plan(batch):
    model = tc.alexnet()
    return plan(model.layers, model.input_shape, FLOAT32, batch)


def test_alexnet_multiplies_less_than_its_formula_says():
    steps = alexnet_plan(32).steps
    # 11 tiles of 5 by 11 tiles of 5, 7 x 7 products each instead of 5 x 5 outputs x 11 x 11 x 3.
    conv1 = next(step for step in steps if step.layer == "conv1" and step.method == "winograd")
    # Of the 48 channels, those of the twelfth row, or column, have no weights, and are last at infinity.
    assert conv1.products == 121 * (36 * 48 + 6 * 45 + 6 * 36 + 33) * 96
    conv3 = next(step for step in steps if step.layer == "conv3")
    assert conv3.tiles == "1 of 5, 2 of 4"
    assert conv3.products == (7 + 6 + 6) ** 2 * 256 * 384
    assert sum(step.multiply_adds for step in steps) == 1_135_256_096
    assert (
        4 * sum(step.products for step in steps) < sum(step.multiply_adds for step in steps) * 1.1
    )


def test_few_images_take_smaller_tiles_because_these_have_fewer_weights():
    one, many = (
        next(step for step in alexnet_plan(batch).steps if step.layer == "conv4")
        for batch in (1, 32)
    )
    assert one.weight_bytes < many.weight_bytes
    assert one.products > many.products


@pytest.mark.parametrize(("filters", "tasks"), [(32, [2, 2]), (128, [2, 2, 2])])
def test_threads_share_one_image_by_rows_of_tiles_or_by_panels(monkeypatch, filters, tasks):
    """A copy with a border; then all at once for each thread's rows, or the transform and each panel."""
    monkeypatch.setattr(chain, "LEAST_WORK", 1)
    layers = [Conv2D(filters, 3, padding=1, algorithm="winograd")]
    chosen = plan(tc.Sequential(layers, (24, 24, 16)).layers, (24, 24, 16), FLOAT32, 1)
    program = chain.program_of(chosen.groups, 1, 2)
    _, _, _, phases = program.tables
    assert [count for count in np.diff(phases) if count] == tasks


def test_layers_that_pass_on_as_many_images_go_together():
    groups = [[step.layer for step in group.steps] for group in alexnet_plan(32).groups]
    assert groups == [
        ["conv1", "conv1", "pool1", "conv2", "pool2"],
        ["conv3", "conv4", "conv5", "pool3"],
        ["fc1"],
        ["fc2"],
        ["fc3"],
    ]


@pytest.mark.parametrize(
    ("layer", "method"),
    [
        (Conv2D(64, 3, padding=1), "winograd"),
        (Conv2D(64, 3, padding=1, algorithm="im2col"), "layer"),
        (Conv2D(64, 1), "direct"),
        (Conv2D(64, 3, stride=3), "direct"),
        (Conv2D(64, 3, padding=1, algorithm="direct"), "direct"),
        (Conv2D(64, 3, stride=4), "layer"),  # 7 outputs in a row
        (Conv2D(64, 3, padding=1, groups=2), "winograd"),
        (Conv2D(64, 3, padding=1, groups=64), "grouped"),
        (Conv2D(64, 3, stride=2, groups=2), "grouped"),
        (Conv2D(64, 3, dilation=2), "direct"),
        (MaxPool2D(2), "maximum"),
        (Dense(10), "packed dense"),
        (ReLU(), "layer"),
    ],
)
def test_each_layer_has_its_method(layer, method):
    assert methods([layer], (28, 28, 64)) == [method]


def test_float64_is_computed_by_the_layers_themselves():
    layers = [Conv2D(64, 3, padding=1), MaxPool2D(2), Dense(10)]
    assert methods(layers, (28, 28, 64), dtype=np.float64) == ["layer"] * 3


def test_dropout_takes_no_step():
    assert methods([Dropout(0.5), Dense(3)], (5,)) == ["packed dense"]


def test_a_plan_is_read_as_a_table():
    chosen = alexnet_plan(32)
    text = str(chosen)
    assert text.startswith("For batches of 32:")
    assert "6 of 4, 1 of 3" in text
    assert max(map(len, text.splitlines())) <= 90
    assert chosen._repr_html_().count("<tr>") == len(chosen.steps) + 1
    assert chosen.to_dict()["batch"] == 32
    assert len(chosen.to_dict()["steps"]) == len(chosen.steps)
