"""A grade as text: its cases, and the smallest input on which a function fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.classroom.sandbox.calling import ENDINGS
from tinycnn.explain.examples.arithmetic import Value
from tinycnn.explain.examples.example_text import matrices
from tinycnn.explain.readers.style import paragraph
from tinycnn.wording import sentence

if TYPE_CHECKING:
    from tinycnn.classroom.grading.judging import Failure
    from tinycnn.classroom.grading.report import FunctionGrade, Grade

_DRAWN = 200  # an array of more numbers is told by its shape


def report_lines(grade: Grade) -> Iterator[str]:
    """The whole report."""
    yield f"{grade.exercise}: {grade.file}"
    if grade.problem:
        yield ""
        yield from paragraph(grade.problem)
        yield from printed(grade.output)
    for function in () if grade.problem else grade.functions:
        yield from _function(function)
    yield ""
    if grade.used:
        yield from (*paragraph(grade.used), "")
    yield grade.verdict


def _function(function: FunctionGrade) -> Iterator[str]:
    yield ""
    yield function.name
    for case in function.cases:
        yield f"  {case.status:<9}  {case.name}"
    if function.failure is None:
        return
    yield ""
    yield from explanation(function)


def explanation(function: FunctionGrade) -> Iterator[str]:
    """What fails, on which input, and what it looks like: lines of text."""
    failure = function.failure
    assert failure is not None
    if failure.kind == "not begun":
        yield from paragraph(failure.text)
        return
    yield from paragraph(f"In “{function.case}”: {sentence(failure.text)}")
    yield ""
    yield from failing_input(function.name, failure)
    for words in failure.looks_like:
        yield ""
        yield from paragraph(sentence(words))


def failing_input(name: str, failure: Failure) -> Iterator[str]:
    """The call that fails: what goes in, what should come out, what came, and what was printed."""
    yield (
        "An input on which it fails:"
        if failure.kind in ENDINGS
        else "The smallest input on which it fails:"
    )
    yield f"  {name}({', '.join(_argument(*item) for item in failure.arguments.items())})"
    yield from _drawn(
        ("", name, value)
        for name, value in failure.arguments.items()
        if isinstance(value, np.ndarray)
    )
    for wrong in failure.wrong:
        both = (("expected ", wrong.expected), ("came ", wrong.came))
        yield from _drawn((before, wrong.name, array) for before, array in both)
    yield from printed(failure.output)


def printed(output: str) -> Iterator[str]:
    """What a file printed, if it did."""
    if output.strip():
        yield from ("", "It printed:", *(f"  {line}" for line in output.rstrip().split("\n")))


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
    """An array; those of images and kernels map by map."""
    if array.ndim != 4:
        shape = f" {array.shape}" if array.ndim else ""
        yield Value(f"{before}{name}{shape}", array, array.shape or (1,), _texts(array))
        return
    for index in _cuts(name, array.shape):
        place = ", ".join(":" if isinstance(i, slice) else str(i) for i in index)
        part = array[index]
        yield Value(f"{before}{name}[{place}]", part, part.shape)


def _cuts(name: str, shape: tuple[int, ...]) -> Iterator[tuple[int | slice, ...]]:
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
