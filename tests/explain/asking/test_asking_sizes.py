"""The rows of a network asked for: sizes and parameter counts, and likely mistakes in them."""

import pytest
from asking_sessions import session, verdicts

import tinycnn as tc
from tinycnn.errors import UnknownNameError
from tinycnn.explain.asking import sizes
from tinycnn.layers import Conv2D, MaxPool2D


def test_the_rows_of_alexnet():
    expected = {
        "conv1": ("55x55x96", 11 * 11 * 3 * 96 + 96),
        "pool1": ("27x27x96", 0),
        "conv2": ("27x27x256", 5 * 5 * 96 * 256 + 256),
        "pool2": ("13x13x256", 0),
        "conv3": ("13x13x384", 3 * 3 * 256 * 384 + 384),
        "conv4": ("13x13x384", 3 * 3 * 384 * 384 + 384),
        "conv5": ("13x13x256", 3 * 3 * 384 * 256 + 256),
        "pool3": ("6x6x256", 0),
        "dropout1": ("6x6x256", 0),
        "fc1": ("4096", (6 * 6 * 256 + 1) * 4096),
        "dropout2": ("4096", 0),
        "fc2": ("4096", 4097 * 4096),
        "fc3": ("1000", 4097 * 1000),
    }
    answers = [answer for row in expected.values() for answer in row if answer]
    text = session(sizes.questions(tc.alexnet()), *answers)
    assert text.splitlines()[-1] == f"{len(answers)} of {len(answers)} right at the first try."


@pytest.mark.parametrize(
    ("layer", "typed", "words"),
    [
        ("conv1", "54x54x96", "the + 1 is missing"),
        ("conv1", "217x217x96", "the stride was forgotten"),
        ("conv1", "55x55x3", "number of filters is wrong, height and width are right"),
        ("conv1", "54x55x96", "height is wrong, width and number of filters are right"),
        ("conv2", "23x23x256", "the padding was forgotten: it makes room"),
        ("conv2", "25x25x256", "the padding was counted at one end only"),
        ("pool1", "55x55x96", "that is the size of the input"),
        ("fc1", "9216", "number of units is wrong"),
    ],
)
def test_a_wrong_size_is_explained(layer, typed, words):
    said = verdicts(sizes.questions(tc.alexnet(), layer), typed)
    assert said[0].startswith(f"No: {words}")


@pytest.mark.parametrize(
    ("layer", "typed", "words"),
    [
        ("conv1", 11 * 11 * 3 * 96, "the biases are missing"),
        ("conv1", 11 * 11 * 3 + 1, "that is one filter alone"),
        ("conv1", 11 * 11 * 96 + 96, "the channels were forgotten"),
        ("conv1", 11 * 11 * 96, "the channels were forgotten"),
        ("conv1", (11 * 11 * 3 + 1) * 96 * 55 * 55, "a filter has the same weights at every place"),
        ("fc1", 256 * 4096 + 4096, "the input is flattened"),
        ("fc2", 4096 * 4096, "the biases are missing: one for each unit"),
    ],
)
def test_a_wrong_parameter_count_is_explained(layer, typed, words):
    said = verdicts(sizes.questions(tc.alexnet(), layer), "?", str(typed))
    assert said[1].startswith(f"No: {words}")


def test_dilation_and_ceil_mode_are_told_apart():
    model = tc.Sequential(
        [Conv2D(1, 3, dilation=2), MaxPool2D(2, stride=3, ceil_mode=True)], (17, 17, 1)
    )  # 17 - 5 + 1 = 13; ceil((13 - 2)/3) + 1 = 5
    first, count, second = sizes.questions(model)
    assert verdicts([first], "15x15x1", "13x13x1") == [
        "No: the dilation was forgotten: a kernel reaches over its gaps too.", "Right: 13 x 13 x 1.",
    ]  # fmt: skip
    assert verdicts([count], "10") == ["Right: 10."]
    assert verdicts([second], "4x4x1", "5x5x1")[0].startswith("No: ")
    assert "it was rounded down, the wrong way" in verdicts([second], "4x4x1")[0]


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(UnknownNameError, match="there is no layer 'conv9'; there are conv1, pool1"):
        sizes.questions(tc.alexnet(), "conv9")
