"""Exercises: skeletons, solutions that pass, and usual mistakes that are found, shown small and named."""

import doctest
import json
import re
import runpy
import sys

import numpy as np
import pytest
from classroom.inventions import INVENTED
from classroom.mistakes import MISTAKES, SOLUTIONS, STYLES, Planted, changed, solved

from tinycnn import cli
from tinycnn.classroom.exercises import EXERCISES, skeleton
from tinycnn.classroom.grading import grade, is_exercise
from tinycnn.errors import FileError, MissingExtraError, UnknownNameError

each_exercise = pytest.mark.parametrize("name", EXERCISES)


@pytest.fixture
def write(tmp_path):
    """Write a file of a student's and give its path."""

    def written(text):
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def in_one_line(grade):
    """The report as it is read: without the ends of its lines."""
    return " ".join(str(grade).split())


def first_failure(grade):
    return next(function for function in grade.functions if function.failure is not None)


# ----------------------------------------------------------------------------- skeletons, solutions


def test_the_exercises_are_those_of_the_class_from_easy_to_hard():
    assert list(EXERCISES) == [
        "relu", "dense", "dropout", "softmax-cross-entropy", "sgd-momentum", "conv-forward",
        "max-pool-backward", "lrn", "conv-backward", "im2col", "tiny-net",
    ]  # fmt: skip
    for style in STYLES:
        files = {path.stem.replace("_", "-") for path in (SOLUTIONS / style).glob("*.py")}
        assert files == set(EXERCISES)


@each_exercise
def test_a_skeleton_needs_numpy_only_and_is_not_begun(name, write):
    text = skeleton(name)
    assert "import tinycnn" not in text and "from tinycnn" not in text
    path = write(text)
    assert is_exercise(path)
    result = grade(path)
    assert not result.ok and result.exercise == name
    assert {case.status for one in result.functions for case in one.cases} == {"not begun"}
    lines = text.splitlines()
    for function in result.functions:
        assert function.failure.kind == "not begun"
        line = int(function.failure.text.rpartition("line ")[2].rstrip(")"))
        assert lines[line - 1] == f'    raise NotImplementedError("fill in {function.name}")'
    assert "NOT YET: 0 of" in str(result)


def in_every_style():
    """Each exercise in each style; a plain run has every second exercise in one of the three."""
    for number, name in enumerate(EXERCISES):
        for place, style in enumerate(STYLES):
            marks = () if (number + place) % 6 == 0 else pytest.mark.slow
            yield pytest.param(name, style, marks=marks)


@pytest.mark.parametrize(("name", "style"), list(in_every_style()))
def test_a_solution_passes_every_case(name, style, write):
    result = grade(write(solved(name, style)))
    assert result.ok, str(result)
    assert result.exercise == name and result.file == "mine.py" and result.problem == ""
    assert all(case.status == "passes" for one in result.functions for case in one.cases)
    data = json.loads(json.dumps(result.to_dict()))
    assert data["ok"] and [one["name"] for one in data["functions"]] == [
        task.function for task in EXERCISES[name].tasks
    ]
    assert "PASSED" in str(result)


@each_exercise
def test_the_example_of_a_skeleton_is_what_its_solution_gives(name, write):
    """The numbers are worked out by hand, in the text before them."""
    names = runpy.run_path(str(write(solved(name))))
    test = doctest.DocTestParser().get_doctest(names["__doc__"], names, name, name, 0)
    failed, tried = doctest.DocTestRunner().run(test)
    assert tried > 1 and failed == 0


@each_exercise
def test_without_formula_the_shapes_and_the_example_stay(name, capsys):
    assert cli.main(["exercise", name, "--no-formula"]) == 0
    out = capsys.readouterr().out
    assert out == skeleton(name, formula=False)
    before, formula, after = re.split(
        "^(Formula:.*?)(?=^Shapes:)", skeleton(name), flags=re.M | re.S
    )
    assert out == before + after
    equations = [line for line in formula.splitlines() if "=" in line]
    assert equations and not any(line in out for line in equations)
    assert out.count(">>>") == skeleton(name).count(">>>") > 1
    assert "Shapes:" in out and "Example:" in out
    compile(out, name, "exec")


# ---------------------------------------------------------------------------------------- mistakes


def planted(every):
    return [
        pytest.param(
            one,
            id=f"{one.exercise}: {one.words[:40]}",
            marks=() if number % every == 0 else pytest.mark.slow,
        )
        for number, one in enumerate(MISTAKES)
    ]


