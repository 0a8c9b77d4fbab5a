"""One call of a student's function against the naive twin, and what a wrong result looks like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinycnn.arrays import Array, first_cell
from tinycnn.checking.mistakes.hints import Hint
from tinycnn.checking.mistakes.mistake import Arguments, Mistake
from tinycnn.classroom.exercises.exercise import Assignment, Case, Results
from tinycnn.classroom.grading.solution import Solution
from tinycnn.classroom.sandbox.calling import ENDINGS, Trouble
from tinycnn.classroom.sandbox.values import Foreign
from tinycnn.errors import TinyCNNError
from tinycnn.explain.examples.arithmetic import text
from tinycnn.wording import a, many

# Of the largest expected number, or of 1: float64's rounding in sums of a few hundred terms.
_TOLERANCE = 1e-10
_NAMED = 2  # mistakes that explain the same; more of them explain nothing


@dataclass(frozen=True)
class Wrong:
    """A result that is not what it should be."""

    name: str
    expected: Array
    came: Array

    def __str__(self) -> str:
        off = ~_near(self.came, self.expected)
        place = first_cell(off)
        cell = f"{self.name}[{', '.join(map(str, place))}]" if place else self.name
        expected, came = (_value(array[place]) for array in (self.expected, self.came))
        count = (
            f" ({np.count_nonzero(off)} of {off.size} numbers are wrong)" if off.size > 1 else ""
        )
        return f"{cell} should be {expected}, came {came}{count}"


@dataclass(frozen=True)
class Failure:
    """What goes wrong on one input: the kind ("raises", "values", ...), the words, the numbers."""

    kind: str
    text: str
    arguments: Arguments
    results: tuple[str, ...] = ()  # those that are wrong
    wrong: tuple[Wrong, ...] = ()
    looks_like: tuple[str, ...] = ()
    hints: tuple[Hint, ...] = ()  # of the mistakes that it looks like, each once
    output: str = ""  # what was printed

    def explained(self, found: Sequence[tuple[str, Hint]]) -> Failure:
        """Add what it looks like, and what that teaches; nothing found changes nothing."""
        if not found:
            return self
        words, hints = zip(*found, strict=True)
        return replace(self, looks_like=words, hints=tuple(dict.fromkeys(hints)))


@dataclass(frozen=True)
class Judgement:
    """One call: the results by name, where there are some, and the failure, if it is one."""

    arguments: Arguments
    came: dict[str, Array] = field(default_factory=dict)
    failure: Failure | None = None


def judge(task: Assignment, case: Case, solution: Solution, arguments: Arguments) -> Judgement:
    """Call the function on ``arguments``, twice or once, and compare what comes with the naive twin."""

    def failed(kind: str, words: str, **more: Any) -> Judgement:
        came = more.pop("came", {})
        return Judgement(arguments, came, Failure(kind, words, arguments, output=output, **more))

    came = called(task, solution, arguments)
    output = solution.output
    if isinstance(came, Trouble):
        return failed(came.kind, came.text)
    named = dict(zip(task.results, came, strict=True))
    expected = task.expected(
        {**arguments, **{name: _numbers(mine) for name, mine in named.items()}}
    )
    for name, mine, right in zip(task.results, came, expected, strict=True):
        if words := _unlike(name, mine, right):
            kind = "dtype" if mine.shape == right.shape else "shape"
            return failed(kind, words, results=(name,), came=named)
    again = came if case.once else called(task, solution, arguments)
    if isinstance(again, Trouble) and again.kind in ENDINGS:
        return failed(again.kind, again.text)
    if isinstance(again, Trouble) or not all(map(_same, came, again)):
        words = (
            f"{task.function} gives another result when it is called again with the same arguments: "
            f"is something drawn at random in it, or kept from the call before?"
        )
        return failed("not the same twice", words, came=named)
    wrong_ones = tuple(
        Wrong(name, right, mine)
        for name, mine, right in zip(task.results, came, expected, strict=True)
        if not _near(mine, right).all()
    )
    if wrong_ones:
        names = tuple(wrong.name for wrong in wrong_ones)
        return failed("values", _words(wrong_ones), results=names, wrong=wrong_ones, came=named)
    if case.rule and (words := case.rule(arguments, came)):
        return failed("rule", words, came=named)
    if case.unlike is not None:
        change, words = case.unlike
        other = called(task, solution, change(arguments))
        if isinstance(other, Trouble):
            return failed(other.kind, other.text)
        if all(map(_same, came, other)):
            return failed("rule", words, came=named)
    return Judgement(arguments, named)


def called(task: Assignment, solution: Solution, arguments: Arguments) -> Results | Trouble:
    """Call the task's function: as many arrays or numbers as the task has results."""
    returned = solution.call(task.function, arguments)
    if isinstance(returned, Trouble):
        return returned
    count = len(task.results)
    if returned is None:
        return Trouble("type", f"{task.function} returns nothing: does it end with a return?")
    values = (returned,) if count == 1 else returned
    if not isinstance(values, (tuple, list)) or len(values) != count:
        got = many(len(values), "value") if isinstance(values, (tuple, list)) else _type(returned)
        names = ", ".join(task.results)
        return Trouble("type", f"{task.function} should return ({names}), returned {got}")
    arrays = []
    for name, value in zip(task.results, values, strict=True):
        if not isinstance(value, (np.ndarray, np.generic, float, int)):
            return Trouble("type", f"{name} should be an array, {_type(value)} came")
        arrays.append(np.array(value))
    return tuple(arrays)


