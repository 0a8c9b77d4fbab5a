"""A sheet as plain text in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tinycnn.classroom.quiz.question import Block, LayerTable, Question
from tinycnn.classroom.quiz.quiz import Quiz
from tinycnn.classroom.quiz.sheet import (
    RULES,
    WIDTH,
    key_origin,
    key_title,
    origin,
    pieces,
    title,
    unbroken,
)
from tinycnn.explain.examples.example_text import matrices
from tinycnn.tables import text_table

_INDENT = "    "
_KEPT = "\0"  # a space that no line may break at


def draw_text(quiz: Quiz, *, answers: bool = False) -> str:
    """The sheet in 80 columns; with ``answers`` the key behind it."""
    lines = [title(quiz), "", f"Name {'_' * 40}  Date {'_' * 20}", "", *_wrapped(RULES, "")]
    number = 0
    for letter, part in zip("ABC", quiz.parts, strict=True):
        lines += ["", "", f"{letter}. {part.title.upper()}"]
        for question in part.questions:
            number += 1
            lines += ["", f"{number:>2}. {question.topic}", *_blocks(question.text)]
            lines += [*[""] * question.lines, f"{_INDENT}Answer: {'_' * (WIDTH - 12)}"]
    if answers:
        lines += _text_key(quiz)
    return _text([*lines, "", "", *_wrapped(origin(quiz), "")])


def draw_text_key(quizzes: Sequence[Quiz]) -> str:
    """The keys of several sheets, one behind the other."""
    lines = [line for quiz in quizzes for line in _text_key(quiz)]
    return _text([*lines[2:], "", "", *_wrapped(key_origin(), "")])


def _text(lines: Sequence[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _text_key(quiz: Quiz) -> Iterator[str]:
    yield from ("", "", key_title(quiz).upper())
    for number, question in enumerate(quiz.questions, start=1):
        yield from ("", f"{number:>2}. {question.topic}", *_answer(question))


def _answer(question: Question) -> Iterator[str]:
    yield from _blocks(question.answer)
    for line in question.working:
        yield from _wrapped(line, _INDENT * 2, _INDENT)


def _blocks(blocks: Sequence[Block]) -> Iterator[str]:
    for before, block in zip(("", *blocks), blocks, strict=False):
        if isinstance(block, str):
            yield from ([""] if isinstance(before, tuple) else [])
            yield from _wrapped(block, _INDENT)
        elif isinstance(block, LayerTable):
            yield from (
                "",
                *textwrap.indent(text_table(block.head, block.rows, 0), _INDENT).split("\n"),
            )
            yield ""
        else:
            yield from ("", *(_INDENT + line for line in matrices(block, WIDTH - len(_INDENT))))


def _wrapped(words: str, indent: str, hang: str = "") -> list[str]:
    """Prose between an indent and the last column; code and sizes are never broken."""
    joined = "".join(
        piece.replace(" ", _KEPT) if code else unbroken(piece, _KEPT)
        for piece, code in pieces(words)
    )
    lines = textwrap.wrap(
        joined,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_KEPT, " ") for line in lines]
