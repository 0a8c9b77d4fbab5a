"""``tinycnn grade``: rows, feedback, Gradescope's results, and what must not stop it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from classroom.mistakes import MISTAKES, solved

from tinycnn import cli
from tinycnn.classroom.exercises import EXERCISES
from tinycnn.classroom.grading.judges import grade_all
from tinycnn.classroom.grading.marks import marks_csv, marks_table
from tinycnn.classroom.grading.submissions import submissions

SOFTMAX = solved("softmax-cross-entropy")
WRONG = next(one for one in MISTAKES if one.exercise == "dropout")
CASES = sum(len(task.cases) for task in EXERCISES["softmax-cross-entropy"].tasks)
MISSING = "def dropout(x, rate, rng):\n    return x, x > x\n"


def run(capsys, *argv):
    try:
        code = cli.main(list(map(str, argv)))
    except SystemExit as stop:  # argparse
        code = stop.code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def hand_in(folder, **files):
    """Write files; a name with two underscores is of a file in a folder."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def rows_of(path):
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


# --------------------------------------------------------------------------------------- what is found


def test_files_and_folders_are_found(tmp_path):
    hand_in(
        tmp_path,
        alice="",
        bob__conv="",
        bob__deep__other="",
        __pycache__x="",
        **{".git__y": "", "._z": ""},
    )
    (tmp_path / "notes.txt").write_text("")
    found = [
        (one.student, one.path.relative_to(tmp_path).as_posix()) for one in submissions([tmp_path])
    ]
    assert found == [("alice", "alice.py"), ("bob", "bob/conv.py"), ("bob", "bob/deep/other.py")]
    assert [one.student for one in submissions([tmp_path / "bob" / "conv.py"])] == ["conv"]


# --------------------------------------------------------------------------------------- what is written


def test_a_class_as_a_table_rows_and_feedback(capsys, tmp_path):
    folder = hand_in(tmp_path / "in", right=SOFTMAX, wrong=WRONG.source, lost=MISSING)
    marks, feedback = tmp_path / "marks.csv", tmp_path / "to" / "students"
    code, out, err = run(
        capsys, "grade", folder, "--csv", marks, "--feedback", feedback, "--jobs", 2
    )
    assert code == 1 and err == f"tinycnn: wrote {feedback}\ntinycnn: wrote {marks}\n"
    assert out.splitlines()[0].split() == [
        "student",
        "exercise",
        "verdict",
        "first",
        "failing",
        "cases",
        "seconds",
    ]
    assert out.endswith("1 of 3 passed.\n")
    lost, right, wrong = rows_of(marks)
    assert (lost["student"], lost["verdict"], lost["passed"], lost["cases"]) == (
        "lost",
        "not graded",
        "0",
        "0",
    )
    assert "has no line EXERCISE = '" in lost["first failing"]
    assert (right["verdict"], right["passed"], right["cases"], right["uses"]) == (
        "passed",
        f"{CASES}",
        f"{CASES}",
        "",
    )
    assert wrong["verdict"] == "not yet" and wrong["cases"] == "9" and float(wrong["seconds"]) > 0
    assert wrong["first failing"].startswith(f"dropout: {WRONG.case}")
    assert sorted(path.name for path in feedback.iterdir()) == [
        "lost.txt",
        "right.txt",
        "wrong.txt",
    ]
    text = " ".join((feedback / "wrong.txt").read_text(encoding="utf-8").split())
    assert WRONG.words in text and "The smallest input on which it fails:" in text
    assert sorted(path.name for path in folder.iterdir()) == ["lost.py", "right.py", "wrong.py"]


def test_one_file_is_reported_as_gradcheck_does(capsys, tmp_path):
    folder = hand_in(tmp_path, right=SOFTMAX)
    code, out, _ = run(capsys, "grade", folder / "right.py")
    assert code == 0 and out.endswith(f"PASSED: {CASES} of {CASES} cases pass.\n")
    assert run(capsys, "gradcheck", folder / "right.py")[:2] == (0, out)


@pytest.mark.process
def test_everything_as_data(capsys, tmp_path):
    code, out, _ = run(capsys, "grade", hand_in(tmp_path, right=SOFTMAX, lost=MISSING), "--json")
    data = json.loads(out)
    assert code == 1 and data["ok"] is False
    assert [(one["student"], one["ok"], one["verdict"]) for one in data["results"]] == [
        ("lost", False, "not graded"), ("right", True, "passed"),
    ]  # fmt: skip


# --------------------------------------------------------------------------------------- the spreadsheet


FORMULAS = ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", '=cmd|" /C calc"!A0', "＝1+1"]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_that_begins_like_a_formula_is_text(name, tmp_path):
    (mark,) = marked(tmp_path, name)
    (row,) = csv.DictReader(io.StringIO(marks_csv([mark]).lstrip("\ufeff"), newline=""))
    assert row["student"] == "'" + name


