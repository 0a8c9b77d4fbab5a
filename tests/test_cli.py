"""The command line as people and programs use it: results, messages, exit codes."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

import tinycnn as tc
from tinycnn import cli
from tinycnn.explain import open_lesson


def run(capsys, *argv):
    """Exit code, stdout and stderr of one command."""
    try:
        code = cli.main(argv)
    except SystemExit as stop:  # argparse
        code = stop.code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_summary_prints_the_table(capsys):
    code, out, err = run(capsys, "summary")
    assert code == 0 and err == ""
    assert "62,378,344" in out and "1,135,256,096" in out
    assert max(map(len, out.splitlines())) <= 80


def test_summary_against_another_variant(capsys):
    code, out, _ = run(capsys, "summary", "one-tower", "--vs", "paper")
    assert code == 0
    assert "norm1" in out and "60,965,224" in out and "724,406,816" in out


def test_summary_as_data(capsys):
    assert json.loads(run(capsys, "summary", "mini", "--json")[1])["parameters"] == 904_216
    both = json.loads(run(capsys, "summary", "mini", "--vs", "paper", "--json")[1])
    assert [table["title"] for table in both] == ["AlexNet (mini)", "AlexNet (paper)"]


def test_summary_of_how_a_batch_is_carried_out(capsys):
    code, out, _ = run(capsys, "summary", "--plan", "32")
    assert code == 0
    assert "1 of 5, 2 of 4" in out
    steps = json.loads(run(capsys, "summary", "--plan", "32", "--json")[1])["steps"]
    assert [step["layer"] for step in steps][-3:] == ["fc1", "fc2", "fc3"]
    code, _, err = run(capsys, "summary", "--plan", "0")
    assert (code, err) == (2, "tinycnn: --plan must be at least 1, got 0\n")


def test_summary_with_other_classes(capsys):
    assert "99,251,344" in run(capsys, "summary", "--classes", "10000")[1]


def test_step_prints_the_overview(capsys):
    code, out, _ = run(capsys, "step", "--model", "mini")
    assert code == 0
    assert "FORWARD" in out and "BACKWARD, against label 281" in out and "chelsea.png" in out


def step(capsys, *argv):
    """What ``tinycnn step --model mini`` prints, and that it went well."""
    code, out, err = run(capsys, "step", "--model", "mini", *argv)
    assert code == 0 and err == ""
    assert max(map(len, out.splitlines())) <= 80 or "--json" in argv
    return out


def test_step_opens_a_cell(capsys):
    out = step(capsys, "--layer", "conv2", "--at", "5,5,7")
    assert out.startswith("conv2, row 5, column 5, filter 7")
    opened = step(capsys, "--layer", "conv2", "--at=-6,5,7", "--json")
    assert json.loads(opened)["place"] == [5, 5, 7]
    assert step(capsys, "--layer", "conv2", "--at", "-6,5,7", "--json") == opened
    assert step(capsys, "--at", "-6,5,7", "--layer", "conv2", "--json") == opened


def test_step_opens_a_weight_s_gradient(capsys):
    out = step(capsys, "--weight", "conv1.W[5,5,0,3]")
    assert out.startswith("dL/d conv1.W[5,5,0,3] ")
    assert "PLACES  529 places" in out and "STEP" in out and out.count("agrees") == 2
    assert json.loads(step(capsys, "--weight", "fc1.b[12]", "--json"))["place"] == [12]


@pytest.mark.parametrize("name", ["pool1.x", "pool1.y", "conv2.z"])
def test_step_opens_any_other_gradient(capsys, name):
    layer, part = name.split(".")
    out = step(capsys, "--grad", name, "--at", "3,2,1")
    assert out.startswith(f"dL/d{part} of {layer}, row 3, column 2, ")
    assert "agrees" in out


def test_step_opens_the_loss(capsys):
    out = step(capsys, "--why", "loss")
    assert out.startswith("loss ") and "CHANCE  ln 1,000 = 6.9078" in out
    assert step(capsys, "--why", "loss", "--label", "5") != out


def test_step_opens_a_row_of_im2col(capsys):
    out = step(capsys, "--layer", "conv1", "--im2col", "--at", "11,12")
    first = out.splitlines()[0]
    assert first.startswith("conv1, row 11, column 12: its row of im2col's matrix ")
    assert first.endswith(" 265")
    assert "row 265 (= 11 * 23 + 12) of a matrix of 529" in " ".join(out.split())


def test_step_describes_a_layer_and_names_commands_that_open_its_cells(capsys):
    out = step(capsys, "--seed", "3", "--layer", "conv2")
    assert "LIVELIEST MAPS" in out
    shown, command = re.search(r"^ *(\S+)   (tinycnn step .*)$", out, re.M).groups()
    assert command.startswith("tinycnn step --model mini --seed 3 --layer conv2 --at ")
    assert run(capsys, *command.split()[1:])[1].split("\n")[0].endswith(f" {shown}")
    assert json.loads(step(capsys, "--layer", "fc3", "--json"))["maps"] == []


def test_step_names_commands_that_open_a_cell_and_a_gradient(capsys):
    out = step(capsys, "--train", "--label", "4")
    commands = re.findall(r"^Open .*:\s+(tinycnn step .*)$", out, re.M)
    assert len(commands) == 2
    for command in commands:
        words = shlex.split(command)
        assert words[:7] == ["tinycnn", "step", "--model", "mini", "--label", "4", "--train"]
        assert run(capsys, *words[1:])[0] == 0


def named(out, what):
    """The words of the command that stands behind ``what``, on its line or on the next."""
    return shlex.split(re.search(rf"^{what}:\s+(tinycnn .*)$", out, re.M)[1])[1:]


@pytest.mark.parametrize(
    "what",
    [
        ("--layer", "conv2", "--at", "-1,5,3"),
        ("--layer", "conv1", "--at", "9,8,4", "--open", "3"),
        ("--layer", "fc3", "--at", "7", "--open", "B/2"),
        ("--weight", "conv1.W[5,5,0,3]", "--open", "0,0"),
        ("--grad", "conv3.x", "--at", "1,2,3"),
        ("--why", "loss"),
    ],
)
def test_step_names_another_part_of_a_sum(capsys, what):
    out = step(capsys, *what)
    command = named(out, "Another part")
    assert command[-2] == "--open" and f"part {command[-1]} " not in out
    code, other, err = run(capsys, *command)
    assert (code, err) == (0, "") and f"part {command[-1]} " in other
    assert other.split("\n")[0] == out.split("\n")[0]


@pytest.mark.parametrize(
    "what",
    [(), ("--layer", "pool2"), ("--layer", "pool2", "--at", "1,1,1"), ("--weight", "conv1.W[5,5,0,3]"),
     ("--steps", "2")],
)  # fmt: skip
def test_step_ends_with_the_command_that_writes_its_page(capsys, tmp_path, monkeypatch, what):
    """Same picture, model, weights, label and options, quoted; and that command runs."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    np.save("a cat's.npy", pixels)
    tiny = tc.Sequential(
        [tc.layers.Conv2D(2, 3, name="conv1"), tc.layers.MaxPool2D(2, name="pool2"),
         tc.layers.Dense(3, activation="softmax")], (8, 8, 3), rng=1,
    )  # fmt: skip
    tiny.save("my net.npz")
    lesson = ["a cat's.npy", "--model", "my net.npz", "--label", "2", "--seed", "3", "--train",
              "--mean=0.48512345678", "--channels", "bgr"]  # fmt: skip
    what = [part.replace("[5,5,0,3]", "[1,1,0,1]") for part in what]
    code, out, _ = run(capsys, "step", *lesson, *what)
    assert code == 0
    line = out.rstrip().rpartition("In a browser:")[2]
    words = shlex.split(line)
    assert words[:3] == ["tinycnn", "page", "a cat's.npy"] and sorted(words[2:]) == sorted(lesson)
    if not what:
        code, shown, err = run(capsys, *words[1:], "-o", "page.html")
        assert (code, shown) == (0, "") and "wrote page.html" in err
        assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_an_example_ends_with_the_page_too(capsys):
    out = run(capsys, "step", "--example", "softmax")[1]
    assert out.endswith("In a browser: tinycnn page\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "--open opens a part of one number's sum; its text names the parts: tinycnn step --model mini "
             "--layer conv1 --at 11,11,6"),
        (("--layer", "conv2"), "--layer conv2 --at 5,5,16"),
        (("--layer", "conv2", "--at", "5,5,3", "--json"), "every part of a sum; leave out --open"),
        (("--layer", "conv2", "--at", "5,5,3", "--ask"), "leave out --open"),
        (("--layer", "conv2", "--at", "5,5", "--im2col"), "nothing is added up here"),
        (("--layer", "conv2", "--at", "5,5,3", "-i"), "leave out --open"),
        (("--steps", "2"), "leave out --open"),
        (("--layer", "conv2", "--at", "5,5,3"), "has no part '9,9': 0,0 .. 4,4 open (row,column, from 0)"),
        (("--layer", "dropout1", "--at", "1,1,3"), "nothing is added up here, so that no part opens"),
        (("--layer", "pool1", "--at", "5,5,3"), "has no part '9,9': 0,0 .. 2,2 open (row,column, from 0)"),
    ],
)  # fmt: skip
def test_a_part_that_does_not_open_is_named(capsys, argv, message):
    code, out, err = run(capsys, "step", "--model", "mini", *argv, "--open", "9,9")
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1


