"""Sessions of --ask in one process: questions asked, answers typed, and what is said of them."""

import io
import re

import pytest

from tinycnn import cli
from tinycnn.explain import explain
from tinycnn.explain.asking import numbers
from tinycnn.explain.asking.session import ask
from tinycnn.explain.readers.style import Style


def session(questions, *answers):
    """What a session prints whose reader types these lines."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", said)
        ask(questions, io.StringIO("".join(f"{answer}\n" for answer in answers)), print)
    return said.getvalue()


def verdicts(questions, *answers):
    """The verdict on each answer, without the last line."""
    text = re.sub(r"\n(?![\n>A-Z])", " ", session(questions, *answers))
    return re.findall(r"^(?:Right|No|It is|'.*?' cannot).*$", text, flags=re.MULTILINE)


def opened(trace, what, at=None):
    return list(numbers.questions(explain(trace, what, at), Style.plain()))


def ask_command(monkeypatch, capsys, *argv, answers=()):
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
    code = cli.main(["step", *argv, "--ask"])
    out, err = capsys.readouterr()
    return code, out, err
