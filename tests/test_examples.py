"""The hand-sized examples: every number in tinycnn/explain/examples/examples.json is worked out again.

Once by tinycnn.ops in float64, once by the arithmetic that the file itself spells out for a reader.
The file is a dict of examples in reading order, each with

- ``title``, ``teaches``, and ``page``: its page in docs/mathematics;
- ``values``: arrays by name. ``data`` is laid out as people draw it, ``shape`` as the ops want it,
  ``dtype`` is float64 unless named, ``text`` gives the exact numbers where ``data`` is rounded;
- ``given``: which values the reader starts from. The others follow from ``forward`` and
  ``backward``: calls of ``tinycnn.ops``, or of steps of Winograd's algorithm on one line, that take and
  give values, with the output size's formula;
- ``update``: a step of SGD, a call for each parameter;
- ``steps``: how often all of this is done, and ``forward`` once more; of what changes, the second pass
  calls ``z`` ``z_2``, and so on. The number that falls is called ``loss``;
- ``of``: another example, from which is taken whatever is not given here;
- ``by_hand``: how a cell of ``data`` is worked out, as arithmetic.
"""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from tinycnn import ops, shapes
from tinycnn.explain.examples.calculation import operation
from tinycnn.explain.examples.example import load
from tinycnn.ops.convolution.winograd import matrices

EXAMPLES = load()
MATHEMATICS = Path(__file__).parents[1] / "docs" / "mathematics"
READING_ORDER = [
    "conv-pool", "turned", "channels", "im2col", "winograd", "softmax", "lrn", "dropout",
    "stride", "padding", "dilation", "groups", "overlap", "whole", "learning",
]  # fmt: skip
CALCULATOR = {"exp": math.exp, "ln": math.log, "floor": math.floor, "max": max}
each_example = pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))


def array(value):
    return np.array(value["data"], value.get("dtype", "float64")).reshape(value["shape"])


def by_hand(text):
    return eval(text, {"__builtins__": {}}, CALCULATOR)


def calls(example):
    """Those of the first pass."""
    return [call for way in ("forward", "backward", "update") for call in example.get(way, ())]


def leaves(data):
    return [leaf for row in data for leaf in leaves(row)] if isinstance(data, list) else [data]


def assert_equal(ours, expected, value):
    """Integers must be met exactly; other numbers to float64's last bits."""
    assert np.shape(ours) == expected.shape
    if all(isinstance(number, int) for number in leaves(value["data"])):
        np.testing.assert_array_equal(ours, expected)
    else:
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-15 * np.abs(expected).max())


def test_the_examples_are_all_there_in_reading_order():
    assert list(EXAMPLES) == READING_ORDER


@each_example
def test_an_example_has_what_a_reader_needs(example):
    rest = {"update", "steps", "of"} & set(example)
    assert set(example) - rest == {
        "title", "teaches", "page", "values", "given", "forward", "backward", "by_hand",
    }  # fmt: skip
    made = [name for call in calls(example) for name in call["gives"]]
    later = {
        name for name in example["values"] if re.fullmatch(r"(W|b|y|p|logits|loss)_[2-9]", name)
    }
    assert bool(later) == ("steps" in example)
    assert sorted({*example["given"], *made, *later}) == sorted(example["values"])
    assert {re.split(r"\[", cell)[0] for cell in example["by_hand"]} <= {*made, *later}


@each_example
@pytest.mark.parametrize("algorithm", ["im2col", "reference"])
def test_the_ops_give_the_values(example, algorithm):
    values = example["values"]
    for step in calls(example):
        arguments = dict(step["arguments"])
        if "conv2d" in step["op"]:
            arguments["algorithm"] = algorithm
        given = [array(values[name]) for name in step["takes"]]
        results = operation(step["op"])(*given, **arguments)
        results = results if isinstance(results, tuple) else (results,)
        for name, ours in zip(step["gives"], results, strict=True):
            assert_equal(ours, array(values[name]), values[name])
            if name == step["gives"][0] and "output_size" in step:
                formula = shapes.window(
                    given[0].shape[1:3],
                    arguments.get("kernel") or given[1].shape[:2],
                    **{key: arguments[key] for key in ("stride", "padding", "dilation")
                       if key in arguments},
                )  # fmt: skip
                assert step["output_size"] == {
                    "height": formula.height.formula,
                    "width": formula.width.formula,
                }


