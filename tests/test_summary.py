"""The table of layers: as text, as HTML, as data, and of two networks beside each other."""

import html
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from small_nets import IMAGE, plain_net, whole_net

import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D
from tinycnn.layers.activation import Activation
from tinycnn.summary import Summary, difference
from tinycnn.tables import text_table

# Rows of the table that courses print, read off it; the parameters worked out here.
ONE_TOWER = [
    ("input", "", "", "", "", "227 x 227 x 3", "", ""),
    ("conv1", "96", "11 x 11", "4", "0", "55 x 55 x 96", "ReLU", (11 * 11 * 3 + 1) * 96),
    ("pool1", "", "3 x 3", "2", "0", "27 x 27 x 96", "", ""),
    ("conv2", "256", "5 x 5", "1", "2", "27 x 27 x 256", "ReLU", (5 * 5 * 96 + 1) * 256),
    ("pool2", "", "3 x 3", "2", "0", "13 x 13 x 256", "", ""),
    ("conv3", "384", "3 x 3", "1", "1", "13 x 13 x 384", "ReLU", (3 * 3 * 256 + 1) * 384),
    ("conv4", "384", "3 x 3", "1", "1", "13 x 13 x 384", "ReLU", (3 * 3 * 384 + 1) * 384),
    ("conv5", "256", "3 x 3", "1", "1", "13 x 13 x 256", "ReLU", (3 * 3 * 384 + 1) * 256),
    ("pool3", "", "3 x 3", "2", "0", "6 x 6 x 256", "", ""),
    ("dropout1", "rate 0.5", "", "", "", "6 x 6 x 256", "", ""),
    ("fc1", "4096", "", "", "", "4096", "ReLU", (6 * 6 * 256 + 1) * 4096),
    ("dropout2", "rate 0.5", "", "", "", "4096", "", ""),
    ("fc2", "4096", "", "", "", "4096", "ReLU", (4096 + 1) * 4096),
    ("fc3", "1000", "", "", "", "1000", "Softmax", (4096 + 1) * 1000),
    ("total", "", "", "", "", "", "", 62_378_344),
]


def cells(text, heads=1):
    """Rows of a text table's cells, cut where the line under its head says that columns are."""
    lines = text.splitlines()
    columns = [match.span() for match in re.finditer("-+", lines[heads])]
    body = lines[heads + 1 :]
    return [tuple(line[first:last].strip() for first, last in columns) for line in body]


@pytest.fixture(scope="module")
def one_tower():
    return tc.alexnet().summary()


def test_the_table_that_courses_print(one_tower):
    table = str(one_tower).split("\n\n")[1]
    expected = [
        (*row[:7], f"{row[7]:,}" if isinstance(row[7], int) else row[7]) for row in ONE_TOWER
    ]
    assert cells(table, heads=2) == expected
    head = " ".join(table.splitlines()[0].split())
    assert head == "layer filters / kernel stride padding feature map activation parameters"
    assert table.splitlines()[1].split() == ["neurons"]


def test_the_totals(one_tower):
    assert one_tower.parameters == 62_378_344
    assert one_tower.multiply_adds == 1_135_256_096
    first = str(one_tower).splitlines()[0]
    assert first == (
        "AlexNet (one-tower): 62,378,344 parameters, 1,135,256,096 multiply-adds an image"
    )


def test_the_costs(one_tower):
    rows = {row.name: row for row in one_tower.rows}
    millions = {name: round(row.multiply_adds / 1e6, 1) for name, row in rows.items()}
    assert [millions[f"conv{i}"] for i in range(1, 6)] == [105.4, 447.9, 149.5, 224.3, 149.5]
    assert sum(rows[f"fc{i}"].multiply_adds for i in (1, 2, 3)) == 58_621_952
    megabytes = [round(rows[f"conv{i}"].im2col_bytes / 1e6, 2) for i in range(1, 6)]
    assert megabytes == [4.39, 7.00, 1.56, 2.34, 2.34]
    # dW costs what the forward pass costs, dx as much again; conv1's dx is never needed.
    for name, row in rows.items():
        times = 1 if name == "conv1" else 2
        assert row.multiply_adds_backward == times * row.multiply_adds
    assert rows["conv1"].activation_bytes == 55 * 55 * 96 * 4
    assert one_tower.total.activation_bytes == sum(row.activation_bytes for row in one_tower.rows)
    table = {row[0]: row[1:] for row in cells(str(one_tower).split("\n\n")[3])}
    assert table["conv2"] == (
        "447,897,600", "895,795,200", "746.5 kB", f"{27 * 27 * 25 * 96 * 4 / 1000:,.1f} kB",
    )  # fmt: skip
    assert table["pool1"] == ("", "", "279.9 kB", "")
    assert table["total"][:2] == ("1,135,256,096", "2,165,096,992")


