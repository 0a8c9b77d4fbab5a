"""Every command that docs/class.md names does what a teacher expects: it runs."""

import itertools
import re
import shlex
from pathlib import Path

import pytest

from tinycnn.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "class.md").read_text(encoding="utf-8")
PLACEHOLDER = re.compile(r"\b(?:FILE|NAME|DIR|PICTURE|FOLDER)\b")
FILE = r"^```python\n# (?P<file>\w+\.py)\n(?P<text>.*?)^```$"
SCRIPT = r"^```sh\n.*?^```$"
COMMAND = r"`(?P<inline>tinycnn [^`\n]+)`|^\$ (?P<typed>tinycnn [^\n]*)$"


def steps():
    """The page's files, name and text, and its commands, each once, in their order; no patterns."""
    seen = set()
    for found in re.finditer(f"{SCRIPT}|{FILE}|{COMMAND}", PAGE, re.MULTILINE | re.DOTALL):
        command = found["inline"] or found["typed"]
        if found["file"]:
            yield found["file"], found["text"]
        elif command and command not in seen and not PLACEHOLDER.search(command):
            seen.add(command)
            yield command, None


@pytest.mark.slow
def test_every_command_of_the_page_runs(tmp_path, monkeypatch, capsys):
    """What is graded is begun, or wrong on purpose, and does not pass."""
    monkeypatch.chdir(tmp_path)
    ran = 0
    for name, text in steps():
        if text is not None:
            Path(name).write_text(text, encoding="utf-8")
            continue
        words = shlex.split(name)[1:]
        graded = words[0] in ("grade", "gradcheck") and len(words) > 1
        if words == ["grade"]:  # the name of the command alone
            continue
        code = main(words)
        out, err = capsys.readouterr()
        assert code == graded and (out or err), (name, code, err)
        ran += 1
    assert ran > 25


@pytest.mark.parametrize("minutes", ["90", "120"])
def test_a_plan_has_no_gaps(minutes):
    plan = next(part for part in PAGE.split("\n## ") if f"- {minutes} |" in part)
    times = [tuple(map(int, one)) for one in re.findall(r"^\| (\d+) - (\d+) \|", plan, flags=re.M)]
    assert times[0][0] == 0 and times[-1][1] == int(minutes)
    assert all(first[1] == second[0] for first, second in itertools.pairwise(times))
