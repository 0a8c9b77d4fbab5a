"""What the page carries: every number the engine's, the terminal's texts, and nothing that loads or runs."""

import base64
import functools
import json
import math
import operator
import re
import struct
import zlib

import numpy as np
import pytest

from tinycnn import cli, shapes
from tinycnn.explain import explain
from tinycnn.explain.examples.example import load, open_example
from tinycnn.explain.examples.reading import reads_of
from tinycnn.page import choosing, curves, document, learning, network, opened, softmax
from tinycnn.page.packing import Packer


def unpacked(text):
    """Read what `Packer` wrote, from its description alone: arrays as lists."""
    whole = zlib.decompress(base64.b85decode(text.replace(",", "<")))
    length = int(whole[:16])
    assert length % 8 == 0  # a typed array begins at a multiple of eight

    header = json.loads(whole[16 : 16 + length])
    for place in header["arrays"]:
        letter = {"f4": "f", "f8": "d", "i4": "i"}[place["type"]]
        count = math.prod(place["shape"])
        numbers = struct.unpack_from(f"<{count}{letter}", whole, 16 + length + place["first"])
        *holders, last = place["at"]
        holder = functools.reduce(operator.getitem, holders, header["data"])
        assert holder[last] is None
        holder[last] = {"shape": place["shape"], "numbers": list(numbers)}
    return header["data"]


def test_arrays_come_back_as_they_were():
    arrays = [
        np.array([[1.5, -0.1], [np.pi, 1e-30]], np.float32),
        np.array([0.1, 1 / 3], ">f8"),
        np.arange(6, dtype=np.uint8).reshape(2, 3)[:, ::-1],
        np.zeros((0, 3), np.float32),
    ]
    back = unpacked(
        Packer().pack({"arrays": arrays, "again": arrays[0], "text": "</script>\u2028"})
    )
    for array, read in zip(arrays, back["arrays"], strict=True):
        assert read == {"shape": list(array.shape), "numbers": array.ravel().tolist()}
    assert back["again"] == back["arrays"][0] and back["text"] == "</script>\u2028"


def test_an_array_is_carried_once():
    noise = np.random.default_rng(0).random(1000)
    assert len(Packer().pack([noise, noise.copy()])) < 1.1 * len(Packer().pack([noise]))


# --------------------------------------------------------------------------- what a cell reads


def test_a_convolution_reads_its_window():
    stage = open_example("conv-pool").stages[0]
    (z,) = reads_of(stage)
    for cell, reads in enumerate(z):
        i, j = divmod(cell, 3)
        assert reads == {
            "x": [4 * (i + m) + j + n for m in (0, 1) for n in (0, 1)],
            "W": [0, 1, 2, 3],
            "b": [0],
        }


def test_a_padded_window_reads_inside_the_image_only():
    (z,) = reads_of(open_example("padding").stages[0])[:1]
    assert [reads["x"] for reads in z] == [[0, 1], [0, 1, 2], [1, 2]]