def test_float64_takes_twice_the_memory(one_tower):
    wide = tc.alexnet(dtype="float64").summary()
    assert wide.total.activation_bytes == 2 * one_tower.total.activation_bytes
    assert wide.total.im2col_bytes == 2 * one_tower.total.im2col_bytes
    assert "in float64" in str(wide)


@pytest.mark.parametrize("variant", ["one-tower", "paper", "caffe", "caffenet", "torchvision"])
def test_the_text_fits_a_terminal(variant):
    lines = str(tc.alexnet(variant=variant).summary()).splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_many_classes_are_arithmetic():
    summary = tc.alexnet(10_000).summary()
    assert summary.parameters == 99_251_344
    assert summary.rows[-1].output_shape == (10_000,)


def test_huge_sizes_are_arithmetic():
    layers = [Conv2D(10**6, 7, padding="same"), MaxPool2D(2), Dense(10**9)]
    model = tc.Sequential(layers, (100_000, 100_000, 3))
    summary = model.summary()
    conv, pool, dense = summary.rows
    assert conv.output_shape == (100_000, 100_000, 10**6)
    assert conv.multiply_adds == 10**10 * 7 * 7 * 3 * 10**6
    assert conv.activation_bytes == 4 * 10**16
    assert conv.im2col_bytes == 4 * 10**10 * 7 * 7 * 3
    assert pool.output_shape == (50_000, 50_000, 10**6)
    assert dense.parameters == (50_000**2 * 10**6 + 1) * 10**9
    assert f"{dense.parameters:,}" in str(summary)
    assert json.loads(json.dumps(summary.to_dict()))["parameters"] == summary.parameters


@pytest.mark.parametrize("model", [plain_net, whole_net, tc.alexnet], ids=lambda f: f.__name__)
def test_everything_as_plain_data(model):
    summary = model().summary()
    data = json.loads(json.dumps(summary.to_dict()))
    assert data["title"] == summary.title
    assert data["input_shape"] == list(summary.input_shape)
    assert data["parameters"] == sum(row["parameters"] for row in data["rows"])
    for total in ("multiply_adds", "multiply_adds_backward", "activation_bytes", "im2col_bytes"):
        assert data[total] == sum(row[total] for row in data["rows"])
    for row, given in zip(summary.rows, data["rows"], strict=True):
        assert given["name"] == row.name
        assert given["output_shape"] == list(row.output_shape)
    assert set(data["rows"][0]) == set(summary.rows[0].__dataclass_fields__)


class Cells(HTMLParser):
    """All cells of all tables, and all tags."""

    def __init__(self):
        super().__init__()
        self.cells, self.tags, self.inside = [], set(), False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.inside = tag in ("td", "th")
        if self.inside:
            self.cells.append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


def test_html_for_notebooks(one_tower):
    parser = Cells()
    parser.feed(one_tower._repr_html_())
    for row in ONE_TOWER:
        for cell in row:
            assert (f"{cell:,}" if isinstance(cell, int) else cell) in parser.cells
    assert parser.tags == {"p", "b", "table", "thead", "tbody", "tr", "th", "td"}


def test_hostile_names_stay_text():
    hostile = '<script>alert("&")</script>'

    class BadActivation(Activation):
        name = title = hostile
        in_op = True

    class Bad(Layer):
        activation = BadActivation()

        def output_shape(self, input_shape):
            return input_shape

        def facts(self):
            return {"filters": hostile}

    model = tc.Sequential([Bad(name=hostile)], (3,), name=hostile)
    text = model.summary()._repr_html_()
    assert "<script" not in text
    assert text.count(html.escape(hostile)) >= 4  # title, name in both tables, facts, activation
    parser = Cells()
    parser.feed(text)
    assert parser.cells.count(hostile) >= 3


def test_a_summary_of_layers_without_a_model():
    layers = [Flatten(name="f"), Dense(2, name="d")]
    summary = Summary.of(layers, (2, 3, 4))
    assert (summary.title, summary.dtype, summary.parameters) == ("model", "float32", 50)


