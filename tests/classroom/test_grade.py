"""`grade`: files and functions, what is reported of them, and the report in a notebook."""

import html
import re
import sys

import numpy as np
import pytest
from classroom.mistakes import SOLUTIONS, solution, solved

from tinycnn import strict_json
from tinycnn.classroom.exercises import EXERCISES
from tinycnn.classroom.grading import grade
from tinycnn.errors import ArgumentError, FileError, UnknownNameError

NAMES = {"np": np}
exec(compile(solution("softmax-cross-entropy"), "cell.py", "exec"), NAMES)
softmax, softmax_backward, cross_entropy = (
    NAMES[name] for name in ("softmax", "softmax_backward", "cross_entropy")
)


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def words(result):
    return " ".join(str(result).split())


# ------------------------------------------------------------------------------------------ functions


def test_a_function_is_graded_by_its_name():
    result = grade(softmax)
    assert result.ok and result.exercise == "softmax-cross-entropy" and result.file == "softmax"
    assert [function.name for function in result.functions] == ["softmax"]


def test_functions_of_an_exercise_that_is_named():
    result = grade("softmax-cross-entropy", cross_entropy, softmax)
    assert result.ok and [one.name for one in result.functions] == ["softmax", "cross_entropy"]
    softmax_cases, _, loss_cases = (task.cases for task in EXERCISES["softmax-cross-entropy"].tasks)
    assert result.passed == result.total == len(softmax_cases) + len(loss_cases)


def test_a_function_of_another_name_is_the_first():
    def mine(z):
        return softmax(z)

    assert grade("softmax-cross-entropy", mine).ok
    assert grade("softmax-cross-entropy", lambda z: softmax(z)).ok


def test_a_wrong_function_is_shown_with_what_it_printed(capsys):
    def softmax(z):
        print("z is", z.shape)
        return np.exp(z) / np.exp(z).sum()

    result = grade(softmax)
    assert not result.ok and capsys.readouterr() == ("", "")
    assert "In “several rows”: p[0, 0] should be" in words(result)
    assert "It printed: z is (2, 1)" in words(result)


def test_what_a_function_raises_has_its_line():
    def softmax(z):
        z -= z.max()

    text = words(grade(softmax))
    line = softmax.__code__.co_firstlineno + 1
    assert (
        "it writes to an array that was handed in" in text
        and f"(test_grade.py, line {line})" in text
    )


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((len,), ArgumentError, "no exercise has a function len"),
        (("chess", len), UnknownNameError, "there is no exercise 'chess'"),
        (("lrn", len, len, len), ArgumentError, "lrn has lrn, lrn_backward; got 3 functions"),
        (("nowhere.py",), FileError, "cannot be read: No such file"),
    ],
)
def test_what_is_no_function_of_an_exercise(arguments, error, said):
    with pytest.raises(error, match=re.escape(said)):
        grade(*arguments)


# ------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("head", "encoding"),
    [("\ufeff", "utf-8"), ("# -*- coding: cp1252 -*-\n# é\n", "cp1252"), ("", "utf-8")],
)
def test_a_file_of_any_encoding_and_line_end(head, encoding, tmp_path):
    path = tmp_path / "mine.py"
    source = head + solved("softmax-cross-entropy")
    path.write_bytes(source.replace("\n", "\r\n").encode(encoding, "replace"))
    assert grade(path).ok


def test_a_file_that_is_far_too_large_is_not_read(write):
    with pytest.raises(FileError, match="is larger than 1 MB, and no filled-in skeleton"):
        grade(write("#" * (2**20 + 1)))


def test_what_a_file_prints_is_kept_for_the_smallest_input(write):
    source = solved("dropout").replace("return dy *", "print('dy', dy.size)\n    return 2 * dy *")
    text = words(grade(write(source)))
    assert "It printed: dy 1 dx looks like" in text or "It printed: dy 1 NOT YET" in text, text


def test_what_a_file_prints_that_cannot_be_run(write):
    result = grade(write("EXERCISE = 'dropout'\nprint('so far')\n1 / 0\n"))
    assert result.output == "so far\n" and "It printed: so far" in words(result)


def test_a_function_without_end_is_given_up_after_its_second_case(write):
    source = solved("dropout").replace("return dy *", "while True: pass\n    return dy *")
    line = 1 + source.splitlines().index("    while True: pass")
    result = grade(write(source), timeout=0.5)
    forward, backward = result.functions
    assert forward.ok and [case.status for case in backward.cases] == [
        "fails",
        "fails",
        "not tried",
    ]
    assert (
        f"dropout_backward did not end in 0.5 s, line {line}. An input on which it fails:"
        in words(result)
    )
    assert (result.passed, result.total) == (6, 9)


def test_a_case_that_ends_the_process_costs_that_case_alone(write):
    source = solved("dropout").replace(
        "return dy *", "if len(dy) > 1: __import__('os')._exit(0)\n    return dy *"
    )
    result = grade(write(source))
    assert [case.status for case in result.functions[1].cases] == ["passes", "passes", "fails"]
    assert "ends its process with exit code 0 instead of returning" in words(result)


def test_a_gradient_that_is_slow_is_told(write):
    source = solved("dropout").replace(
        "return dy *", "__import__('time').sleep(0.2)\n    return dy *"
    )
    result = grade(write(source), timeout=0.5)
    assert "is too slow: its gradient check did not end in 0.5 s" in words(result)