@pytest.mark.parametrize("mistake", planted(every=12))
def test_a_usual_mistake_is_found_shown_small_and_named(mistake, write):
    result = grade(write(mistake.source))
    assert not result.ok
    function = first_failure(result)
    assert function.case.startswith(mistake.case), str(result)
    arrays = [v for v in function.failure.arguments.values() if isinstance(v, np.ndarray)]
    assert sum(array.size for array in arrays) <= mistake.cells, str(result)
    assert mistake.words in in_one_line(result), str(result)
    assert all(len(line) <= 80 for line in str(result).splitlines()), str(result)
    for hint in function.failure.hints:
        assert hint.teaches in in_one_line(result) and hint.asks in in_one_line(result)
    assert bool(function.failure.hints) == bool(function.failure.looks_like)
    failing = [case.name for case in function.cases if case.status == "fails"]
    assert failing[0] == function.case  # from easy to hard: the first that fails is reported
    if function.cases[-1].name == "all of it at once":  # and its largest input lets nothing pass
        assert failing[-1] == "all of it at once", str(result)
    json.dumps(result.to_dict())


def inventions():
    """Each wrong file; a plain run has one for each exercise, another in each."""
    for place, (exercise, wrong) in enumerate(INVENTED.items()):
        for number, (style, old, new) in enumerate(wrong):
            marks = () if number == place % 10 else pytest.mark.slow
            yield pytest.param(exercise, style, old, new, id=f"{exercise}: {new[:40]}", marks=marks)


@pytest.mark.parametrize(("exercise", "style", "old", "new"), list(inventions()))
def test_a_wrong_file_is_refused_whatever_is_wrong(exercise, style, old, new, write):
    result = grade(write(changed(exercise, style, old, new)))
    assert not result.ok and not result.problem, str(result)


def test_each_exercise_has_ten_wrong_files_beside_the_usual_mistakes():
    assert list(INVENTED) == list(EXERCISES)
    for exercise, wrong in INVENTED.items():
        assert len({(style, old, new) for style, old, new in wrong}) >= 10, exercise


def test_every_exercise_has_its_mistakes():
    assert {mistake.exercise for mistake in MISTAKES} == set(EXERCISES)
    assert len({mistake.source for mistake in MISTAKES}) == len(MISTAKES)


def test_a_report_shows_the_input_what_is_expected_and_what_came(write):
    flipped = next(one for one in MISTAKES if one.words == "dx looks like the flipped kernel")
    text = str(grade(write(flipped.source)))
    assert "conv2d_backward(dy, x, W, stride=1, padding=0)" in text
    for line in (
        "  dy[0, 0, 0, :]      x[0, :, :, 0]      W[:, :, 0, 0]",
        "  expected dx[0, :, :, 0]      came dx[0, :, :, 0]",
        "  passes     one number: a 1 x 1 kernel on one cell",
        "  fails      one window: a square kernel on an image of its size",
    ):
        assert line in text.splitlines(), text
    assert "(2 of 4 numbers are wrong)" in in_one_line(text)


def test_wide_arrays_are_shown_a_few_columns_at_a_time(write):
    anew = next(one for one in MISTAKES if one.words == "is something drawn at random in it")
    lines = str(grade(write(anew.source))).splitlines()
    masks = [i for i, line in enumerate(lines) if line.startswith("  mask[:, ")]
    assert [lines[i] for i in masks] == ["  mask[:, 0:10]", "  mask[:, 10:16]"]
    assert [len(lines[i + 1].split()) for i in masks] == [10, 6]


def test_what_a_mistake_teaches_is_said_once(write):
    """One hint for two results, here the mean over the batch of dW and db; and it is in the data."""
    divided = Planted("conv-backward", "dW, db\n", "dW / N, db / N\n", "", 0, "").source
    result = grade(write(divided))
    assert len(first_failure(result).failure.looks_like) == 2
    assert in_one_line(result).count("Ask yourself: Where does 1/N come in") == 1
    data = result.to_dict()["functions"][0]["smallest"]
    assert [set(hint) for hint in data["hints"]] == [{"teaches", "asks"}]


def test_the_same_report_every_time(write):
    source = MISTAKES[0].source
    assert str(grade(write(source))) == str(grade(write(source)))


# ------------------------------------------------------------------------- what else may go wrong