@each_example
def test_a_calculator_gives_the_values(example):
    values = example["values"]
    for cell, arithmetic in example["by_hand"].items():
        name, *index = re.findall(r"\w+", cell)
        number = values[name]["data"]
        for place in map(int, index):
            number = number[place]
        assert by_hand(arithmetic) == pytest.approx(number, rel=1e-15, abs=1e-16), cell


@each_example
def test_the_exact_numbers_are_those_of_the_data(example):
    for name, value in example["values"].items():
        texts = leaves(value["text"]) if "text" in value else []
        for text, number in zip(texts, leaves(value["data"]) if texts else [], strict=True):
            assert by_hand(text) == pytest.approx(number, rel=1e-15, abs=1e-16), name


@each_example
def test_the_output_sizes_follow_from_their_formulas(example):
    for step in example["forward"]:
        if "output_size" not in step:
            continue
        formulas = [formula.split(" = ") for formula in step["output_size"].values()]
        assert [by_hand(left) for left, _ in formulas] == [int(right) for _, right in formulas]
        shape = example["values"][step["gives"][0]]["shape"]
        OH, OW = (int(right) for _, right in formulas)
        assert shape[0] == OH * OW if step["op"] == "im2col" else shape[1:3] == [OH, OW]


@each_example
def test_an_update_is_w_minus_rate_times_its_gradient(example):
    values = example["values"]
    for call in example.get("update", ()):
        before, gradient = (array(values[name]) for name in call["takes"])
        stepped = before - call["arguments"]["rate"] * gradient
        np.testing.assert_allclose(stepped, array(values[call["gives"][0]]), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_of_an_example_names_it_and_shows_its_numbers(name):
    example = EXAMPLES[name]
    page = (MATHEMATICS / f"{example['page']}.md").read_text(encoding="utf-8")
    assert f"`{name}`" in page
    shown = {numbers(row) for row in re.findall(r"\[([^][]*)\]", page)}
    for value_name, value in example["values"].items():
        for row in rows_of(value["data"]):
            short = all(round(number, 6) == number for number in row)
            if "text" not in value and "dtype" not in value and len(row) > 1 and short:
                assert tuple(map(float, row)) in shown, f"{value_name}: {row}"


def rows_of(data):
    """The innermost lists."""
    if not isinstance(data, list):
        return []
    if isinstance(data[0], list):
        return [row for part in data for row in rows_of(part)]
    return [data]


def numbers(text):
    """The numbers in what stands between two brackets, or None if it is something else."""
    try:
        return tuple(float(number) for number in re.split(r"[,\s]+", text.strip()))
    except ValueError:
        return None


def test_the_mean_over_many_masks_is_the_input():
    x = array(EXAMPLES["dropout"]["values"]["x"])
    many = 10_000
    y, _ = ops.dropout(np.repeat(x, many, axis=0), rate=0.5, rng=7)
    # The standard deviation of one y is x, of the mean of many x / sqrt(many).
    np.testing.assert_array_less(np.abs(y.mean(axis=0) - x[0]), 4 * x[0] / math.sqrt(many))


def test_the_two_dialects_meet_where_alpha_makes_up_for_the_size():
    x = array(EXAMPLES["lrn"]["values"]["x"])
    paper, code = ({"size": 3, "k": 2, "alpha": 1}, {"size": 3, "k": 2, "alpha": 3})
    np.testing.assert_array_equal(
        ops.local_response_norm(x, **paper),
        ops.local_response_norm(x, **code, alpha_over_size=True),
    )


def test_winograds_matrices_are_those_that_the_kernels_are_written_from():
    values = EXAMPLES["winograd"]["values"]
    for name, matrix in {
        "BT": matrices.input_matrix(4),
        "G": matrices.weight_matrix(2, 3),
        "AT": matrices.output_matrix(2, 3),
    }.items():
        np.testing.assert_array_equal(array(values[name]), np.array(matrix, np.float64))


def test_winograds_gradients_are_those_of_the_convolution():
    values = EXAMPLES["winograd"]["values"]
    dy = array(values["dy"]).reshape(1, 1, 2, 1)
    dx, dw, _ = ops.conv2d_backward(
        dy, array(values["x"]), array(values["w"]), algorithm="reference"
    )
    np.testing.assert_array_equal(dx.ravel(), array(values["dx"]))
    np.testing.assert_array_equal(dw.ravel(), array(values["dw"]))