def test_an_example_has_no_part_to_open(capsys):
    assert "leave out --open" in run(capsys, "step", "--example", "softmax", "--open", "0")[2]


def test_step_in_training_drops_cells(capsys):
    out = step(capsys, "--train", "--layer", "dropout1", "--at", "0,0,0")
    assert "mask of key 0, layer 8, sample 0" in " ".join(out.split())
    assert "dropout is off" in step(capsys, "--layer", "dropout1", "--at", "0,0,0")
    assert step(capsys, "--train", "--weight", "conv1.W[5,5,0,3]") != step(
        capsys, "--weight", "conv1.W[5,5,0,3]"
    )


@pytest.mark.parametrize("name", ["opened.svg", "opened.png", "opened.PNG", "opened.Svg"])
def test_step_draws_what_it_opened(capsys, tmp_path, name):
    argv = ("step", "--model", "mini", "--layer", "conv2", "--at", "5,5,7")
    code, out, err = run(capsys, *argv, "--save", str(tmp_path / name))
    assert code == 0 and err == f"tinycnn: wrote {tmp_path / name}\n"
    assert out == run(capsys, *argv)[1]
    assert (tmp_path / name).stat().st_size > 10_000


def test_a_figure_that_cannot_be_written(capsys, tmp_path):
    argv = ("step", "--model", "mini", "--why", "loss", "--save")
    for file, message in (("a.pdf", "a figure is .svg or .png"), ("no/a.svg", "cannot be written")):
        code, _, err = run(capsys, *argv, str(tmp_path / file))
        assert code == 2 and message in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_step_on_a_model_of_ones_own(capsys, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import tinycnn as tc\nfrom tinycnn.layers import *\n"
        "net = tc.Sequential([Conv2D(4, 5, stride=3, activation='relu'), Dense(6), Softmax()], (40, 50, 3))\n"
    )
    model = f"{tmp_path / 'mine.py'}:net"
    code, out, _ = run(capsys, "step", "--model", model)
    words = " ".join(out.split())
    assert code == 0 and f"Weights: random, as {model} draws them." in words
    assert out.startswith("mine.py:net: ")  # it has no name of its own
    likeliest = re.search(r"Likeliest classes: (\d)", words)[1]
    assert f"loss is taken against the likeliest, {likeliest}." in words
    assert f"BACKWARD, against label {likeliest}" in out
    code, out, _ = run(
        capsys, "step", "--model", model, "--weight", "conv1.W[0,0,0,0]", "--label", "5"
    )
    assert code == 0 and out.count("agrees") == 2
    code, out, _ = run(capsys, "step", "--model", model, "--grad", "softmax1.x", "--at", "2")
    assert code == 0 and "p - onehot" in out