DROPOUT = 'EXERCISE = "dropout"\n'
MEAN = "return x * mask / (1 - rate), mask"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("x *= 2\n    return x, mask", "it writes to an array that was handed in"),
        ("x *= 2\n    return x, mask", "(mine.py, line LINE)"),
        ("return x[7] * mask, mask", "dropout(x, rate, rng) raises IndexError: index 7 is out of bounds"),
        ("return x[7] * mask, mask", "(mine.py, line LINE)"),
        ("raise SystemExit(3)", "dropout(x, rate, rng) raises SystemExit: 3 (mine.py, line LINE)"),
        ("raise ValueError", "dropout(x, rate, rng) raises ValueError (mine.py, line LINE)"),
        ("pass", "dropout returns nothing: does it end with a return? The smallest"),
        ("return x", "dropout should return (y, mask), returned an ndarray"),
        ("return x, mask, rate", "dropout should return (y, mask), returned 3 values"),
        ("return 'y', mask", "y should be an array, a str came"),
        ("return x.astype('f'), mask", "y should be float64, float32 came: float64 goes in"),
        ("return x.astype(complex), mask", "y should be float64, complex128 came"),
        ("return x[:, :1], mask", "y should have shape (1, 2), shape (1, 1) came"),
        ("return x / 0, mask", "y holds nan (not a number): something overflows, or 0 is"),
        ("return x * mask / (1 - rate), np.array([str(m) for m in mask])", "mask should have shape"),
        ("return x * mask / (1 - rate), mask.astype(str)", "mask should hold True and False, <U5 came"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_with_its_line(new, words, write):
    source = Planted("dropout", MEAN, new, "", 0, "").source
    line = source[: source.index(new)].count("\n") + 1
    text = in_one_line(grade(write(source)))
    assert words.replace("LINE", str(line)) in text, text
    assert "Traceback" not in text


def test_a_generator_that_is_used_up_is_not_the_same_twice(write):
    kept = (
        "cache = []\n\n\ndef dropout(x, rate, rng):\n    cache.append(1)\n    x = x + len(cache)\n"
    )
    path = write(Planted("dropout", "def dropout(x, rate, rng):\n", kept, "", 0, "").source)
    assert "or kept from the call before?" in in_one_line(grade(path))


def on_call(number, what):
    """The solved dropout, whose backward does something else on one of its calls."""
    counting = f"CALLS.append(1)\n    if len(CALLS) == {number}:\n        {what}\n    return dy *"
    return "CALLS = []\n" + Planted("dropout", "return dy *", counting, "", 0, "").source


@pytest.mark.parametrize("number", [1, 3, 8, 180, 181])
def test_what_fails_now_and_then_is_reported_wherever_it_fails(number, write):
    """On the largest input, within the gradient check, and in hypothesis' search, by each of two calls."""
    text = in_one_line(grade(write(on_call(number, "raise KeyError('once')"))))
    first = "dropout_backward(dy, mask, rate) raises KeyError: 'once'"
    assert first in text or "dropout_backward gives another result when it is called again" in text
    assert "NOT YET" in str(grade(write(on_call(number, "dy = dy + 1"))))


def test_what_raises_in_the_diagnosis_does_not_end_the_grade(write):
    """Three times too large where it is compared with the twin, and broken when asked again."""
    broken = "CALLS.append(1)\n    if len(CALLS) > 140:\n        1 / 0\n    return 3 * mask * dy *"
    source = Planted("dropout", "return dy *", broken, "", 0, "").source
    result = grade(write("CALLS = []\n" + source))
    assert not result.ok and "dx[0, 0] should be" in str(result)


def test_a_function_that_fails_for_another_generator(write):
    checking = (
        "if x.shape == (20, 20) and rng.random() != np.random.default_rng(0).random(401)[-1]:\n"
    )
    checking += "        raise ValueError('this rng')\n    " + MEAN
    text = in_one_line(grade(write(Planted("dropout", MEAN, checking, "", 0, "").source)))
    assert "In “the mask comes from rng”: dropout(x, rate, rng) raises ValueError: this rng" in text


def test_a_gradient_that_only_the_differences_refuse(write):
    """Right in the two calls that are compared with the twin, doubled in all others."""
    doubled = "CALLS.append(1)\n    return (1 + (len(CALLS) > 2)) * dy *"
    path = write("CALLS = []\n" + Planted("dropout", "return dy *", doubled, "", 0, "").source)
    result = grade(path)
    text = in_one_line(result)
    assert not result.ok and "dx is not what numerical differences give: at" in text
    assert "dx looks like the right gradient times 2" in text


def test_a_function_that_is_gone_or_is_none(write):
    text = in_one_line(grade(write(DROPOUT + "dropout = 3\n")))
    assert "an int is named dropout in mine.py: keep the skeleton's names" in text
    assert "there is no function dropout_backward in mine.py" in text


def test_a_function_with_other_arguments(write):
    text = in_one_line(grade(write(DROPOUT + "def dropout(x):\n    return x\n")))
    assert (
        "dropout(x, rate, rng) raises TypeError: dropout() takes 1 positional argument but 3"
        in text
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(:\n", "SyntaxError: invalid syntax"),
        ("def f(:\n", "line 2"),
        ("import nowhere_at_all\n", "ModuleNotFoundError: No module named"),
        ("1 / 0\n", "ZeroDivisionError: division by zero (mine.py, line 2)"),
        ("raise SystemExit\n", "SystemExit (mine.py, line 2)"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_run(source, words, write):
    path = write(DROPOUT + source)
    assert is_exercise(path)
    result = grade(path)
    assert not result.ok and result.passed == 0 and result.total == 9
    assert words in result.problem and in_one_line(result).endswith("NOT YET: 0 of 9 cases pass.")
    assert result.to_dict()["problem"] == result.problem


def test_what_a_file_prints_is_not_shown(write, capsys):
    path = write(
        solved("dropout").replace("mask = rng", "print('noise'); mask = rng") + "print('n')\n"
    )
    assert grade(path).ok
    assert capsys.readouterr() == ("", "")


def test_what_is_no_exercise(write, tmp_path):
    path = write("import numpy as np\n")
    assert not is_exercise(path) and not is_exercise(tmp_path / "nowhere.py")
    assert not is_exercise(tmp_path)
    with pytest.raises(FileError, match="is no exercise: it has no line EXERCISE = 'relu'"):
        grade(path)
    with pytest.raises(FileError, match=r"nowhere\.py' cannot be read: No such file"):
        grade(tmp_path / "nowhere.py")
    with pytest.raises(
        UnknownNameError, match="there is no exercise 'chess'; there are relu, dense"
    ):
        grade(write("EXERCISE = 'chess'\n"))


def test_a_missing_hypothesis_is_named(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tinycnn\[test\]'"):
        grade(write(solved("dropout")))


# ----------------------------------------------------------------------------------------- command


def run(capsys, *argv):
    code = cli.main(argv)
    return (code, *capsys.readouterr())


def test_the_command_lists_prints_and_writes(capsys, tmp_path):
    code, out, err = run(capsys, "exercise")
    assert (
        code == 0
        and err == ""
        and [line.split()[0] for line in out.splitlines()] == list(EXERCISES)
    )
    assert run(capsys, "exercise", "lrn") == (0, skeleton("lrn"), "")
    path = tmp_path / "pool.py"
    code, out, err = run(capsys, "exercise", "max-pool-backward", "-o", str(path))
    assert (code, out, err) == (0, "", f"tinycnn: wrote {path}\n")
    assert path.read_text(encoding="utf-8") == skeleton("max-pool-backward")
    assert [file.name for file in tmp_path.iterdir()] == ["pool.py"]


def test_somebodys_work_is_not_overwritten(capsys, tmp_path):
    path = tmp_path / "pool.py"
    path.write_text("my work", encoding="utf-8")
    code, out, err = run(capsys, "exercise", "lrn", "-o", str(path))
    assert code == 2 and out == "" and "is there already and may hold somebody's work" in err
    assert path.read_text(encoding="utf-8") == "my work"
    assert [file.name for file in tmp_path.iterdir()] == ["pool.py"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["chess"], "there is no exercise 'chess'; there are relu, dense"),
        (["lrn", "-o", "nowhere/lrn.py"], "'nowhere/lrn.py' cannot be written: No such file"),
        (["lrn", "-o", ""], "cannot be written"),
        (["--no-formula"], "--no-formula is for an exercise: tinycnn exercise NAME --no-formula"),
        (["-o", "lrn.py"], "which exercise? tinycnn exercise NAME -o FILE"),
    ],
)
def test_mistakes_on_the_command_line(argv, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "exercise", *argv)
    assert code == 2 and out == "" and words in err
    assert list(tmp_path.iterdir()) == []
