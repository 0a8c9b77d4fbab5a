"""A filled-in exercise graded: case by case, from easy to hard."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tinycnn.arrays import Array
from tinycnn.checking import GradientReport, gradcheck
from tinycnn.checking.mistakes.lessons import Lesson
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.targets.own_code import source_of
from tinycnn.classroom.exercises import judging
from tinycnn.classroom.exercises.catalogue import EXERCISES, named
from tinycnn.classroom.exercises.choosing import Largest, expect_hypothesis, smallest
from tinycnn.classroom.exercises.exercise import Assignment, Case
from tinycnn.classroom.exercises.judging import Failure, Judgement
from tinycnn.classroom.exercises.report import (
    FAILS,
    NOT_BEGUN,
    PASSES,
    CaseGrade,
    FunctionGrade,
    Grade,
)
from tinycnn.classroom.exercises.student import File, Trouble, run
from tinycnn.errors import FileError

_MARK = re.compile(r"""^EXERCISE\s*=\s*["']([^"'\n]*)["']""", re.MULTILINE)


def is_exercise(path: str | Path) -> bool:
    """Whether a file is an exercise: it has a line ``EXERCISE = "conv-forward"``, of any name."""
    try:
        return _MARK.search(source_of(Path(path))) is not None
    except FileError:
        return False


def grade(path: str | Path) -> Grade:
    """Grade a filled-in exercise.

    Every case is tried on its largest input, a gradient there by numerical differences
    (`tinycnn.gradcheck`), everything else against a naive twin, and then on many small inputs,
    of which the smallest that fails is reported. What the file raises becomes part of the grade.
    Raises FileError for a file that cannot be read or is no exercise, UnknownNameError for an
    exercise that does not exist, MissingExtraError without hypothesis.
    """
    path = Path(path)
    mark = _MARK.search(source_of(path))
    if mark is None:
        raise FileError(
            f"{str(path)!r} is no exercise: it has no line EXERCISE = {next(iter(EXERCISES))!r} or the "
            "like; `tinycnn exercise` lists the exercises"
        )
    exercise = named(mark[1])
    expect_hypothesis()
    file = run(path)
    if isinstance(file, Trouble):
        return Grade(exercise.name, path.name, problem=file.text)
    functions = tuple(_function(task, file) for task in exercise.tasks)
    return Grade(exercise.name, path.name, functions)


def _function(task: Assignment, file: File) -> FunctionGrade:
    outcomes = {case: _largest(task, case, file) for case in task.cases}
    first = outcomes[task.cases[0]].failure
    if first is not None and first.kind in ("not begun", "missing"):
        cases = tuple(CaseGrade(case.name, NOT_BEGUN) for case in task.cases)
        return FunctionGrade(task.function, cases, task.cases[0].name, first)
    grades: list[CaseGrade] = []
    reported: tuple[str, Failure] | None = None
    for case, outcome in outcomes.items():
        failing = _search(task, case, file, outcome) if reported is None else outcome
        if failing.failure is not None and reported is None:
            reported = case.name, _explained(task, file, failing, outcome, outcomes)
        words = "" if failing.failure is None else failing.failure.text
        grades.append(CaseGrade(case.name, FAILS if failing.failure else PASSES, words))
    name, failure = reported or ("", None)
    return FunctionGrade(task.function, tuple(grades), name, failure)


def _largest(task: Assignment, case: Case, file: File) -> Judgement:
    """The case's largest input: judged by the twin, and by differences where it is a gradient."""
    outcome = judging.judge(task, case, file, case.draw(Largest()))
    if outcome.failure is not None or not _differentiable(task, case):
        return outcome
    report = _by_differences(task, file, outcome.arguments)
    if isinstance(report, Trouble):
        return replace(outcome, failure=Failure(report.kind, report.text, outcome.arguments))
    if report.verdict != "wrong":
        return outcome
    return replace(outcome, failure=_differing(report, outcome.arguments))


def _differing(report: GradientReport, arguments: Arguments) -> Failure:
    """The failure of a gradient that the twin has nothing against."""
    words = list(report.problems)
    for tensor in report.tensors:
        if tensor.failures and tensor.worst is not None:
            worst = tensor.worst
            words.append(
                f"d{tensor.name} is not what numerical differences give: at {worst.where} it should "
                f"be {worst.numeric:.7g}, came {worst.analytic:.7g}"
            )
    return Failure("differences", "; ".join(words), arguments).explained(_diagnoses(report))


def _diagnoses(report: GradientReport) -> list[tuple[str, Lesson]]:
    return [
        (f"d{tensor.name} {diagnosis.text}", diagnosis.lesson)
        for tensor in report.tensors
        for diagnosis in tensor.diagnosis
    ]


def _differentiable(task: Assignment, case: Case) -> bool:
    return task.pair is not None and case.by_differences


class _Stopped(Exception):  # noqa: N818 - it ends a gradient check and is seen nowhere else
    """What ended a gradient check: the function that is checked gave no result."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


def _by_differences(task: Assignment, file: File, arguments: Arguments) -> GradientReport | Trouble:
    assert task.pair is not None
    pair = task.pair(arguments)

    def backward(dy: Array, *arrays: Array) -> tuple[Array, ...]:
        came = judging.called(task, file, pair.arguments(dy, *arrays))
        if isinstance(came, Trouble):
            raise _Stopped(came)
        return pair.gradients(dy, came)

    try:
        return gradcheck((pair.forward, backward), *pair.arrays.values())
    except _Stopped as stopped:
        return stopped.trouble


def _search(task: Assignment, case: Case, file: File, outcome: Judgement) -> Judgement:
    """Give the smallest input that fails, or ``outcome``, that of the largest."""
    if outcome.failure is not None and outcome.failure.kind in (
        "not the same twice",
        "differences",
    ):
        return outcome  # there is no smallest: whether it fails is not a matter of the input alone

    kind = outcome.failure and outcome.failure.kind
    last = outcome

    def fails(arguments: Arguments) -> bool:
        nonlocal last
        judged = judging.judge(task, case, file, arguments)
        if judged.failure is None or kind not in (None, judged.failure.kind):
            return False
        last = judged
        return True

    found = smallest(case, fails)
    if found is not None:
        fails(found)
    return last  # the smallest, or, if that fails one time and not the next, the last that failed


def _explained(
    task: Assignment,
    file: File,
    failing: Judgement,
    largest: Judgement,
    outcomes: dict[Case, Judgement],
) -> Failure:
    """The failure with what it looks like: seen best on the largest input, where numbers are many."""
    assert failing.failure is not None
    seen = largest if largest.failure is not None else failing
    found = judging.looks_like(task.mistakes, seen, outcomes.values())
    if not found and failing.failure.kind == "values":
        found = _diagnosed(task, file, outcomes)
    return failing.failure.explained(found)


def _diagnosed(
    task: Assignment, file: File, outcomes: dict[Case, Judgement]
) -> list[tuple[str, Lesson]]:
    """What the gradient check makes of a gradient that none of the exercise's mistakes explains."""
    wrong = [
        outcome.arguments
        for case, outcome in outcomes.items()
        if outcome.failure and outcome.failure.kind == "values" and _differentiable(task, case)
    ]
    # Of the last, the hardest, most can be told apart.
    report = _by_differences(task, file, wrong[-1]) if wrong else None
    return _diagnoses(report) if isinstance(report, GradientReport) else []