def test_a_check_that_fails_gives_exit_code_1(capsys, monkeypatch):
    from tinycnn.explain.values import checks

    monkeypatch.setattr(checks, "half_epsilon", lambda dtype: 1e-30)
    code, out, err = run(capsys, "step", "--model", "mini", "--layer", "conv3", "--at", "2,2,2")
    assert code == 1 and "DISAGREES" in out and err == ""


def test_step_as_data_with_another_seed_and_label(capsys):
    first = json.loads(run(capsys, "step", "--model", "mini", "--json", "--label", "3")[1])
    other = json.loads(run(capsys, "step", "--model", "mini", "--json", "--seed", "7")[1])
    assert first["label"] == 3 and other["label"] == 281
    assert first["loss"]["loss"] != other["loss"]["loss"]


def test_step_on_a_picture_and_weights_of_ones_own(capsys, tmp_path):
    Image.fromarray(np.full((120, 150, 3), 90, np.uint8)).save(tmp_path / "mine.png")
    np.savez(tmp_path / "w.npz", **tc.alexnet(variant="mini", rng=5).parameters())
    code, out, _ = run(
        capsys, "step", str(tmp_path / "mine.png"), "--model", "mini",
        "--weights", str(tmp_path / "w.npz"),
    )  # fmt: skip
    assert code == 0
    assert "mine.png" in out and "Weights: from w.npz." in out and "random" not in out


