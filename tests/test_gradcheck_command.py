"""``tinycnn gradcheck`` as people and programs use it: results, messages, exit codes."""

import io
import json
import pickle
import sys

import pytest

from tinycnn import cli, ops
from tinycnn.checking.battery import runs
from tinycnn.checking.battery.operations import OPS
from tinycnn.checking.targets.own_code import load
from tinycnn.classroom.exercises import skeleton

LAYER = """
import numpy as np
import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, Layer
print("a word while it is imported")

class Power(Layer):
    def __init__(self, power=2, *, name=None):
        super().__init__(name=name)
        self.power = power
    def output_shape(self, input_shape):
        return input_shape
    def forward(self, params, x, context):
        print("a word while it runs")
        return x**self.power, x
    def backward(self, params, dy, saved, context):
        return self.power * dy * saved ** (self.power - 1), {}

class Half(Power):
    def backward(self, params, dy, saved, context):
        return dy * saved, {}

class Stateful(Power):
    def forward(self, params, x, context):
        self.x = x
        return x**self.power, None
    def backward(self, params, dy, saved, context):
        return self.power * dy * self.x ** (self.power - 1), {}

class Dead(Power):
    def forward(self, params, x, context):
        return np.maximum(x - 9, 0), x
    def backward(self, params, dy, saved, context):
        return 7 * dy * (saved > 9), {}

class Crashes(Power):
    def backward(self, params, dy, saved, context):
        return dy * saved.no_such_name, {}

def cube():
    return Power(3)

def nothing():
    return 7

def fails():
    return 1 / 0

net = tc.Sequential([Power(), Dense(3, activation="softmax")], (4,), rng=1)
deep = Conv2D(2, 3)
number = 7
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(LAYER)
    return tmp_path


def run(capsys, *argv):
    """Exit code, stdout and stderr of one ``tinycnn gradcheck``."""
    try:
        code = cli.main(("gradcheck", *argv))
    except SystemExit as stop:  # argparse
        code = stop.code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def few(monkeypatch, *names):
    """Make a small battery of the cases whose names begin so."""
    chosen = [case for case in runs.all_cases() if case.name.startswith(names)]
    monkeypatch.setattr(runs, "all_cases", lambda seed: chosen)
    return chosen


# --------------------------------------------------------------------------------------- engine


def test_the_battery(capsys, monkeypatch):
    chosen = few(monkeypatch, "relu", "dense", "Dropout")
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    assert out.startswith(f"Gradients against differences in float64: {len(chosen)} cases, all ok")
    assert [line.split()[0] for line in out.splitlines()[4:7]] == ["dense", "relu", "Dropout"]


def test_the_battery_as_data_and_with_fewer_samples(capsys, monkeypatch):
    few(monkeypatch, "relu")
    code, out, _ = run(capsys, "--json", "--samples", "2", "--directions", "1", "--seed", "3")
    data = json.loads(out)
    assert code == 0 and data["ok"] and len(data["results"]) == 1
    (tensor,) = data["results"][0]["cases"][0]["report"]["tensors"]
    assert tensor["checked"] == 3


def test_a_wrong_gradient_of_the_engine_ends_with_1(capsys, monkeypatch):
    few(monkeypatch, "relu", "softmax")
    right = ops.relu_backward
    monkeypatch.setattr(ops, "relu_backward", lambda dy, y: 1.01 * right(dy, y))
    code, out, _ = run(capsys)
    assert code == 1
    assert "4 cases, 2 NOT ok" in out and "relu: zeros and ties" in out
    assert json.loads(run(capsys, "--json")[1])["ok"] is False


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self):
        return True


def test_the_bar_is_seen_on_a_terminal(capsys, monkeypatch):
    few(monkeypatch, "relu", "softmax")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert cli.main(["gradcheck"]) == 0
    assert "0/4" in sys.stderr.getvalue() and "0/4" not in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "tqdm", None)  # not installed
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert cli.main(["gradcheck"]) == 0
    assert sys.stderr.getvalue() == ""


def test_the_full_network_is_asked_for_by_name(capsys, monkeypatch):
    from tinycnn.checking.battery import full_network

    asked = []

    def check(seed, *, samples, directions):
        asked.append((seed, samples, directions))
        return next(case for case in OPS.cases() if case.name == "relu").run()

    monkeypatch.setattr(full_network, "check_full_network", check)
    code, out, err = run(capsys, "--full", "--seed", "5", "--samples", "2")
    assert code == 0 and ": right" in out and "about a minute" in err
    assert asked == [(5, 2, None)]


# -------------------------------------------------------------------------------------- own code


def test_a_layer_of_ones_own(capsys):
    code, out, err = run(capsys, "mine.py:Power", "--input", "4,3")
    assert code == 0
    assert out.startswith("Gradients of Power") and "16 checks, all passed" in out
    assert "a word" in err and "a word" not in out


@pytest.mark.parametrize(
    "file",
    [
        "layer.v2.py",
        "my-layer.py",
        "my layer (1).py",
        "class.py",
        "random.py",
        "numpy.py",
        "2nd.py",
        "schicht_\u00fc.py",
        "\u5c42.py",
        ".py",
    ],
)
def test_a_file_of_any_name(capsys, folder, file):
    (folder / file).write_text("import random\n" + LAYER)
    code, out, _ = run(capsys, f"{file}:Power", "--input", "3")
    assert (code, "16 checks, all passed" in out) == (0, True), out


def test_two_files_of_one_name_are_two_modules(folder):
    made = []
    for place in ("a", "b"):
        (folder / place).mkdir()
        (folder / place / "layer.v2.py").write_text(LAYER)
        made.append(load(f"{place}/layer.v2.py:Power")())
    for layer in made:  # the first is still found after the second was loaded
        assert type(pickle.loads(pickle.dumps(layer))) is type(layer)


def test_arguments_and_functions_that_make_layers(capsys):
    powers = {}
    for name, given in (("Power", ()), ("Power", ("--args", "power=3")), ("cube", ())):
        code, out, _ = run(capsys, f"mine.py:{name}", "--input", "3", *given, "--json")
        gradients, checks = json.loads(out)["results"]
        assert code == 0 and checks["ok"]
        powers[name, given] = gradients["tensors"][0]["entries"][0]["numeric"]
    one, two, three = powers.values()
    assert one != two == three
    assert run(capsys, "mine.py:deep", "--input", "5,4,2")[0] == 0


def test_a_wrong_layer_ends_with_1_and_is_named(capsys):
    code, out, _ = run(capsys, "mine.py:Half", "--input", "4,3")
    assert code == 1
    assert "Gradients of Half" in out and "times 0.5" in out
    assert "16 checks, 2 failed" in out
    code, out, _ = run(capsys, "mine.py:Stateful", "--input", "4,3", "--json")
    gradients, checks = json.loads(out)["results"]
    assert code == 1 and not gradients["ok"] and not checks["ok"]
    assert [check["name"] for check in checks["checks"] if not check["ok"]] == [
        "no state",
        "thread safety",
    ]


def test_what_is_undecided_ends_with_1_and_says_why(capsys):
    code, out, _ = run(capsys, "mine.py:Dead", "--input", "4,3")
    assert code == 1
    assert out.startswith("Gradients of Dead layer: undecided")
    assert "dx: undecided: nothing was tested" in out
    assert "the gradient of x is undecided" in " ".join(out.split())
    data = json.loads(run(capsys, "mine.py:Dead", "--input", "4,3", "--json")[1])
    assert (data["ok"], data["results"][0]["verdict"]) == (False, "undecided")


def test_an_error_of_ones_own_code_is_told_with_its_line(capsys):
    line = 1 + LAYER.splitlines().index("        return dy * saved.no_such_name, {}")
    for more in ((), ("--json",)):
        code, out, _ = run(capsys, "mine.py:Crashes", "--input", "4,3", *more)
        assert code == 1
        assert "raises AttributeError" in out and f"(mine.py, line {line})" in out


def test_a_model_of_ones_own(capsys):
    code, out, _ = run(capsys, "mine.py:net")
    assert code == 0
    assert all(name in out for name in ("dense1.W", "dense1.b"))


def test_an_exercise_is_graded(capsys, folder):
    (folder / "task.py").write_text(skeleton("dropout"))
    code, out, _ = run(capsys, "task.py")
    assert code == 1 and "NOT YET" in out
    assert json.loads(run(capsys, "task.py", "--json")[1])["results"][0]["exercise"] == "dropout"


# ---------------------------------------------------------------------------------------- explain


def test_one_derivative_explained(capsys):
    code, out, _ = run(capsys, "mine.py:Power", "--input", "4,3", "--explain", "x[0,2,1]")
    assert code == 0
    assert "x[0,2,1]" in out and "float32" in out and "float64" in out
    data = json.loads(run(capsys, "mine.py:net", "--explain", "dense1.W[2,0]", "--json")[1])
    assert data["results"][0]["where"] == "dense1.W[2,0]"
    assert len(data["results"][0]["points"]) > 10


def test_without_a_target_it_is_one_of_mini(capsys):
    code, out, _ = run(capsys, "--explain", "fc3.b[7]")
    assert code == 0 and "AlexNet (mini)" in out


def test_the_curve_drawn(capsys, folder):
    argv = ("mine.py:Power", "--input", "4,3", "--explain", "x[0,2,1]", "--save")
    code, _, err = run(capsys, *argv, "curve.svg")
    assert code == 0 and "tinycnn: wrote curve.svg" in err
    assert (folder / "curve.svg").read_text().startswith("<?xml")
    assert run(capsys, *argv, "curve.pdf")[0] == 2


def test_a_wrong_derivative_explained_ends_with_1(capsys):
    code, out, _ = run(capsys, "mine.py:Half", "--input", "4,3", "--explain", "x[0,2,1]")
    assert code == 1 and "differs" in out


# -------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["mine.py"], "mine.py is no exercise: it has no line EXERCISE = 'relu' or the like, as the"),
        (["mine.py"], "a layer or model of yours is checked by its name, mine.py:NAME"),
        (["mine.py:Nothing", "--input", "3"], "Power, Half, Stateful, Dead, Crashes, net, deep"),
        (["nowhere.py"], "'nowhere.py' cannot be read: No such file"),
        (["nowhere.py:Layer", "--input", "3"], "'nowhere.py' cannot be read"),
        (["conv2d"], "TARGET is FILE.py:NAME, or FILE.py for an exercise, got 'conv2d'"),
        (["mine.py:Nothing", "--input", "3"], "mine.py defines no 'Nothing'; it has Power"),
        (["mine.py:number", "--input", "3"], "or what makes one, got an int"),
        (["mine.py:nothing", "--input", "3"], "mine.py:nothing must make a tinycnn.layers.Layer"),
        (["mine.py:fails", "--input", "3"], "mine.py:fails fails: ZeroDivisionError: division by zero"),
        (["mine.py:Power"], "a layer needs the shape of one input: --input 8,8,3"),
        (["mine.py:Power", "--input", "a,3"], "'a,3' is not a shape such as 8,8,3"),
        (["mine.py:Power", "--input", "0,3"], "must be"),
        (["mine.py:deep", "--input", "3"], "takes images (H, W, C)"),
        (["mine.py:deep", "--input", "5,5,1", "--args", "3"], "mine.py:deep is made already"),
        (["mine.py:Power", "--input", "3", "--args", "x"], "arguments must be literals as in a call"),
        (["mine.py:Power", "--input", "3", "--args", "1)+(2"], "arguments must be literals"),
        (["mine.py:Power", "--input", "3", "--args", "1, 2, 3"], "mine.py:Power fails: TypeError"),
        (["--input", "3"], "--input is for a layer of yours"),
        (["--args", "3"], "--args is for a layer of yours"),
        (["--save", "a.svg"], "--save draws what --explain shows"),
        (["mine.py:net", "--full"], "--full checks the full AlexNet"),
        (["mine.py", "--explain", "x[0]"], "--explain takes a derivative of FILE.py:NAME"),
        (["mine.py", "--samples", "3"], "--samples and --directions are for gradient checks"),
        (["mine.py:net", "--explain", "x[9,9]"], "x has shape (2, 4)"),
        (["mine.py:net", "--explain", "nothing[0]"], "nothing[0]"),
        (["mine.py:net", "--samples", "-1"], "samples must be"),
        (["mine.py:net", "--seed", "-1"], "--seed must be"),
    ],
)  # fmt: skip
def test_bad_input_ends_with_2_and_a_remedy(capsys, argv, words):
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(:\n", "bad.py fails: SyntaxError"),
        (
            "x = 1\ny = x / 0\n",
            "bad.py fails: ZeroDivisionError: division by zero (bad.py, line 2)",
        ),
        ("raise SystemExit(3)\n", "bad.py fails: SystemExit: 3 (bad.py, line 1)"),
        ("import no_such_module\n", "bad.py fails: ModuleNotFoundError"),
        ("x = '\udcff'\n", "'bad.py' cannot be read"),
        ("class A:\n    pass\n", "it has no layer and no model"),
    ],
)
def test_a_file_that_cannot_be_run(capsys, folder, source, words):
    (folder / "bad.py").write_bytes(source.encode("utf-8", "surrogateescape"))
    code, out, err = run(capsys, "bad.py:Layer", "--input", "3")
    assert (code, out) == (2, "")
    assert words in err and err.count("\n") == 1


def test_a_file_finds_its_neighbours_and_leaves_nothing_beside_it(capsys, folder, monkeypatch):
    package = folder / "inner"
    package.mkdir()
    (package / "neighbour_of_mine.py").write_text("POWER = 3\n")
    (package / "own.py").write_text(LAYER + "\nfrom neighbour_of_mine import POWER\n")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the neighbour's is Python's own affair
    before = list(sys.path)
    assert run(capsys, "inner/own.py:Power", "--input", "3")[0] == 0
    assert sorted(path.name for path in package.iterdir()) == ["neighbour_of_mine.py", "own.py"]
    assert sys.path == before


def test_a_network_that_holds_nan_writes_to_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "import tinycnn as tc\n"
        "from tinycnn.layers import Conv2D, Dense\n"
        "net = tc.Sequential([Conv2D(2, 2), Dense(3, activation='softmax')], (4, 4, 1), rng=0)\n"
        "with net.edit() as parameters:\n"
        "    parameters['conv1.W'][0] = float('nan')\n"
        "    parameters['conv1.W'][1] = float('inf')\n"
    )
    code, out, err = run(capsys, "mine.py:net")
    assert code == 1 and "holds NaN or infinity" in out
    assert "mutates" not in out and "Warning" not in err
