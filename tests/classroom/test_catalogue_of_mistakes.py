"""Every mistake of the catalogue is one: the naive twin gives another result, and differences tell."""

import ast
from pathlib import Path

import numpy as np
import pytest

import tinycnn.checking
from tinycnn.checking import gradcheck
from tinycnn.checking.mistakes.hints import HINTS
from tinycnn.checking.report import Diagnosis
from tinycnn.classroom.exercises import EXERCISES
from tinycnn.classroom.exercises.choosing import Largest

TASKS = [task for exercise in EXERCISES.values() for task in exercise.tasks]
MISTAKES = [(task, mistake) for task in TASKS for mistake in task.mistakes]
GRADIENTS = [(task, mistake) for task, mistake in MISTAKES if task.pair is not None]


def names(value):
    return getattr(value, "function", None) or value.text.split(", because")[0]


def results(task, arguments):
    return dict(zip(task.results, task.expected(arguments), strict=True))


def arguments_of(task, case):
    """A case's largest input, and for a dropout a mask that drops some."""
    arguments = case.draw(Largest())
    if "mask" in task.results:
        arguments["mask"] = np.arange(arguments["x"].size).reshape(arguments["x"].shape) % 3 > 0
    return arguments


def differs(task, mistake, case):
    arguments = arguments_of(task, case)
    right = results(task, arguments)
    try:
        with np.errstate(all="ignore"):
            wrong = np.asarray(mistake.make({**arguments, **right}))
    except ValueError:  # an unsquare kernel, height and width swapped
        return False
    expected = right[mistake.result]
    return wrong.shape != expected.shape or not np.allclose(wrong, expected, equal_nan=True)


@pytest.mark.parametrize(("task", "mistake"), MISTAKES, ids=names)
def test_the_twin_gives_another_result(task, mistake):
    assert any(differs(task, mistake, case) for case in task.cases)


def planted(task, mistake, pair):
    """The twin's gradients, the mistake's in the place of its own."""

    def backward(dy, *arrays):
        arguments = pair.arguments(dy, *arrays)
        right = results(task, arguments)
        wrong = {mistake.result: np.asarray(mistake.make({**arguments, **right}))}
        return pair.gradients(dy, tuple({**right, **wrong}.values()))

    return backward


@pytest.mark.parametrize(
    ("task", "mistake"),
    [
        pytest.param(*one, marks=() if number % 5 == 0 else pytest.mark.slow)
        for number, one in enumerate(GRADIENTS)
    ],
    ids=names,
)
def test_differences_catch_it_where_they_can_judge(task, mistake):
    judged = [case for case in task.cases if case.by_differences and differs(task, mistake, case)]
    for case in judged[-1:]:
        pair = task.pair(case.draw(Largest()))
        report = gradcheck(
            (pair.forward, planted(task, mistake, pair)),
            *pair.arrays.values(),
            samples=8,
            directions=1,
        )
        assert report.verdict == ("right" if mistake.result == "loss" else "wrong"), report


def test_only_kinks_are_beyond_differences():
    beyond = [
        mistake.text.split(",")[0]
        for task, mistake in GRADIENTS
        if not any(case.by_differences and differs(task, mistake, case) for case in task.cases)
    ]
    assert beyond == [
        "zeros that pass",
        "every tied maximum paid",
        "dy shared among equal maxima",
        "the last of several equal maxima paid",
    ]


# ------------------------------------------------------------------------------------ hints


def kinds_in_the_code():
    """The kinds that the diagnosis and what it compares with are made with, where they are constants."""
    for path in Path(tinycnn.checking.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Diagnosis", "MistakenArray")
                and isinstance(node.args[0], ast.Constant)
            ):
                yield node.args[0].value


def test_every_kind_of_mistake_has_a_hint():
    computed = {"flipped kernel", "flipped image", "height and width swapped", "transposed"}
    computed |= {"channel order", "order", "overwritten", "one image"}
    kinds = {mistake.kind for _, mistake in MISTAKES} | set(kinds_in_the_code()) | computed
    assert kinds == set(HINTS)
    assert Diagnosis("sign", "looks like the wrong sign").hint == HINTS["sign"]


def test_a_hint_is_a_sentence_and_a_question():
    for kind, hint in HINTS.items():
        assert hint.teaches.endswith(".") and hint.asks.endswith("?"), kind
        assert hint.teaches[0].isupper() or hint.teaches.startswith(
            ("x[c]", "b[f]", "dy", "1/N")
        ), kind
    assert len(set(HINTS.values())) == len(HINTS)