@pytest.mark.parametrize("name", ["Müller, Zoë", "two\nlines", 'the "best"', "a;b", "\x1b[31mred"])
def test_a_name_of_any_kind_is_one_cell(name, tmp_path):
    (mark,) = marked(tmp_path, name)
    text = marks_csv([mark])
    assert text.startswith("\ufeffstudent,")
    (row,) = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    assert row["student"] == name and None not in row
    assert "\x1b" not in marks_table([mark]) and len(marks_table([mark]).splitlines()) == 5


def marked(folder, name):
    """The mark of a file without a line EXERCISE, handed in by somebody of that name."""
    from tinycnn.classroom.grading.judge import graded
    from tinycnn.classroom.grading.marks import Mark
    from tinycnn.classroom.grading.submissions import Submission

    path = folder / "x.py"
    path.write_text("", encoding="utf-8")
    yield Mark(Submission(name, path), graded(path, {}))


def test_a_name_of_bytes_that_are_no_text(capsys, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.py")).write_text(MISSING)
    code, out, _ = run(
        capsys,
        "grade",
        folder,
        "--csv",
        tmp_path / "m.csv",
        "--feedback",
        tmp_path / "to",
        "--json",
    )
    assert code == 1 and json.loads(out)["results"][0]["student"] == "caf�"
    assert rows_of(tmp_path / "m.csv")[0]["student"] == "caf�"
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["caf�.txt"]


@pytest.mark.process
def test_two_files_of_one_student_have_a_report_each(capsys, tmp_path):
    folder = hand_in(tmp_path / "in", ann__a=MISSING, ann__b=MISSING, Ann__b=MISSING)
    run(capsys, "grade", folder, "--feedback", tmp_path / "to")
    names = sorted(path.name for path in (tmp_path / "to").iterdir())
    assert names == ["Ann.txt", "ann-a.txt", "ann-b.txt"]


# --------------------------------------------------------------------------------------- Gradescope


# https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}
TOP = {
    "score": (int, float), "execution_time": (int, float), "output": str, "output_format": FORMATS,
    "test_output_format": FORMATS, "test_name_format": FORMATS, "visibility": VISIBILITY,
    "stdout_visibility": VISIBILITY, "extra_data": dict, "tests": list, "leaderboard": list,
}  # fmt: skip
TEST = {
    "score": (int, float), "max_score": (int, float), "status": {"passed", "failed"}, "name": str,
    "name_format": FORMATS, "number": str, "output": str, "output_format": FORMATS, "tags": list,
    "visibility": VISIBILITY, "extra_data": dict,
}  # fmt: skip


def follows(data, schema):
    """Whether all that is in an object is documented, and of the documented kind."""
    return all(
        name in schema
        and (
            value in schema[name]
            if isinstance(schema[name], set)
            else isinstance(value, schema[name])
        )
        for name, value in data.items()
    )


@pytest.mark.parametrize(
    ("files", "options", "score", "most"),
    [
        ({"mine": SOFTMAX}, [], CASES, CASES),
        ({"mine": WRONG.source}, [], None, 9),
        ({"mine": SOFTMAX + "\nimport tinycnn\n"}, ["--strict"], 0, CASES),
        pytest.param(
            {"mine": SOFTMAX + "\nimport helper\n", "helper": ""},
            [],
            CASES,
            CASES,
            marks=pytest.mark.process,
        ),
        ({"mine": "EXERCISE = 'dropout'\n1 / 0\n"}, [], 0, 9),
        ({"mine": MISSING}, [], 0, 0),
        ({"mine": MISSING}, ["--exercise", "dropout"], 0, 9),
        ({}, [], 0, 0),
    ],
)
def test_results_as_gradescope_documents_them(files, options, score, most, capsys, tmp_path):
    folder = hand_in(tmp_path / "submission", **files)
    folder.mkdir(exist_ok=True)
    target = tmp_path / "results.json"
    run(capsys, "grade", folder, "--gradescope", target, *options)
    results = json.loads(target.read_text(encoding="utf-8"))
    assert follows(results, TOP), results
    assert all(follows(test, TEST) for test in results["tests"])
    assert sum(test["max_score"] for test in results["tests"]) == most
    assert results["score"] == sum(test["score"] for test in results["tests"])
    assert score is None or results["score"] == score
    for test in results["tests"]:
        assert (test["status"] == "passed") >= (test["score"] == test["max_score"])
    assert results["output"].strip()


# --------------------------------------------------------------------------------------- what is refused


def test_strict_refuses_what_is_borrowed(capsys, tmp_path):
    folder = hand_in(tmp_path, borrowed="import tinycnn\n" + SOFTMAX)
    code, out, _ = run(capsys, "grade", folder)
    assert code == 0 and "Beyond NumPy and the standard library it uses tinycnn." in out
    code, out, _ = run(capsys, "grade", folder, "--strict", "--json")
    assert code == 1 and json.loads(out)["results"][0]["verdict"] == "refused"


@pytest.mark.process
def test_the_exercise_that_is_asked_for(capsys, tmp_path):
    folder = hand_in(
        tmp_path, other=SOFTMAX, unnamed=solved("dropout").replace("EXERCISE =", "X =")
    )
    code, out, _ = run(capsys, "grade", folder, "--exercise", "dropout", "--json")
    other, unnamed = json.loads(out)["results"]
    assert code == 1 and unnamed["ok"]
    assert (
        "is the exercise 'softmax-cross-entropy', as its line EXERCISE says, not 'dropout'"
        in other["problem"]
    )


@pytest.mark.process
def test_a_helper_has_no_row_but_a_lost_file_has_one(capsys, tmp_path):
    folder = hand_in(
        tmp_path, ann__mine="import helper\n" + SOFTMAX, ann__helper="", ben__helper=""
    )
    data = json.loads(run(capsys, "grade", folder, "--json")[1])
    assert [(one["student"], one["file"]) for one in data["results"]] == [
        ("ann", "mine.py"),
        ("ben", "helper.py"),
    ]


def test_what_the_judge_did_not_expect_has_a_row(monkeypatch, tmp_path):
    from tinycnn.classroom.grading import judge

    monkeypatch.setattr(judge, "grade", lambda *arguments, **options: 1 / 0)
    result = judge.graded(tmp_path / "mine.py", {})
    assert not result.ok and result.problem == "mine.py cannot be graded: division by zero"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["nowhere"], "there is no file or folder 'nowhere'"),
        (["."], "holds no Python file"),
        ([".", "--exercise", "chess"], "there is no exercise 'chess'"),
        ([".", "--timeout", "0"], "--timeout must be a finite number above 0"),
        ([".", "--memory", "1"], "--memory must be at least 256"),
        ([".", "--jobs", "0"], "--jobs must be at least 1"),
        ([".", "--csv", "marks.xls"], "a table of marks is .csv, got 'marks.xls'"),
        ([".", "--csv", "no/marks.csv"], "cannot be written: No such file"),
        ([".", "--gradescope", "results.txt"], "results for Gradescope is .json"),
    ],
)
def test_bad_input(argv, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "grade", *argv)
    assert code == 2 and out == "" and words in err
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------------------------- processes


