"""The command line as people and programs use it: results, messages, exit codes."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import tinycnn as tc
from tinycnn import cli


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


def test_summary_with_other_classes(capsys):
    assert "99,251,344" in run(capsys, "summary", "--classes", "10000")[1]


def test_step_prints_the_overview(capsys):
    code, out, _ = run(capsys, "step", "--model", "mini")
    assert code == 0
    assert "FORWARD" in out and "BACKWARD, against label 281" in out and "chelsea.png" in out


def test_step_opens_a_cell(capsys):
    code, out, _ = run(capsys, "step", "--model", "mini", "--layer", "conv2", "--at", "5,5,7")
    assert code == 0 and out.startswith("conv2, row 5, column 5, filter 7")
    opened = run(capsys, "step", "--model", "mini", "--layer", "conv2", "--at=-6,5,7", "--json")
    assert json.loads(opened[1])["place"] == [5, 5, 7]


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


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["step", "nowhere.png"], "there is no picture 'nowhere.png'"),
        (["step", "--model", "vgg"], "variant must be one of 'one-tower'"),
        (["summary", "vgg"], "variant must be one of 'one-tower'"),
        (["summary", "--vs", "vgg"], "variant must be one of"),
        (["summary", "--classes", "0"], "classes must be at least 1, got 0"),
        (["step", "--model", "mini", "--layer", "conv2"], "--layer and --at go together"),
        (["step", "--model", "mini", "--at", "1,1,1"], "--layer and --at go together"),
        (["step", "--model", "mini", "--layer", "x", "--at", "1"], "there is no layer 'x'"),
        (
            ["step", "--model", "mini", "--layer", "conv2", "--at", "99,0,0"],
            "conv2 has rows 0 .. 10",
        ),
        (["step", "--model", "mini", "--layer", "conv2", "--at", "a,b"], "is not a place such as"),
        (["step", "--model", "mini", "--label", "1000"], "label must lie in 0 .. 999"),
        (["step", "--model", "mini", "--weights", "no.npz"], "there is no weights file 'no.npz'"),
        (["step", "--model", "mini", "--seed", "-1"], "rng must be at least 0"),
        ([], "required"),
        (["fly"], "invalid choice"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(capsys, argv, message):
    code, out, err = run(capsys, *argv)
    assert code == 2 and out == ""
    assert message in err
    assert len([line for line in err.splitlines() if not line.startswith(("usage", " "))]) == 1


def test_interrupt_exits_with_130(capsys, monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_summary", interrupted)
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


def test_closed_pipe_is_no_error():
    child = subprocess.Popen(
        [sys.executable, "-m", "tinycnn", "summary"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == 0


def test_colour_only_on_a_terminal_that_allows_it(monkeypatch):
    from tinycnn.stepthrough.terminal import Style

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