def looks_like(
    mistakes: Iterable[Mistake], outcome: Judgement, others: Iterable[Judgement]
) -> list[tuple[str, Hint]]:
    """Name the mistakes that give just what came, each with its one.

    They have to explain half of all failures of the result at least; of several, those that explain
    most are named, or none if there are more than two of them.
    """
    assert outcome.failure is not None
    suspects, everything = list(mistakes), list(others)
    found: list[tuple[str, Hint]] = []
    for name in outcome.failure.results:
        failing = [one for one in everything if one.failure and name in one.failure.results]
        counts = {
            mistake: sum(_fits(mistake, one) for one in failing)
            for mistake in suspects
            if mistake.result == name and _fits(mistake, outcome)
        }
        most = max(counts.values(), default=0)
        best = [mistake for mistake, count in counts.items() if count == most]
        if 2 * most >= len(failing) and len(best) <= _NAMED:
            found += [(f"{name} looks like {mistake.text}", mistake.hint) for mistake in best]
    return found


def _fits(mistake: Mistake, outcome: Judgement) -> bool:
    came = outcome.came.get(mistake.result)
    if came is None or came.dtype.kind not in "fiub":
        return False
    try:
        with np.errstate(all="ignore"):
            made = np.asarray(mistake.make({**outcome.arguments, **outcome.came}))
    except (TinyCNNError, ValueError, IndexError):  # it cannot be made with these shapes
        return False
    if made.shape != came.shape:
        return False
    return bool((_near(came, made) | (np.isnan(came) & np.isnan(made))).all())


def _numbers(came: Array) -> Array:
    """What came, for the twin to go by; zeros where it holds no real numbers, which is refused next."""
    return came if came.dtype.kind in "fiub" else np.zeros(came.shape)


def _unlike(name: str, came: Array, expected: Array) -> str:
    """What is wrong with a result's shape or dtype, "" if nothing."""
    if came.shape != expected.shape:
        return f"{name} should have shape {expected.shape}, shape {came.shape} came"
    if expected.dtype == np.bool_:
        return (
            ""
            if came.dtype == np.bool_
            else f"{name} should hold True and False, {came.dtype} came"
        )
    if came.dtype == np.float64:
        return ""
    hint = {
        "i": " (an array made of integers cuts off what it is given: np.zeros(shape) holds floats)",
        "f": ": float64 goes in, and only float64 is precise enough to be checked",
    }
    return f"{name} should be float64, {came.dtype} came{hint.get(came.dtype.kind, '')}"


def _words(wrong: tuple[Wrong, ...]) -> str:
    unfinished = [one for one in wrong if not np.isfinite(one.came).all()]
    if not unfinished:
        return "; ".join(map(str, wrong))
    one = unfinished[0]
    what = "nan (not a number)" if np.isnan(one.came).any() else "infinity"
    return f"{one.name} holds {what}: something overflows, or 0 is divided by 0"


def _near(came: Array, expected: Array) -> Array:
    if expected.dtype == np.bool_ or came.dtype == np.bool_:
        return np.asarray(came == expected)
    with np.errstate(all="ignore"):
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        return np.asarray(np.abs(came - expected) <= _TOLERANCE * scale)


def _same(first: Array, second: Array) -> bool:
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


def _value(number: Any) -> str:
    return str(bool(number)) if isinstance(number, np.bool_) else text(float(number))


def _type(value: Any) -> str:
    return a(value.type_name if isinstance(value, Foreign) else type(value).__name__)
