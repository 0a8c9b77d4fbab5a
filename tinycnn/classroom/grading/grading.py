"""What can be graded: a file, which is run in a process of its own, or functions of this one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinycnn.checking.targets.own_code import source_of
from tinycnn.classroom.exercises.catalogue import EXERCISES, named
from tinycnn.classroom.exercises.choosing import expect_hypothesis
from tinycnn.classroom.exercises.exercise import Assignment, Exercise
from tinycnn.classroom.grading.cases import grade_function, not_tried
from tinycnn.classroom.grading.report import FunctionGrade, Grade
from tinycnn.classroom.grading.solution import FileSolution, FunctionSolution, Solution
from tinycnn.classroom.sandbox.process import Allowance, Sandbox
from tinycnn.errors import ArgumentError, FileError
from tinycnn.files import expect_regular, is_there, shown
from tinycnn.validation import check_int, check_number

_MARK = re.compile(r"""^EXERCISE\s*(?::[^=\n]*)?=\s*["']([^"'\n]*)["']""", re.MULTILINE)
_LARGEST = 2**20  # bytes of a file
_LONGEST = 1e6  # seconds
_LEAST = 256  # MB, in which Python and NumPy start


def is_exercise(path: str | Path) -> bool:
    """Whether a file is an exercise: it has a line ``EXERCISE = "conv-forward"``, of any name."""
    try:
        return _MARK.search(source_of(Path(path))) is not None
    except FileError:
        return False


def grade(
    source: str | Path | Callable[..., Any],
    *functions: Callable[..., Any],
    exercise: str | None = None,
    timeout: float = 10.0,
    memory: int = 2048,
    strict: bool = False,
) -> Grade:
    """Grade a filled-in exercise: ``grade("conv.py")``, ``grade(relu)``, ``grade("relu", my_relu)``.

    A file is run in a process of its own, which is ended with all that it has started. A case may take
    it ``timeout`` seconds, all together ``memory`` MB. ``exercise`` is what it has to be; without, the file
    says so in a line EXERCISE = "conv-forward". With ``strict`` it may use NumPy and Python's standard
    library, and no more. Functions are called in this process and know no limits: they are those of
    the exercise that is named before them, by their names or in its order, or that has one of that name.

    A gradient is judged by numerical differences (`tinycnn.gradcheck`), everything else against a naive
    twin. What the functions raise becomes part of the grade. Raises FileError for a file that cannot be
    read or is no exercise, UnknownNameError for an exercise that does not exist, ArgumentError for
    functions that belong to none, MissingExtraError without hypothesis.
    """
    start = time.perf_counter()
    allowance = Allowance(
        check_number(timeout, "timeout", above=0, below=_LONGEST),
        check_int(memory, "memory", least=_LEAST) * 2**20,
    )
    expect_hypothesis()
    if callable(source):
        functions = (source, *functions)
        result = _of_functions(_exercise_with(functions, exercise), functions)
    elif functions:
        result = _of_functions(named(str(source)), functions)
    else:
        path = Path(source)
        result = _of_file(path, _exercise_of(path, exercise), allowance, strict)
    return result.taking(time.perf_counter() - start)


def _of_file(path: Path, exercise: Exercise, allowance: Allowance, strict: bool) -> Grade:
    with Sandbox(path, allowance) as sandbox:
        trouble = sandbox.run()
        output, problem = sandbox.output, "" if trouble is None else trouble.text
        functions = _graded(exercise.tasks, FileSolution(sandbox)) if trouble is None else ()
        untried = tuple(map(not_tried, exercise.tasks))
        return Grade(
            exercise.name,
            shown(path.name),
            functions or untried,
            problem,
            sandbox.uses,
            strict,
            output,
        )


def _graded(tasks: tuple[Assignment, ...], solution: Solution) -> tuple[FunctionGrade, ...]:
    return tuple(grade_function(task, solution) for task in tasks)


def _exercise_of(path: Path, wanted: str | None) -> Exercise:
    """The exercise that a file is; raises FileError where it does not say, or is not what is wanted."""
    if is_there(path) and expect_regular(path, "Python file") > _LARGEST:
        raise FileError(
            f"{str(path)!r} is larger than {_LARGEST >> 20} MB, and no filled-in skeleton"
        )
    mark = _MARK.search(source_of(path))
    if mark is None and wanted is None:
        raise FileError(
            f"{str(path)!r} is no exercise: it has no line EXERCISE = {next(iter(EXERCISES))!r} or the "
            "like, as the skeleton has; `tinycnn exercise` lists the exercises"
        )
    if mark is not None and wanted is not None and mark[1] != wanted:
        raise FileError(
            f"{str(path)!r} is the exercise {mark[1]!r}, as its line EXERCISE says, not {wanted!r}"
        )
    return named(mark[1] if mark else str(wanted))


def _exercise_with(functions: tuple[Callable[..., Any], ...], wanted: str | None) -> Exercise:
    if wanted is not None:
        return named(wanted)
    names = {getattr(function, "__name__", "") for function in functions}
    for exercise in EXERCISES.values():
        if names <= {task.function for task in exercise.tasks}:
            return exercise
    raise ArgumentError(
        f"no exercise has {'a function' if len(names) == 1 else 'functions'} {', '.join(sorted(names))}; "
        f'say which it is: grade("{next(iter(EXERCISES))}", function)'
    )


def _of_functions(exercise: Exercise, functions: tuple[Callable[..., Any], ...]) -> Grade:
    """Grade those of an exercise's functions that are given."""
    tasks = {task.function: task for task in exercise.tasks}
    names = [getattr(function, "__name__", "") for function in functions]
    if not set(names) <= set(tasks):
        names = list(tasks)[: len(functions)]
    if len(set(names)) != len(functions):
        raise ArgumentError(
            f"{exercise.name} has {', '.join(tasks)}; got {len(functions)} functions"
        )
    given = dict(zip(names, functions, strict=True))
    chosen = tuple(task for name, task in tasks.items() if name in given)
    return Grade(exercise.name, ", ".join(given), _graded(chosen, FunctionSolution(given)))
