"""The functions of an exercise graded: case by case, from easy to hard."""

from __future__ import annotations

from dataclasses import replace

from tinycnn.arrays import Array
from tinycnn.checking import GradientReport, gradcheck
from tinycnn.checking.mistakes.hints import Hint
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.classroom.exercises.choosing import Largest, smallest
from tinycnn.classroom.exercises.exercise import Assignment, Case
from tinycnn.classroom.grading import judging
from tinycnn.classroom.grading.judging import Failure, Judgement
from tinycnn.classroom.grading.report import (
    FAILS,
    NOT_BEGUN,
    NOT_TRIED,
    PASSES,
    CaseGrade,
    FunctionGrade,
)
from tinycnn.classroom.grading.solution import Solution
from tinycnn.classroom.sandbox.calling import ENDINGS, Trouble
from tinycnn.errors import TinyCNNError

# Of one function: what takes a process down once may pass the next case, twice it is given up.
_ENDS = 2
# Of these there is no smallest input: whether they fail is not a matter of the input alone, or is
# too dear to be tried again.
_NOT_SEARCHED = ("not the same twice", "differences", *ENDINGS)


def grade_function(task: Assignment, solution: Solution) -> FunctionGrade:
    """Grade one function of an exercise.

    Every case is tried on its largest input, and then on many small ones, of which the smallest that
    fails is reported.
    """
    outcomes = _outcomes(task, solution)
    first = outcomes[task.cases[0]].failure
    if first is not None and first.kind in ("not begun", "missing"):
        cases = tuple(CaseGrade(case.name, NOT_BEGUN) for case in task.cases)
        return FunctionGrade(task.function, cases, task.cases[0].name, first)
    grades: list[CaseGrade] = []
    reported: tuple[str, Failure] | None = None
    for case, outcome in outcomes.items():
        failing = _search(task, case, solution, outcome) if reported is None else outcome
        if failing.failure is not None and reported is None:
            reported = case.name, _explained(task, solution, failing, outcome, outcomes)
        words = "" if failing.failure is None else failing.failure.text
        grades.append(CaseGrade(case.name, FAILS if failing.failure else PASSES, words))
    grades += [CaseGrade(case.name, NOT_TRIED) for case in task.cases[len(outcomes) :]]
    name, failure = reported or ("", None)
    return FunctionGrade(task.function, tuple(grades), name, failure)


def not_tried(task: Assignment) -> FunctionGrade:
    """The grade of a function of a file that cannot be run."""
    return FunctionGrade(
        task.function, tuple(CaseGrade(case.name, NOT_TRIED) for case in task.cases)
    )


def _outcomes(task: Assignment, solution: Solution) -> dict[Case, Judgement]:
    """The cases' largest inputs, up to where the function is given up."""
    outcomes: dict[Case, Judgement] = {}
    ends = 0
    for case in task.cases:
        solution.begin()
        outcomes[case] = _largest(task, case, solution)
        failure = outcomes[case].failure
        ends += failure is not None and failure.kind in ENDINGS
        if ends == _ENDS:
            break
    return outcomes


def _largest(task: Assignment, case: Case, solution: Solution) -> Judgement:
    """The case's largest input: judged by the twin, and by differences where it is a gradient."""
    outcome = judging.judge(task, case, solution, case.draw(Largest()))
    if outcome.failure is not None or not _differentiable(task, case):
        return outcome
    report = _by_differences(task, solution, outcome.arguments)
    if isinstance(report, Trouble):
        failure = Failure(report.kind, report.text, outcome.arguments, output=solution.output)
        return replace(outcome, failure=failure)
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


def _diagnoses(report: GradientReport) -> list[tuple[str, Hint]]:
    return [
        (f"d{tensor.name} {diagnosis.text}", diagnosis.hint)
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


def _by_differences(
    task: Assignment, solution: Solution, arguments: Arguments
) -> GradientReport | Trouble:
    assert task.pair is not None
    pair = task.pair(arguments)

    def backward(dy: Array, *arrays: Array) -> tuple[Array, ...]:
        came = judging.called(task, solution, pair.arguments(dy, *arrays))
        if isinstance(came, Trouble):
            raise _Stopped(came)
        if solution.out_of_time:
            raise _Stopped(_slow(task, solution))
        return pair.gradients(dy, came)

    try:
        return gradcheck((pair.forward, backward), *pair.arrays.values())
    except _Stopped as stopped:
        return stopped.trouble
    except TinyCNNError as error:  # gradients of a kind that the twin has not met
        return Trouble("type", str(error))


def _search(task: Assignment, case: Case, solution: Solution, outcome: Judgement) -> Judgement:
    """Give the smallest input that fails, or ``outcome``, that of the largest."""
    if case.once or (outcome.failure is not None and outcome.failure.kind in _NOT_SEARCHED):
        return outcome
    kind = outcome.failure and outcome.failure.kind
    last, ended = outcome, False
    solution.begin()

    def fails(arguments: Arguments) -> bool:
        nonlocal last, ended
        if ended or solution.out_of_time:
            return False
        judged = judging.judge(task, case, solution, arguments)
        if judged.failure is None or kind not in (None, judged.failure.kind):
            return False
        last, ended = judged, judged.failure.kind in ENDINGS
        return True

    found = smallest(case, fails)
    if found is not None:
        fails(found)
    return last  # the smallest, or, if that fails one time and not the next, the last that failed


def _slow(task: Assignment, solution: Solution) -> Trouble:
    words = f"{task.function} is too slow: its gradient check did not end in {solution.seconds:g} s"
    return Trouble("timeout", words)


def _explained(
    task: Assignment,
    solution: Solution,
    failing: Judgement,
    largest: Judgement,
    outcomes: dict[Case, Judgement],
) -> Failure:
    """The failure with what it looks like: seen best on the largest input, where numbers are many."""
    assert failing.failure is not None
    seen = largest if largest.failure is not None else failing
    found = judging.looks_like(task.mistakes, seen, outcomes.values())
    if not found and failing.failure.kind == "values":
        found = _diagnosed(task, solution, outcomes)
    return failing.failure.explained(found)


def _diagnosed(
    task: Assignment, solution: Solution, outcomes: dict[Case, Judgement]
) -> list[tuple[str, Hint]]:
    """What the gradient check makes of a gradient that none of the exercise's mistakes explains."""
    wrong = [
        outcome.arguments
        for case, outcome in outcomes.items()
        if outcome.failure and outcome.failure.kind == "values" and _differentiable(task, case)
    ]
    solution.begin()
    # Of the last, the hardest, most can be told apart.
    report = _by_differences(task, solution, wrong[-1]) if wrong else None
    return _diagnoses(report) if isinstance(report, GradientReport) else []
