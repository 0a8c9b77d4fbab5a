"""``tinycnn step --ask``: what can be asked for, and what is refused."""

import io
import json

import pytest
from asking_sessions import ask_command

from tinycnn import cli

MINI = ("--model", "mini")


def test_a_cell_of_a_network_by_the_command(monkeypatch, capsys):
    cli.main(["step", *MINI, "--layer", "conv2", "--at", "5,5,7", "--json"])
    value = json.loads(capsys.readouterr().out)["value"]
    argv = (*MINI, "--layer", "conv2", "--at", "5,5,7")
    code, out, _ = ask_command(monkeypatch, capsys, *argv, answers=["99", f"{value:.4f}"])
    assert code == 0 and "> 99\nNo: it is smaller." in out
    assert out.splitlines()[-1] == "0 of 1 right at the first try, 1 later."


@pytest.mark.parametrize(
    "argv",
    [
        ("--weight", "conv1.W[5,5,0,3]"),
        ("--grad", "pool1.x", "--at", "3,2,1"),
        ("--grad", "conv2.z", "--at", "3,2,1"),
        ("--layer", "pool1", "--at", "3,2,1"),
        ("--layer", "fc3", "--at", "281"),
        ("--layer", "conv3"),
        ("--why", "loss"),
        ("--train", "--layer", "conv3", "--at", "1,1,1"),
        (),
    ],
    ids=" ".join,
)
def test_whatever_opens_can_be_asked(argv, monkeypatch, capsys):
    code, out, _ = ask_command(monkeypatch, capsys, *MINI, *argv, answers=["?"] * 99)
    asked = out.count("\nIt is ")
    assert code == 0 and asked >= 1
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[-1] == f"0 of {asked} right at the first try, {asked} shown."


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--json"], "leave out --json"),
        (["-i"], "leave out -i/--interactive"),
        (["--layer", "conv1", "--at", "3,3", "--im2col"], "leave out --im2col"),
        (
            ["--layer", "conv1", "--at", "3,3,3", "--save", "a.svg", "--json"],
            "leave out --json, --save",
        ),
        (["--example", "stride", "--json"], "leave out --json"),
        (["--model", "mini", "--layer", "conv9"], "there is no layer 'conv9'"),
        (
            ["--model", "mini", "--layer", "dropout1", "--at", "0,0,0"],
            "there is nothing to predict",
        ),
    ],
)
def test_what_asks_nothing_is_refused(argv, words, monkeypatch, capsys):
    code, out, err = ask_command(monkeypatch, capsys, *argv)
    assert (code, out) == (2, "") and err.count("\n") == 1 and words in err


def test_a_line_that_is_no_text_ends_in_no_traceback(monkeypatch, capsys):
    stdin = io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n?\n"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", stdin)
    assert cli.main(["step", "--example", "stride", "--ask"]) == 0
    assert "cannot be read" in capsys.readouterr().out
