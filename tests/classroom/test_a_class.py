"""Forty files of a class and forty right ones, graded in one call: every mark is right, nothing is left."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from classroom.hostile import HOSTILE, WRONG
from classroom.mistakes import solved

from tinycnn.classroom.exercises import EXERCISES

RIGHT = 40


def processes():
    """The command lines and environments of all processes that can be seen."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            yield (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue


@pytest.mark.slow
@pytest.mark.process
def test_every_mark_of_a_class_is_right(tmp_path):
    handed_in, temporary = tmp_path / "handed in", tmp_path / "temporary"
    handed_in.mkdir()
    temporary.mkdir()
    for one in HOSTILE + WRONG:
        (handed_in / f"{one.name}.py").write_text(one.source, encoding="utf-8")
    for number in range(RIGHT):
        name = list(EXERCISES)[number % len(EXERCISES)]
        (handed_in / f"right_{number}.py").write_text(solved(name), encoding="utf-8")
    before = sorted((path.name, path.read_bytes()) for path in handed_in.iterdir())
    argv = ["grade", handed_in, "--jobs", 2, "--csv", tmp_path / "marks.csv", "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "tinycnn", *map(str, argv)],
        env=os.environ | {"TMPDIR": str(temporary), "MARK_OF_THIS_TEST": "here"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1 and "Traceback" not in ended.stderr, ended.stderr
    results = {result["student"]: result for result in json.loads(ended.stdout)["results"]}
    assert len(results) == len(HOSTILE + WRONG) + RIGHT
    for one in HOSTILE + WRONG:
        result = results[one.name]
        assert result["verdict"] == one.verdict, (one.name, result)
        assert " ".join(one.words.split()) in " ".join(
            json.dumps(result, ensure_ascii=False).split()
        ), one
        assert result["ok"] == (one.verdict == "passed")
    for number in range(RIGHT):
        result = results[f"right_{number}"]
        assert result["ok"] and result["passed"] == result["total"] > 0, result
        assert result["uses"] == [] and result["seconds"] < 600
    assert results["borrowed"]["uses"] == ["tinycnn"]
    rows = csv.DictReader(io.StringIO((tmp_path / "marks.csv").read_text(encoding="utf-8-sig")))
    assert {row["student"]: row["verdict"] for row in rows} == {
        name: result["verdict"] for name, result in results.items()
    }
    assert before == sorted((path.name, path.read_bytes()) for path in handed_in.iterdir())
    assert list(temporary.iterdir()) == []
    assert not any(
        b"TINYCNN_SANDBOX=" in one and str(temporary).encode() in one for one in processes()
    )
    assert not any(b"tinycnn.classroom.grading.judge" in one and b"MARK_OF_THIS_TEST" in one
                   for one in processes())  # fmt: skip