def test_step_on_a_model_that_was_saved(capsys, tmp_path):
    path = str(tmp_path / "m.safetensors")
    model = tc.alexnet(7, variant="mini", rng=5)
    model.save(path)
    code, out, _ = run(
        capsys, "step", "--model", path, "--label", "3", "--layer", "fc3", "--at", "2"
    )
    assert code == 0 and "fc3" in out
    data = json.loads(run(capsys, "step", "--model", path, "--label", "3", "--json")[1])
    assert data["model"] == "AlexNet (mini)" and data["weights"] == f"as {path} has them"
    x = open_lesson(None, model=path).picture.x
    p = model.trace(x, algorithm="im2col").y[0, 3]
    assert data["loss"]["probability"] == pytest.approx(float(p), rel=1e-6)
    code, out, err = run(capsys, "step", "--model", "nowhere.npz")
    assert (code, out) == (2, "") and "there is no model file 'nowhere.npz'" in err


def test_step_says_which_label_it_takes_where_none_is_named(capsys, tmp_path):
    np.save(tmp_path / "mine.npy", np.arange(300, dtype=np.uint8).reshape(10, 10, 3))
    picture = ("step", str(tmp_path / "mine.npy"), "--model", "mini")
    data = json.loads(run(capsys, *picture, "--json")[1])
    likeliest = data["loss"]["top"][0][0]
    assert data["label"] == likeliest and data["label_is_likeliest"]
    words = f"the loss is taken against the likeliest, {likeliest}."
    out = run(capsys, *picture)[1]
    assert words in " ".join(out.split()) and f"against label {likeliest}\n" in out
    for what in (("--why", "loss"), ("--weight", "fc3.b[5]")):
        code, out, err = run(capsys, *picture, *what)
        assert code == 0 and words in err and err.count("\n") == 1
        code, named, err = run(capsys, *picture, *what, "--label", str(likeliest))
        option = f"--model mini --label {likeliest}"
        assert (code, named, err) == (0, out.replace("--model mini", option), "")
    assert run(capsys, *picture, "--layer", "conv1", "--at", "1,1,1")[2] == ""  # no label is needed