def test_a_groups_filter_reads_its_own_channels():
    stage = open_example("groups").stages[0]
    channels = stage.takes[0].array.shape[-1]
    filters = stage.results[0].value.array.shape[-1]
    for cell, reads in enumerate(reads_of(stage)[0]):
        read = {place % channels for place in reads["x"]}
        half = (cell % filters) // (filters // 2)
        assert read == set(range(half * channels // 2, (half + 1) * channels // 2))


def test_a_gradient_reads_the_windows_that_were_won():
    stage = next(s for s in open_example("conv-pool").stages if s.op == "max_pool2d_backward")
    (da,) = reads_of(stage)
    assert {cell: reads["dy"] for cell, reads in enumerate(da) if reads} == {
        1: [0, 1],
        6: [2],
        8: [3],
    }


def test_a_winner_reads_its_window():
    y, winner = reads_of(open_example("overlap").stages[0])
    assert y == winner and all(len(reads["x"]) == 9 for reads in y)


# --------------------------------------------------------------------------- level 0


def test_the_curves_slopes_are_the_gradients():
    """Central differences over the curve's own points; at a corner only one side has the gradient."""
    found = {one["name"]: one for one in curves.curves()}
    assert {name: one["gradient"] for name, one in found.items()} == {
        "W[0,0]": 0.75,
        "W[0,1]": -0.75,
        "W[1,0]": 0.75,
        "W[1,1]": 0.75,
        "b[0]": 0.0,
    }
    for one in found.values():
        middle = one["moves"].index(0)
        h = one["moves"][middle + 1]
        sides = [(one["losses"][middle + s] - one["losses"][middle]) / (s * h) for s in (-1, 1)]
        assert min(abs(side - one["gradient"]) for side in sides) < 0.02
        assert one["losses"][middle] == pytest.approx(math.log(4), abs=1e-14)


def test_a_corner_is_where_the_filter_says():
    """W[0,0] + h: the pool's winners z[0,1] = 6 + 2h and z[1,2] = 3 + 3h ... change at h = -1 and 1/2."""
    first = curves.curves()[0]
    assert [round(h, 9) for h, _ in first["corners"]] == [-1.0, 0.5]


def test_softmax_for_every_label():
    shown = softmax.bars()
    assert shown["probability_texts"] == ["1/8", "1/4", "5/8"] and shown["exponentials"] == [
        "1",
        "2",
        "5",
    ]
    for label, p in enumerate((1 / 8, 1 / 4, 5 / 8)):
        one = shown["labels"][label]
        assert one["gradient"] == pytest.approx(
            [q - (k == label) for k, q in enumerate((1 / 8, 1 / 4, 5 / 8))], abs=1e-15
        )
        assert float(one["equation"].rpartition(" = ")[2]) == pytest.approx(-math.log(p), abs=1e-5)


def test_fifty_steps_begin_as_the_example_does():
    passes = learning.steps()["passes"]
    assert len(passes) == 51
    assert passes[0]["loss"] == pytest.approx(math.log(4), abs=1e-14)
    assert passes[1]["loss"] == pytest.approx(math.log(1 + 3 * math.exp(-0.3)), abs=1e-14)
    assert "about -0.225; it does change by -0.216151" in passes[0]["change"]
    assert passes[1]["values"][0] == {
        "name": "W",
        "rows": [["0.925", "0.075"], ["-1.075", "1.925"]],
    }


# --------------------------------------------------------------------------- the network


def test_the_layers_carry_the_traces_numbers(lesson):
    layers = {one["name"]: one for one in network.network(lesson, {})["layers"]}
    for record in lesson.backward.records:
        one = layers[record.name]
        y = record.y[0]
        assert np.array_equal(one["y"], y.transpose(2, 0, 1) if y.ndim == 3 else y)
        assert one["output"] == list(y.shape)


def test_what_a_cell_sees_follows_from_the_windows(lesson):
    layers = {one["name"]: one for one in network.network(lesson, {})["layers"]}
    conv1 = shapes.window((99, 99), 11, stride=4, padding=0)
    pool1 = shapes.pool_window((23, 23), 3, stride=2)
    for i, seen in enumerate(layers["pool1"]["sees"]["rows"]):
        first, last = pool1.height.seen(i, i)
        assert seen == [
            first,
            last,
            conv1.height.seen(first, first)[0],
            conv1.height.seen(last, last)[1],
        ]
    assert layers["fc1"]["sees"] is None


def test_an_opened_number_has_the_terminals_texts(lesson):
    for key in ("conv1[5,6,3]", "conv2.W[1,1,2,3]", "pool1[2,2,1]", "fc3[281]", "loss"):
        explanation = explain(lesson.backward, key)
        words, terminal = opened.drawn(explanation), str(explanation)
        assert words["text"] in terminal
        for section in words["sections"]:
            if section["kind"] == "adds":
                numbers = section["tree"].get("parts") or []
                printed = [part["text"] for part in numbers]
                assert printed == re.findall(r"-?[\d.]+", " ".join(printed))
                assert all(text in terminal for text in printed)
                assert section["tree"]["total"] in " ".join(terminal.split())
            if section["kind"] == "check":
                compared = "engine {engine} | {against} {reference}".format(**section)
                assert compared in " ".join(terminal.split())


def test_every_part_of_a_sum_is_there(lesson):
    """All 300 products of a window over 12 channels, and what they are products of."""
    sections = opened.drawn(explain(lesson.trace, "conv2[5,5,3]"))["sections"]
    tree = next(section for section in sections if section["kind"] == "adds")["tree"]
    record = lesson.trace["conv2"]

    def products(level):
        return [*zip(level.get("a", []), level.get("b", []), strict=True)] + [
            pair for part in level.get("parts", []) for pair in products(part)
        ]

    x, W = record.x[0, 3:8, 3:8], record.params["W"][..., 3]
    expected = [(float(a), float(b)) for a, b in zip(x.ravel(), W.ravel(), strict=True)]
    found = [(float(a), float(b)) for a, b in products(tree)]
    assert np.allclose(found, expected, rtol=0, atol=1e-5)
    assert len(found) == 300


def test_choices_open_and_say_how(lesson):
    chosen = list(choosing.chosen(lesson))
    assert len({one.key for one in chosen}) == len(chosen)
    assert {one.layer for one in chosen} >= {record.name for record in lesson.trace.records}
    by_key = {one.key: one for one in chosen}
    assert by_key["loss"].options == "--why loss"
    assert by_key["fc3[281]"].options == "--layer fc3 --at 281"
    parts = {one.part for one in chosen}
    assert parts == {"", "loss", "W", "b", "x"}


# --------------------------------------------------------------------------- the file


def test_nothing_is_loaded_and_nothing_slips_in():
    """A name that tries to be markup, and tries to end the data, is text."""
    hostile = '</script><img src=x onerror="alert(1)">{{data}}'
    text = document.assembled({"title": hostile, "network": {}})
    assert "<img" not in text
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:|//)", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy and "connect-src 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy
    data = re.search(r'id="data">([^<]*)<', text)[1]
    assert unpacked(data)["title"] == hostile


def test_every_module_that_is_imported_is_there():
    text = document.assembled({"title": "t"})
    imports = json.loads(re.search(r'type="importmap">([^<]*)<', text)[1])["imports"]
    for name, address in imports.items():
        code = base64.b64decode(address.partition(",")[2]).decode()
        assert set(re.findall(r'from "([^"]*)"', code)) <= set(imports)
        assert "innerHTML" not in code and "eval(" not in code
        assert name == "server" or "fetch(" not in code  # which a file's policy lets ask nobody


def run(capsys, *argv):
    code = cli.main(["page", *argv])
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    "argv, words",
    [
        (["-o", "page.txt"], "a page is .html or .htm, got 'page.txt'"),
        (["-o", "nowhere/page.html"], "cannot be written"),
        (["--model", "nope"], "there is no network 'nope'"),
        (["missing.png", "--model", "mini"], "there is no picture 'missing.png'"),
        (["--model", "mini", "--label", "1000"], "label must lie in 0 .. 999, got 1000"),
    ],
)
def test_a_mistake_is_told(capsys, tmp_path, monkeypatch, argv, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "") and words in err
    assert list(tmp_path.iterdir()) == []


def test_all_examples_are_on_the_page():
    from tinycnn.page import hand_sized

    shown = hand_sized.examples()
    assert [one["name"] for one in shown] == list(load())
    first = shown[0]["ways"][0]["stages"][0]["results"][0]["cells"][0]
    assert first["equation"] == "z[0,0] = 1*1 + 2*0 + 0*(-1) + 1*2 - 1 = 2"
    pool = shown[0]["ways"][0]["stages"][2]
    assert pool["op"] == "max_pool2d" and pool["wins"] == [1, 1, 6, 8]
    assert first["products"] == [
        ["1", "1", "1"],
        ["2", "0", "0"],
        ["0", "-1", "0"],
        ["1", "2", "2"],
    ]
