"""Hand-sized examples asked for: the file's numbers are right, and mistakes are named."""

import re

import pytest
from asking_sessions import ask_command

from tinycnn.explain.examples.example import load

EXAMPLES = load()


def stored(name, cell):
    """A number of the file from a cell's name, such as z[0,1]."""
    key, *index = re.findall(r"\w+", cell)
    number = EXAMPLES[name]["values"][key]["data"]
    for place in map(int, index):
        number = number[place]
    return float(number)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_file_s_numbers_are_the_right_answers(name, monkeypatch, capsys):
    code, out, err = ask_command(monkeypatch, capsys, "--example", name, answers=["?"] * 99)
    assert code == 0 and err == ""
    assert max(map(len, out.splitlines())) <= 80
    cells = re.findall(
        r"^(\w+(?:\[[\d,]+\])?) = \?\n> \?\nIt is (?:.* = )?(.*)\.$", out, re.MULTILINE
    )
    known = [
        (cell, shown) for cell, shown in cells if cell.partition("[")[0] in EXAMPLES[name]["values"]
    ]
    assert len(known) >= 3
    for cell, shown in known:
        assert float(shown) == pytest.approx(stored(name, cell), rel=1e-5, abs=1e-12), cell
    right = re.findall(r"^(.*)\?\n> \?\nIt is (?:.* = )?(.*)\.$", out, re.MULTILINE)
    answers = [shown for _, shown in right]
    _, again, _ = ask_command(monkeypatch, capsys, "--example", name, answers=answers)
    assert again.splitlines()[-1] == f"{len(answers)} of {len(answers)} right at the first try."


@pytest.mark.parametrize(
    ("name", "cell", "typed", "words"),
    [
        ("conv-pool", "z[0,1]", "7", "the bias is left out"),
        ("conv-pool", "z[0,1]", "2", "that is z[0,0]"),
        ("conv-pool", "a[2,1]", "-4", "ReLU was forgotten"),
        ("conv-pool", "y[0,0]", "2", "a larger number is in the window"),
        ("conv-pool", "da[0,1]", "2", "that is one part (2) alone: all parts are added up"),
        ("conv-pool", "W_new[1,0]", "-0.4", "the step goes against the gradient: subtract"),
        ("conv-pool", "W_new[1,0]", "-7", "the rate is missing"),
        ("softmax", "dz[2]", "0.625", "the 1 of onehot is missing"),
        ("dropout", "y[7]", "8", "what is kept is divided by 1 - rate"),
        ("channels", "dW[1,1,1]", "8", "1*2 is left out"),
        ("whole", "da[0,1]", "0.75", "that is one part (0.75) alone"),
    ],
)
def test_a_wrong_number_of_an_example_is_explained(name, cell, typed, words, monkeypatch, capsys):
    _, out, _ = ask_command(monkeypatch, capsys, "--example", name, answers=["?"] * 99)
    prompts = re.findall(r"^(.*\?)\n> \?$", out, re.MULTILINE)
    before = prompts.index(f"{cell} = ?")
    _, out, _ = ask_command(
        monkeypatch, capsys, "--example", name, answers=[*["?"] * before, typed, "q"]
    )
    said = re.sub(r"\n(?=\S)", " ", out.partition(f"{cell} = ?\n> {typed}\n")[2])
    assert said.startswith("No: ") and words in said.partition("> q")[0]


def test_a_mask_is_shown_for_no_arithmetic_gives_it(monkeypatch, capsys):
    _, out, _ = ask_command(monkeypatch, capsys, "--example", "dropout", answers=["16", "q"])
    before, _, after = out.partition("y[7] = ?\n> 16\nRight: 16.")
    assert "  mask\n  1  1  0  0  0  1  0  1\n" in before and after
    assert "12" not in before


def test_the_change_that_a_step_should_bring(monkeypatch, capsys):
    answers = ["?"] * 26 + ["2.25", "0.225", "-0.225"]
    _, out, _ = ask_command(monkeypatch, capsys, "--example", "whole", answers=answers)
    _, _, end = out.partition("By how much should step 1 change the loss, to first order?\n")
    assert "> 2.25\nNo: minus the rate is missing: times -0.1." in end
    assert "> 0.225\nNo: the sign is the other one." in end
    assert "> -0.225\nRight: -0.225." in end and "it does change by" in " ".join(
        end.lower().split()
    )