def test_a_summary_needs_neither_numba_nor_weights():
    code = """
import sys, tinycnn
from tinycnn.summary import difference
model = tinycnn.alexnet()
text = str(model.summary()) + model.summary()._repr_html_()
difference(model.summary(), tinycnn.alexnet(variant="paper").summary())
assert "62,378,344" in text
assert "numba" not in sys.modules and "llvmlite" not in sys.modules
assert model._parameters is None
"""
    # A kernel would not be compiled with the JIT off, but Numba would be imported all the same.
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ, timeout=60)


# ------------------------------------------------------------------------------- two beside each other


def differences(a, b):
    """{(layer, column): (a's, b's)} of what `difference` says."""
    text = difference(tc.alexnet(variant=a).summary(), tc.alexnet(variant=b).summary())
    rows = cells(text)
    said = {row[:2]: row[2:] for row in rows}
    assert len(said) == len(rows)
    return said


def test_nothing_differs_from_itself():
    assert differences("caffe", "caffe") == {
        ("total", "parameters"): ("60,965,224", "60,965,224"),
        ("total", "multiply-adds"): ("724,406,816", "724,406,816"),
    }


def test_the_paper_has_groups_norms_and_later_dropout():
    said = differences("one-tower", "paper")
    for name in ("conv2", "conv4", "conv5"):
        assert said[name, "groups"] == ("(none)", "2")
    assert said["conv2", "parameters"] == ("614,656", "307,456")
    assert said["conv4", "parameters"] == ("1,327,488", "663,936")
    assert said["conv5", "parameters"] == ("884,992", "442,624")
    for name in ("norm1", "norm2"):
        assert said[name, "kind"] == ("(none)", "LocalResponseNorm")
    assert said["dropout1", "after"] == ("pool3", "fc1")
    assert said["fc2", "b drawn by"] == ("Constant(value=0.0)", "Constant(value=1.0)")
    assert said["total", "multiply-adds"] == ("1,135,256,096", "724,406,816")
    assert ("conv1", "parameters") not in said


def test_caffe_differs_from_the_paper_in_what_no_shape_shows():
    assert differences("paper", "caffe") == {
        **{(f"norm{i}", "details"): ("k 2, a = alpha", "k 1, a = alpha/size") for i in (1, 2)},
        **{
            (name, "b drawn by"): ("Constant(value=1.0)", "Constant(value=0.1)")
            for name in ("conv2", "conv4", "conv5", "fc1", "fc2")
        },
        **{
            (name, "W drawn by"): ("Gaussian(std=0.01)", "Gaussian(std=0.005)")
            for name in ("fc1", "fc2")
        },
        ("total", "parameters"): ("60,965,224", "60,965,224"),
        ("total", "multiply-adds"): ("724,406,816", "724,406,816"),
    }


def test_caffenet_pools_before_it_normalises():
    said = differences("caffe", "caffenet")
    assert said["norm1", "after"] == ("conv1", "pool1")
    assert said["pool2", "after"] == ("norm2", "conv2")
    assert said["norm1", "output-shape"] == ("55 x 55 x 96", "27 x 27 x 96")


def test_torchvision_is_narrower_and_its_input_smaller():
    said = differences("one-tower", "torchvision")
    assert said["input", "feature map"] == ("227 x 227 x 3", "224 x 224 x 3")
    assert said["conv1", "padding"] == ("0", "2")
    assert said["conv1", "filters"] == ("96", "64")
    assert said["total", "parameters"] == ("62,378,344", "61,100,840")
    assert ("fc1", "parameters") not in said


def test_initializers_are_named_also_where_they_are_functions():
    def ones(out, rng):
        out[...] = 1

    plain = tc.Sequential([Conv2D(2, 3)], IMAGE)
    mine = tc.Sequential([Conv2D(2, 3, weight_initializer=ones)], IMAGE)
    assert "W drawn by" in (text := difference(plain.summary(), mine.summary()))
    assert re.search(r"He\(\) +ones", text)


# ------------------------------------------------------------------------------------- the drawing


def test_a_table_in_text():
    assert text_table(("name", "long / title", "size"), [["a", "b", "1"], ["bb", "", "20"]], 1) == (
        "name  long /  size\n      title\n----  ------  ----\na     b          1\nbb              20"
    )


def test_a_wide_table_draws_its_columns_together():
    wide = text_table(("a", "b", "c"), [["x" * 40, "y" * 30, "z" * 6]], 0)
    assert wide.splitlines()[-1] == f"{'x' * 40}  {'y' * 30}  {'z' * 6}"
    wider = text_table(("a", "b", "c"), [["x" * 40, "y" * 30, "z" * 7]], 0)
    assert wider.splitlines()[-1] == f"{'x' * 40} {'y' * 30} {'z' * 7}"
