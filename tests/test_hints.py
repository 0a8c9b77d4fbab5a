"""Every command that the program prints can be run."""

import io
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from tinycnn import cli
from tinycnn.explain.examples import example_text

OWN = """
import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, Flatten, Layer, Softmax

class Scale(Layer):
    def parameter_shapes(self, input_shape):
        return {"W": ()}

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return params["W"] * x, x

    def backward(self, params, dy, saved, context):
        return params["W"] * dy, {"W": (dy * saved).sum()}

net = tc.Sequential(
    [Scale(), Conv2D(4, 3, name="-a b"), Flatten(), Dense(3, name="c d"), Softmax()], (6, 6, 3)
)
"""
OWN_NET = ["step", "--model", "own.py:net", "--label", "0"]
MINI = ["step", "--model", "mini"]
MISTAKES = [
    ["step", "--at", "1,1,1"],
    ["step", "--layer", "conv1.x"],
    ["step", "--weight", "conv1"],
    ["step", "--im2col"],
    ["step", "--save", "a.svg"],
]


def run(capsys, *argv):
    try:
        code = cli.main(argv)
    except SystemExit as stop:  # argparse
        code = stop.code
    return code, *capsys.readouterr()


def commands(text):
    """The commands in a text. One ends at two blanks, at the line's end, or at "or"."""
    found = re.findall(r"tinycnn ((?:step|summary)(?: (?!or )(?:'[^']*'|[^\s'])+)*)", text)
    return [shlex.split(words) for words in found]


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)


@pytest.mark.parametrize(
    "argv",
    [
        [*MINI, "--weight", "conv1.W"],
        [*MINI, "--weight", "fc1.b"],
        [*MINI, "--grad", "pool1.x"],
        [*MINI, "--grad", "conv2.z", "--label", "7", "--train", "--seed", "3"],
        [*MINI, "--grad", "fc3.z"],
        [*OWN_NET, "--weight", "layer1.W"],
        [*OWN_NET, "--weight=-a b.W"],
        [*OWN_NET, "--grad=-a b.x"],
        [*OWN_NET, "--grad", "c d.y"],
    ],
)
def test_a_number_that_is_missing_is_named_by_a_command_that_opens_it(capsys, argv):
    code, out, err = run(capsys, *argv)
    assert code == 2 and out == "" and err.count("\n") == 1
    (command,) = commands(err)
    assert run(capsys, *command)[::2] == (0, "")


@pytest.mark.parametrize(
    "argv",
    [
        MINI,
        [*MINI, "--layer", "conv2"],
        ["step", "--model", "own.py:net"],
        ["step", "--model", "own.py:net", "--layer=-a b"],
    ],
)
def test_the_commands_of_the_overview_and_of_a_layer(capsys, argv):
    found = commands(run(capsys, *argv)[1])
    assert len(found) >= 3
    for command in found[:3]:
        assert run(capsys, *command)[0] == 0


@pytest.mark.parametrize("network", [MINI, OWN_NET, [*MINI, "--train", "--seed", "3"]])
@pytest.mark.parametrize(
    "mistake",
    [
        ["--at", "1,1,1"],
        ["--layer", "conv1.x"],
        ["--grad", "conv1"],
        ["--weight", "conv1"],
        ["--im2col"],
        ["--im2col", "--layer", "conv2"],
        ["--im2col", "--layer", "pool1"],
        ["--save", "a.svg"],
        ["--save", "a.svg", "--layer", "pool1"],
    ],
)
def test_a_mistake_is_answered_by_commands_of_the_same_network(capsys, network, mistake):
    code, out, err = run(capsys, *network, *mistake)
    assert code == 2 and out == "" and err.count("\n") == 1
    for command in commands(err):
        assert set(network) <= set(command)
        assert run(capsys, *command)[0] == 0
    assert len(commands(err)) == (2 if "gradients open so" in err else 1)


def test_im2col_of_a_network_without_convolutions_has_no_command(capsys):
    text = "import tinycnn as tc\nnet = tc.Sequential([tc.layers.Dense(3)], (2, 2, 1))\n"
    Path("dense.py").write_text(text)
    err = run(capsys, "step", "--model", "dense.py:net", "--im2col")[2]
    assert err.endswith("of a convolution, and this network has none\n")


@pytest.mark.slow
def test_the_commands_of_messages_of_the_help_and_of_the_examples(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))  # --ask is given no answer
    texts = [run(capsys, *argv)[2] for argv in MISTAKES]
    assert all(commands(text) for text in texts)
    train = ["train", "digits", "--epochs", "1", "--out", "RUN"]
    assert run(capsys, *train)[0] == 0  # the help speaks of a run of one's own, and of two pictures
    for name in ("cat.jpg", "dog.jpg"):
        Image.new("RGB", (40, 30), "grey").save(name)
    texts += [run(capsys, "step", "--help")[1].split("examples:")[1], *example_text.ON.values()]
    for command in {tuple(command) for text in texts for command in commands(text)}:
        if "-i" not in command:
            assert run(capsys, *command)[0] == 0, command