MINI = ["step", "--model", "mini"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["step", "nowhere.png"], "there is no picture 'nowhere.png'"),
        (["step", "--model", "vgg"], "there is no network 'vgg': give one-tower, paper"),
        (["summary", "vgg"], "VARIANT must be one of 'one-tower'"),
        (["summary", "--vs", "vgg"], "--vs must be one of"),
        (["summary", "--classes", "0"], "--classes must be at least 1, got 0"),
        ([*MINI, "--at", "1,1,1"], "--at says which number of --layer or --grad"),
        ([*MINI, "--why", "loss", "--at", "1,1,1"], "--at says which number of --layer or --grad"),
        (
            [*MINI, "--weight", "fc1.b[1]", "--at", "1"],
            "--at says which number of --layer or --grad",
        ),
        (
            [*MINI, "--im2col"],
            "--im2col needs --layer and --at: tinycnn step --model mini --layer conv1",
        ),
        ([*MINI, "--im2col", "--layer", "conv1"], "--im2col needs --layer and --at"),
        ([*MINI, "--im2col", "--grad", "conv1.x", "--at", "1,1,1"], "--im2col needs --layer and"),
        ([*MINI, "--im2col", "--layer", "pool1", "--at", "1,1"], "pool1 is a MaxPool2D: im2col is"),
        (
            [*MINI, "--save", "a.svg"],
            "--save draws one opened number: tinycnn step --model mini --layer",
        ),
        ([*MINI, "--save", "a.svg", "--layer", "conv1"], "--save draws one opened number"),
        ([*MINI, "--layer", "x", "--at", "1"], "there is no layer 'x'; there are conv1, pool1"),
        ([*MINI, "--layer", "x"], "no layer is named 'x'; there are conv1, pool1"),
        ([*MINI, "--layer", "conv2", "--at", "99,0,0"], "conv2 has rows 0 .. 10"),
        ([*MINI, "--layer", "conv2", "--at", "0,0"], "a place in conv2 is row, column, filter"),
        ([*MINI, "--layer", "conv2", "--at", "a,b"], "'a,b' is not a place such as 13,13,7"),
        (
            [*MINI, "--grad", "pool1.x"],
            "which number of pool1.x? this opens one: tinycnn step --model mini --grad 'pool1.x[11,11,6]'",
        ),
        ([*MINI, "--grad", "fc3.y", "--at", "3"], "ask for fc3.z, the gradient before the softmax"),
        ([*MINI, "--grad", "conv2.q", "--at", "3"], "conv2 has no 'q'; it has W, b, x, y, z"),
        ([*MINI, "--weight", "conv1.W"], "which number of conv1.W? this opens one: tinycnn step"),
        ([*MINI, "--weight", "conv1.W[a]"], "'conv1.W[a]' is not a name such as conv1.W[5,5,0,3]"),
        ([*MINI, "--weight", "conv1.W[11,0,0,0]"], "conv1.W has kernel rows 0 .. 10"),
        ([*MINI, "--why", "not"], "invalid choice: 'not'"),
        ([*MINI, "--why", "loss", "--layer", "conv1"], "not allowed with argument"),
        (["step", "--model", "no.py:net"], "there is no file 'no.py'; --model takes a variant or"),
        (["step", "--model", "mini", "--label", "1000"], "label must lie in 0 .. 999"),
        (["step", "--model", "mini", "--weights", "no.npz"], "there is no weights file 'no.npz'"),
        (["step", "--model", "mini", "--seed", "-1"], "tinycnn: --seed must be at least 0, got -1"),
        (["step", "--seed", str(2**64), "--train"], "--seed must be at most 18446744073709551615"),
        (["quiz", "--seed", "-1"], "tinycnn: --seed must be at least 0, got -1"),
        (["gradcheck", "--seed", "-1"], "tinycnn: --seed must be at least 0, got -1"),
        (["gradcheck", "--samples", "-1"], "tinycnn: --samples must be at least 0, got -1"),
        (["gradcheck", "--input", "-8,-8,3"], "--input is for a layer of yours"),
        (["bench", "--seconds", "-1e3"], "--seconds must be a finite number from 0 up"),
        (
            [*MINI, "--weight", "conv1"],
            "--weight takes a number of a parameter, got 'conv1': tinycnn",
        ),
        (
            ["step", "a.png", "--example", "lrn", "-i", "--at", "1"],
            "--example brings its own numbers; leave out the picture, --at, -i/--interactive",
        ),
        (
            [*MINI, "--layer", "conv1", "--at", "1,1,1", "-i", "--json", "--save", "a.svg"],
            "with --layer and --at; leave out --save, --json",
        ),
        ([], "required"),
        (["fly"], "invalid choice"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(capsys, argv, message):
    code, out, err = run(capsys, *argv)
    assert code == 2 and out == ""
    assert message in err
    assert len([line for line in err.splitlines() if not line.startswith(("usage", " "))]) == 1


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"], ids=["too long", "no name"])
@pytest.mark.parametrize(
    "argv",
    [
        ["step", "{}"], ["step", "--model", "{}.py:net"], ["step", "--weights", "{}.npz"],
        ["train", "{}"], ["train", "{}.npz"], ["eval", "{}"], ["eval", "digits", "--model", "{}"],
        ["grade", "{}"], ["grade", "{}.py"],
        ["gradcheck", "{}.py"], ["gradcheck", "{}.py:f"], ["page", "{}"], ["summary", "{}.py:net"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_no_file_can_be_called_is_not_there(capsys, argv, name):
    """The system refuses even to look for such a name."""
    code, out, err = run(capsys, *(word.format(name) for word in argv))
    assert code == 2 and out == ""
    assert err.startswith("tinycnn: ") and "Traceback" not in err


def test_interrupt_exits_with_130(capsys, monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinycnn.commands.summary.run", interrupted)
    code, _, err = run(capsys, "summary")
    assert code == 130 and "interrupted" in err


def _child(*argv, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tinycnn", *argv],
        capture_output=True, env=os.environ | environment, timeout=300,
    )  # fmt: skip


def test_module_runs_and_a_terminal_without_unicode_is_served():
    done = _child(
        "step", "--model", "mini", "--layer", "conv1", "--at", "5,5,5", PYTHONIOENCODING="ascii"
    )
    assert done.returncode == 0 and done.stderr == b""
    assert b"conv1, row 5" in done.stdout


def _in_a_shell(command, **environment):
    """What a shell makes of ``{} ...``, the program in place of the braces: exit code and stderr."""
    program = shlex.join([sys.executable, "-m", "tinycnn"])
    done = subprocess.run(
        ["bash", "-c", command.replace("{}", program)],
        capture_output=True, text=True, env=os.environ | environment, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.process
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("{} summary >/dev/full", 1, "tinycnn: No space left on device\n"),
        ("{} --help >/dev/full", 1, "tinycnn: No space left on device\n"),
        ("{} step --help >/dev/full", 1, "tinycnn: No space left on device\n"),
        ("{} --version >/dev/full", 1, "tinycnn: No space left on device\n"),
        ("{} summary --json >/dev/full", 1, "tinycnn: No space left on device\n"),
        ("{} quiz >&-", 1, "tinycnn: standard output is closed: the result cannot be written\n"),
        ("{} summary >&- 2>&- <&-", 1, ""),
        ("{} summary --vs no 2>&-", 2, ""),
        ("{} summary <&-", 0, ""),
        ("{} step --model mini | head -1; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
def test_a_result_that_cannot_be_written(command, code, message, unbuffered):
    assert _in_a_shell(command, PYTHONUNBUFFERED=unbuffered) == (code, message)


@pytest.mark.process
def test_an_environment_that_cannot_be_used():
    for name, value, words in (
        ("TINYCNN_LANES", "5", "TINYCNN_LANES must be 4, 8 or 16, got '5'"),
        ("TINYCNN_THREADS", "none", "TINYCNN_THREADS must be a whole number from 1 up, got 'none'"),
        ("NUMBA_NUM_THREADS", "-3", "Numba does not start: "),
    ):
        code, err = _in_a_shell("{} step --model mini", **{name: value})
        assert code == 2 and words in err and err.count("\n") == 1
    code, err = _in_a_shell("{} step --model mini --why loss --save x.svg", MPLBACKEND="no")
    assert code == 2 and "a figure needs matplotlib, which does not start: " in err


@pytest.mark.process
def test_interrupted_while_it_is_imported():
    program = """if True:
        import sys
        from tinycnn.__main__ import main

        class Interrupted:
            def find_spec(self, name, path, target=None):
                if name == "numpy":
                    raise KeyboardInterrupt

        sys.meta_path.insert(0, Interrupted())
        sys.argv = ["tinycnn", "summary"]
        sys.exit(main())
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"tinycnn: interrupted\n")


def test_what_the_system_refuses_is_one_line(capsys, monkeypatch):
    for error, message in (
        (
            MemoryError("Unable to allocate 3 TiB"),
            "the memory does not suffice: Unable to allocate 3 TiB",
        ),
        (PermissionError(13, "Permission denied", "a"), "'a': Permission denied"),
    ):

        def refused(arguments, error=error):
            raise error

        monkeypatch.setattr("tinycnn.commands.summary.run", refused)
        assert run(capsys, "summary") == (1, "", f"tinycnn: {message}\n")


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line(capsys, monkeypatch):
    def warned(arguments):
        warnings.warn("first line\nsecond line", RuntimeWarning, stacklevel=1)
        return 0

    monkeypatch.setattr("tinycnn.commands.summary.run", warned)
    assert run(capsys, "summary") == (0, "", "tinycnn: first line\n")


NOTHING = ["--weights", "no.npz"]  # were it read, it would be refused


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["quiz", "-o", "x.pdf"], "a sheet is .txt, .markdown, .md, .htm or .html, got 'x.pdf'"),
        (["quiz", "-o", "no/x.md"], "'no/x.md' cannot be written: No such file or directory"),
        (["quiz", "-o", "/dev/null"], "'/dev/null' cannot be written: it is no regular file"),
        (["quiz", "-o", "file/x.md"], "'file/x.md' cannot be written: Not a directory"),
        (["exercise", "lrn", "-o", "x.pdf"], "an exercise is .py, got 'x.pdf'"),
        (["exercise", "lrn", "-o", "no/x.py"], "'no/x.py' cannot be written: No such file"),
        (["exercise", "lrn", "-o", "taken.py"], "is there already and may hold somebody's work"),
        (["step", *NOTHING, "--why", "loss", "--save", "x.pdf"], "a figure is .svg or .png, got"),
        (["step", *NOTHING, "--why", "loss", "--save", "no/x.svg"], "'no/x.svg' cannot be written"),
        (["step", *NOTHING, "--why", "loss", "--save", ""], "a figure is .svg or .png, got ''"),
        (["gradcheck", "--explain", "conv9.W[0]", "--save", ""], "a figure is .svg or .png"),
        (["gradcheck", "--explain", "conv9.W[0]", "--save", "x.pdf"], "a figure is .svg or .png"),
        (["gradcheck", "--explain", "conv9.W[0]", "--save", "no/x.png"], "'no/x.png' cannot be"),
        (["bench", "layers", "--save", "x.pdf"], "a figure is .svg or .png, got 'x.pdf'"),
        (["bench", "layers", "--save", "no/x.png"], "'no/x.png' cannot be written"),
        (["bench", "race", "--save", "x.png"], "--save draws what the part layers measures"),
        (["bench", "--quick", "--save", "x.png"], "--save draws what the part layers measures"),
        (["bench", "--json", "x.pdf"], "what --json writes is .json, got 'x.pdf'"),
        (["bench", "--json", "no/x.json"], "'no/x.json' cannot be written"),
        (["bench", "--markdown", "x.pdf"], "what --markdown writes is .markdown, .md or .txt, got"),
        (["bench", "--markdown", "no/x.md"], "'no/x.md' cannot be written"),
    ],
)
def test_files_that_cannot_be_written_are_refused_before_any_work(
    capsys, tmp_path, monkeypatch, argv, words
):
    (tmp_path / "file").touch()
    (tmp_path / "taken.py").touch()
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "") and words in err and err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"file", "taken.py"}


def test_without_matplotlib_figures_are_refused_before_any_work(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    figure = ("--save", str(tmp_path / "x.svg"))
    for argv in (
        ("bench", "layers"), ("step", *NOTHING, "--why", "loss"), ("gradcheck", "--explain", "x.W[0]"),
    ):  # fmt: skip
        code, out, err = run(capsys, *argv, *figure)
        assert (code, out) == (2, "") and "pip install 'tinycnn[plot]'" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_closed_pipe_is_no_error():
    child = subprocess.Popen(
        [sys.executable, "-m", "tinycnn", "summary"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == 0


@pytest.mark.process
def test_colour_only_on_a_terminal_that_allows_it(monkeypatch):
    from tinycnn.explain.readers.style import Style

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Style.of(Terminal()).colour and not Style.of(io.StringIO()).colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Style.of(Terminal()).colour
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not Style.of(Terminal()).colour


def test_version(capsys):
    assert run(capsys, "--version")[1] == f"tinycnn {tc.__version__}\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--layer", "conv1.x", "--at", "0,0,0"], "--layer takes a layer, got 'conv1.x'"),
        (["--grad", "conv2", "--at", "0,0,0"], "--grad takes a layer's x, y or z"),
    ],
)
def test_a_name_of_the_other_kind(capsys, argv, message):
    code, out, err = run(capsys, "step", "--model", "mini", *argv)
    assert code == 2 and out == "" and message in err
