"""The grade of a file: what passes, what fails, and the smallest input on which it does."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.classroom.exercises.exercise import Seed
from tinycnn.classroom.exercises.judging import Failure
from tinycnn.explain.examples.arithmetic import Value, text
from tinycnn.explain.examples.example_text import matrices
from tinycnn.explain.readers.style import WIDTH, paragraph
from tinycnn.wording import sentence

PASSES, FAILS, NOT_BEGUN = "passes", "fails", "not begun"
_UNBROKEN = "\N{NO-BREAK SPACE}"
Cut = tuple[int | slice, ...]
_DRAWN = 200  # an array of more numbers is told by its shape


@dataclass(frozen=True)
class CaseGrade:
    """A case: whether it passes, fails or is not begun; the failure in words."""

    name: str
    status: str
    text: str = ""


@dataclass(frozen=True)
class FunctionGrade:
    """A function: its cases, from easy to hard, and the first failure on its smallest input."""

    name: str
    cases: tuple[CaseGrade, ...]
    case: str = ""  # the case that the failure belongs to
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether all its cases pass."""
        return all(case.status == PASSES for case in self.cases)


@dataclass(frozen=True)
class Grade:
    """What became of an exercise; ``problem`` says why the file cannot be run, "" if it can."""

    exercise: str
    file: str
    functions: tuple[FunctionGrade, ...] = ()
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything passes."""
        return not self.problem and all(function.ok for function in self.functions)

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain data, for JSON."""
        return {
            "exercise": self.exercise,
            "file": self.file,
            "ok": self.ok,
            "problem": self.problem,
            "functions": [_data(function) for function in self.functions],
        }


def _lines(grade: Grade) -> Iterator[str]:
    yield f"{grade.exercise}: {grade.file}"
    if grade.problem:
        yield ""
        yield from paragraph(grade.problem)
    for function in grade.functions:
        yield from _function(function)
    yield ""
    cases = [case for function in grade.functions for case in function.cases]
    passed = sum(case.status == PASSES for case in cases)
    yield (
        f"{'PASSED' if grade.ok else 'NOT YET'}: {passed} of {len(cases)} cases pass."
        if cases
        else "NOT YET."
    )


def _function(function: FunctionGrade) -> Iterator[str]:
    yield ""
    yield function.name
    for case in function.cases:
        yield f"  {case.status:<9}  {case.name}"
    failure = function.failure
    if failure is None:
        return
    yield ""
    if failure.kind == "not begun":
        yield from paragraph(failure.text)
        return
    yield from paragraph(f"In “{function.case}”: {sentence(failure.text)}")
    yield ""
    yield "The smallest input on which it fails:"
    yield from _call(function.name, failure.arguments)
    yield from _drawn(
        ("", name, value)
        for name, value in failure.arguments.items()
        if isinstance(value, np.ndarray)
    )
    for wrong in failure.wrong:
        both = (("expected ", wrong.expected), ("came ", wrong.came))
        yield from _drawn((before, wrong.name, array) for before, array in both)
    for words in failure.looks_like:
        yield ""
        yield from paragraph(sentence(words))
    for lesson in failure.lessons:
        yield ""
        yield from paragraph(lesson.teaches)
        yield from paragraph(f"Ask yourself: {lesson.asks}")


def _call(name: str, arguments: Arguments) -> list[str]:
    """The call, broken between its arguments where it is long."""
    words = [_argument(*item).replace(" ", _UNBROKEN) for item in arguments.items()]
    lines = textwrap.wrap(
        f"{name}({', '.join(words)})",
        WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_UNBROKEN, " ") for line in lines]


def _argument(name: str, value: Any) -> str:
    return name if isinstance(value, np.ndarray) else f"{name}={value}"


def _drawn(arrays: Iterable[tuple[str, str, Array]]) -> Iterator[str]:
    """Arrays as matrices side by side, each under a word and its name; large ones told by their shape."""
    values: list[Value] = []
    shapes: list[str] = []
    for before, name, array in arrays:
        if 0 < array.size <= _DRAWN:
            values += _matrices(name, array, before)
        else:
            shapes.append(f"  {before}{name}: shape {array.shape}")
    yield ""
    yield from matrices(values)
    yield from shapes


def _matrices(name: str, array: Array, before: str) -> Iterator[Value]:
    """An array; those of images and kernels map by map, wide ones a few columns at a time."""
    maps = _cuts(name, array.shape) if array.ndim == 4 else [(slice(None),) * array.ndim]
    for index in maps:
        for cut in _narrow(index, array):
            part = array[cut]
            shape = f" {array.shape}" if 0 < array.ndim != 4 else ""
            title = (
                f"[{', '.join(map(_place, cut))}]" if cut != (slice(None),) * array.ndim else shape
            )
            yield Value(f"{before}{name}{title}", part, part.shape or (1,), _texts(part))


def _narrow(index: Cut, array: Array) -> Iterator[Cut]:
    """A cut, in parts that fit side by side into the width."""
    part = array[index]
    if not part.ndim:
        yield index
        return
    widest = max(map(len, _texts(part) or map(text, map(float, part.flat))))
    most = max(1, WIDTH // (widest + 2) - 1)
    if part.shape[-1] <= most:
        yield index
        return
    last = max(axis for axis, place in enumerate(index) if isinstance(place, slice))
    for start in range(0, part.shape[-1], most):
        columns = slice(start, min(start + most, part.shape[-1]))
        yield (*index[:last], columns, *index[last + 1 :])


def _place(index: int | slice) -> str:
    if not isinstance(index, slice):
        return str(index)
    return ":" if index.stop is None else f"{index.start}:{index.stop}"


def _cuts(name: str, shape: tuple[int, ...]) -> Iterator[Cut]:
    """The cuts through four axes that are drawn as a matrix each."""
    whole = slice(None)
    if name in ("W", "dW"):  # (KH, KW, C, F): the map comes first
        yield from ((whole, whole, c, f) for c, f in np.ndindex(shape[2:]))
    elif shape[1:3] == (1, 1):  # one pixel: its channels in a row
        yield from ((n, 0, 0, whole) for n in range(shape[0]))
    else:
        yield from ((n, whole, whole, c) for n, c in np.ndindex(shape[0], shape[3]))


def _texts(array: Array) -> tuple[str, ...]:
    return tuple(map(str, array.ravel())) if array.dtype == np.bool_ else ()


def _data(function: FunctionGrade) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": function.name,
        "ok": function.ok,
        "cases": [
            {"name": case.name, "status": case.status, "text": case.text} for case in function.cases
        ],
    }
    if function.failure is not None:
        failure = function.failure
        data["smallest"] = {
            "case": function.case,
            "kind": failure.kind,
            "text": failure.text,
            "arguments": _plain(failure.arguments),
            "expected": {wrong.name: wrong.expected.tolist() for wrong in failure.wrong},
            "came": {wrong.name: wrong.came.tolist() for wrong in failure.wrong},
            "looks_like": list(failure.looks_like),
            "lessons": [lesson._asdict() for lesson in failure.lessons],
        }
    return data


def _plain(arguments: Arguments) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in arguments.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, (np.ndarray, tuple)):
        return np.asarray(value).tolist()
    return str(value) if isinstance(value, Seed) else value