@pytest.mark.process
def test_a_judge_that_is_killed_stops_nothing(tmp_path):
    """The file ends the process that grades it, as a lack of memory might; the other is graded."""
    killer = "import os, signal\nEXERCISE = 'dropout'\nos.kill(os.getppid(), signal.SIGKILL)\n"
    folder = hand_in(tmp_path, killer=killer, right=SOFTMAX)
    grades = dict(grade_all([folder / "killer.py", folder / "right.py"]))
    assert not grades[0].ok and "the process that grades it has ended" in grades[0].problem
    assert grades[1].ok


@pytest.mark.process
def test_a_judge_told_to_end_while_garbage_is_collected_ends(tmp_path):
    """Python drops what is raised in a callback of the collector: the judge must end all the same."""
    code = (
        "import gc, os, signal\n"
        "from tinycnn.classroom.grading.judge import end_when_told\n"
        "end_when_told()\n"
        "told = []\n"
        "def tell(phase, info):\n"
        "    if not told:\n"
        "        told.append(phase)\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "gc.callbacks.append(tell)\n"
        "try:\n"
        "    gc.collect()\n"
        "    while True: pass\n"
        "finally:\n"
        "    print('ended well')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "ended well\n", "")


@pytest.mark.process
def test_ctrl_c_ends_everything_with_130(tmp_path):
    """The file says that it has begun, and has no end."""
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    say = f"open({str(begun)!r}, 'w').write(str(os.getpid()))"
    loop = f"import os\nEXERCISE = 'dropout'\n{say}\nwhile True: pass\n"
    folder = hand_in(tmp_path / "in", one=loop, two=SOFTMAX)
    argv = [
        sys.executable,
        "-m",
        "tinycnn",
        "grade",
        str(folder),
        "--csv",
        str(tmp_path / "marks.csv"),
    ]
    with subprocess.Popen(
        [*argv, "--timeout", "600"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as command:  # fmt: skip
        child = int(begun.read_text())
        command.send_signal(signal.SIGINT)
        out, err = command.communicate()
    assert command.returncode == 130 and out == "" and err == "tinycnn: interrupted\n"
    assert not Path(f"/proc/{child}").exists()
    assert not (tmp_path / "marks.csv").exists()
