"""NaN and infinity in a network: said where they begin, in every mode, and never a success."""

import json

import numpy as np
import pytest

import tinycnn as tc
from tinycnn import cli
from tinycnn.explain import explain
from tinycnn.explain.not_finite import origin
from tinycnn.layers import Conv2D, Dense, MaxPool2D

NET = """
import numpy as np
import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, MaxPool2D

def net():
    model = tc.Sequential(
        [
            Conv2D(4, 3, activation="relu", name="a"),
            MaxPool2D(2, name="p"),
            Conv2D(3, 2, activation="relu", name="b"),
            Dense(5, activation="softmax", name="c"),
        ],
        (12, 12, 3),
        rng=0,
        name="small",
    )
    with model.edit() as parameters:
        parameters[NAME].flat[INDEX] = VALUE
    return model
"""
MODES = [
    (),
    ("--layer", "a"),
    ("--layer", "b", "--at", "1,1,2"),
    ("--layer", "a", "--at", "1,1,2"),
    ("--layer", "a", "--im2col", "--at", "1,1"),
    ("--layer", "p", "--at", "1,1,0"),
    ("--layer", "c", "--at", "3"),
    ("--weight", "a.W[0,0,0,1]"),
    ("--weight", "c.b[1]"),
    ("--grad", "a.x", "--at", "2,2,1"),
    ("--grad", "b.z", "--at", "1,1,2"),
    ("--grad", "c.z", "--at", "2"),
    ("--why", "loss"),
]


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(name, index, value):
        text = NET.replace("NAME", repr(name)).replace("INDEX", str(index))
        (tmp_path / "own.py").write_text(text.replace("VALUE", value))

    return written


@pytest.mark.parametrize("mode", MODES, ids=" ".join)
@pytest.mark.parametrize(
    ("name", "index", "value", "words"),
    [
        ("b.W", 7, "np.nan", "b.W holds NaN: 1 of its 48 numbers, the first at [0,0,2,1]"),
        ("b.W", 0, "np.inf", "b.W holds infinity: 1 of its 48 numbers, the first at [0,0,0,0]"),
        ("a.b", 2, "-np.inf", "a.b holds infinity: 1 of its 4 numbers, the first at [2]"),
        ("c.b", 4, "np.nan", "c.b holds NaN: 1 of its 5 numbers, the first at [4]"),
    ],
)
def test_every_mode_says_where_it_begins_and_fails(capsys, write, mode, name, index, value, words):
    write(name, index, value)
    code = cli.main(["step", "--model", "own.py:net", "--label", "0", *mode])
    out, err = capsys.readouterr()
    told = " ".join(out.split()) + err  # an opened number that is not finite says it itself
    assert code == 1 and told.count(words) == 1 and "Traceback" not in err
    assert "Warning" not in err and err in ("", f"tinycnn: {words}\n")
    assert ("NOT FINITE" in out) <= ("agrees" not in out.split("NOT FINITE")[-1])
    code = cli.main(["step", "--model", "own.py:net", *mode, "--json"])
    data = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert code == 1 and data


def test_a_finite_network_succeeds(capsys, write):
    write("a.W", 0, "0.5")
    for mode in MODES:
        assert cli.main(["step", "--model", "own.py:net", "--label", "0", *mode]) == 0
        assert capsys.readouterr().err == ""


def model():
    layers = [
        Conv2D(2, 2, name="a"),
        MaxPool2D(2, name="p"),
        Dense(3, name="c", activation="softmax"),
    ]
    return tc.Sequential(layers, (5, 5, 1), rng=0)


def test_what_overflows_is_told_from_what_was_handed_in():
    net, x = model(), np.ones((1, 5, 5, 1), np.float32)
    assert origin(net.trace(x)) is None
    with net.edit() as parameters:
        parameters["a.W"][...] = 3e38
    assert origin(net.trace(x)) == (
        "a's output holds infinity: 32 of its 32 numbers, the first at [0,0,0,0]; what it is made of is "
        "finite, so float32 overflows, above 3.4e+38"
    )
    x[0, 4, 3, 0] = np.nan
    assert (
        origin(net.trace(x)) == "the input holds NaN: 1 of its 25 numbers, the first at [0,4,3,0]"
    )
    x[0, 0, 0, 0] = np.inf
    assert origin(net.trace(x)) == (
        "the input holds NaN and infinity: 2 of its 25 numbers, the first at [0,0,0,0]"
    )


def test_a_gradient_that_overflows():
    net, x = model(), np.full((1, 5, 5, 1), 1e30, np.float32)
    with net.edit() as parameters:
        parameters["a.W"][...] = 0
        parameters["c.W"][...] = np.linspace(-2e20, 1e20, 24).reshape(8, 3)
    trace = net.trace(x)
    assert origin(trace) is None
    trace.backward(labels=[1], keep=True)
    assert origin(trace).startswith("dL/d a.W holds infinity: ")
    assert origin(trace).endswith(", though all activations are finite")
    assert not explain(trace, "a.W[0,0,0,0]").ok


def test_explain_adds_it_to_a_number_that_is_not_finite_alone():
    net, x = model(), np.ones((1, 5, 5, 1), np.float32)
    x[0, 0, 0, 0] = np.nan
    trace = net.trace(x)
    assert explain(trace, "a", (3, 3, 0)).notes("BEGINS") == ()
    (words,) = explain(trace, "a", (0, 0, 0)).notes("BEGINS")
    assert words == origin(trace)
