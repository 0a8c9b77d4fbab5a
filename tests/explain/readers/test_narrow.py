"""Narrow terminals: lines wrap between words, and no number is cut."""

import re
import sys

import pytest

from tinycnn import cli
from tinycnn.explain.readers.style import Style, fit


@pytest.mark.parametrize("columns", [40, 60])
@pytest.mark.parametrize(
    "what",
    [
        ["--layer", "conv2", "--at", "5,5,7"],
        ["--weight", "conv1.W[5,5,0,3]"],
        ["--why", "loss"],
        [],
    ],
)
def test_every_number_survives_a_narrow_terminal(what, columns, capsys, monkeypatch):
    command = ["step", "--model", "mini", *what]
    assert cli.main(command) == 0
    wide = capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    assert cli.main(command) == 0
    narrow = capsys.readouterr().out
    numbers = [word for word in wide.split() if re.search(r"\d", word)]
    assert [word for word in narrow.split() if re.search(r"\d", word)] == numbers
    too_wide = [line for line in narrow.splitlines() if len(line) > columns]
    assert all(" " not in line.strip() for line in too_wide)  # one long word, such as a command


def test_colour_codes_take_no_columns():
    line = Style(colour=True).bold("12345") + " " + Style(colour=True).dim("67890")
    assert fit(line, 11) == line
    assert len(fit(line, 10).split("\n")) == 2