def test_one_grade_changes_nothing_of_the_next(write, tmp_path):
    """As in a loop over a class: each file has a helper.py of its own."""
    source = "import helper\nimport numpy as np\nnp.seterr(all='raise')\n" + solved(
        "softmax-cross-entropy"
    )
    (tmp_path / "helper.py").write_text("1 / 0\n")
    assert "ZeroDivisionError" in grade(write(source)).problem
    (tmp_path / "helper.py").write_text("import numpy\nnumpy.exp = None\n")
    assert "'NoneType' object is not callable" in words(grade(write(source)))
    assert grade(write(solved("softmax-cross-entropy"))).ok
    assert "helper" not in sys.modules


def test_what_is_used_is_reported_and_refused_when_strict(write):
    source = "import tinycnn\n" + solved("softmax-cross-entropy")
    result = grade(write(source))
    assert result.ok and result.uses == ("tinycnn",) and result.to_dict()["uses"] == ["tinycnn"]
    result = grade(write(source), strict=True)
    assert not result.ok and result.refused and result.passed == result.total > 0
    assert (
        f"NOT YET: {result.total} of {result.total} cases pass, but it uses more than NumPy and the "
        "standard library." in words(result)
    )


def test_what_is_used_inside_a_function_is_reported(write):
    source = solved("dropout").replace(
        "return dy *", "from tinycnn.ops import relu\n    return dy *"
    )
    assert grade(write(source), strict=True).uses == ("tinycnn",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": 0}, "timeout must be a finite number above 0"),
        ({"memory": 3}, "memory must be at least 256"),
        ({"exercise": "chess"}, "there is no exercise 'chess'"),
    ],
)
def test_options_are_checked(options, said, write):
    with pytest.raises((ArgumentError, UnknownNameError), match=said):
        grade(write("def dropout(): pass\n"), **options)


# ------------------------------------------------------------------------------------------ notebooks


def test_the_report_in_a_notebook_says_what_the_text_does(write):
    for source in (
        solved("softmax-cross-entropy"),
        solved("dropout").replace("return dy *", "return 2 * dy *"),
    ):
        result = grade(write(source))
        shown = html.unescape(re.sub(r"<[^>]*>", " ", result._repr_html_()))
        for function in result.functions:
            assert all(case.name in shown and case.status in shown for case in function.cases)
            if function.failure:
                assert function.failure.text in shown and function.failure.looks_like[0] in shown
        assert result.verdict in shown


def test_nothing_of_a_file_is_html(write):
    tag = "<script>alert(1)</script>"
    source = solved("dropout").replace(
        "return dy *", f"print('{tag}')\n    raise ValueError('{tag}')\n    return *"
    )
    for text in (
        source.replace("return *", "return dy *"),
        f"EXERCISE = 'dropout'\nprint('{tag}')\nraise OSError('{tag}')\n",
    ):
        shown = grade(write(text))._repr_html_()
        assert "<script" not in shown and html.escape(tag) in shown


def test_every_solution_is_graded_as_functions_too():
    names = {"np": np}
    for path in sorted(SOLUTIONS.rglob("softmax_cross_entropy.py")):
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
        assert grade(names["softmax"], names["softmax_backward"], names["cross_entropy"]).ok


# ------------------------------------------------------------------------------------------ nonsense


TASKS = [(name, task) for name, exercise in EXERCISES.items() for task in exercise.tasks]
NONSENSE = {
    "object": np.array([None, "x"], object), "complex": np.ones((1, 1)) * 1j, "text": np.array(["a"]),
    "nan": np.float64(np.nan), "empty": np.zeros((0, 0)), "large": 10**400, "true": True, "none": None,
    "list": [1.0], "axes": np.zeros((1,) * 30), "dates": np.array(["2020-01-01"], "M8[D]"),
}  # fmt: skip


def rest_slow(values, plain):
    return [
        value if value in plain else pytest.param(value, marks=pytest.mark.slow) for value in values
    ]


@pytest.mark.parametrize("value", rest_slow(NONSENSE, ["object", "large"]))
@pytest.mark.parametrize(("name", "task"), TASKS, ids=lambda one: getattr(one, "function", one))
def test_nonsense_is_refused_in_words(name, task, value):
    given = (NONSENSE[value],) * len(task.results)

    def nonsense(*arguments):
        return given if len(given) > 1 else given[0]

    nonsense.__name__ = task.function
    result = grade(name, nonsense)
    assert not result.ok and result.passed == 0
    assert str(result) and result._repr_html_()
    strict_json.dumps(result.to_dict())


@pytest.mark.parametrize(
    ("name", "task"),
    [
        (name, task) for name, task in TASKS if task.function != "train"
    ],  # whose results may be any numbers
    ids=lambda one: getattr(one, "function", one),
)
@pytest.mark.parametrize("kind", rest_slow([object, complex, str, "f4", bool], [complex]))
def test_right_numbers_of_the_wrong_kind_are_refused_in_words(name, task, kind):
    names = {"np": np}
    exec(compile(solution(name), name, "exec"), names)

    def wrong(*arguments):
        came = names[task.function](*arguments)
        if not isinstance(came, tuple):
            return np.asarray(came).astype(kind)
        return tuple(np.asarray(one).astype(kind) for one in came)

    wrong.__name__ = task.function
    result = grade(name, wrong)
    assert not result.ok and result.passed == 0, str(result)
