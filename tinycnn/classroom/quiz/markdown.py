"""A sheet as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tinycnn.classroom.quiz.question import Block, LayerTable
from tinycnn.classroom.quiz.quiz import Quiz
from tinycnn.classroom.quiz.sheet import (
    RULES,
    WIDTH,
    key_origin,
    key_title,
    origin,
    pieces,
    title,
)
from tinycnn.explain.examples.example_text import matrices


def draw_markdown(quiz: Quiz, *, answers: bool = False) -> str:
    """The sheet in Markdown; with ``answers`` the key behind it."""
    lines = [f"# {inline(title(quiz))}", "", inline(RULES)]
    number = 0
    for letter, part in zip("ABC", quiz.parts, strict=True):
        lines += ["", f"## {letter}. {inline(part.title)}"]
        for question in part.questions:
            number += 1
            lines += ["", f"### {number}. {inline(question.topic)}", *_sections(question.text)]
            lines += ["", "Answer: " + r"\_" * 24]
    if answers:
        lines += ["", "---", "", *_markdown_key(quiz)]
    return "\n".join([*lines, "", "---", "", inline(origin(quiz))]) + "\n"


def draw_markdown_key(quizzes: Sequence[Quiz]) -> str:
    """The keys of several sheets, one behind the other."""
    lines = [line for quiz in quizzes for line in (*_markdown_key(quiz), "", "---", "")]
    return "\n".join([*lines, inline(key_origin())]) + "\n"


def _markdown_key(quiz: Quiz) -> Iterator[str]:
    yield f"## {inline(key_title(quiz))}"
    for number, question in enumerate(quiz.questions, start=1):
        yield from ("", f"### {number}. {inline(question.topic)}", *_sections(question.answer))
        yield from ("", *_fenced(question.working))


def inline(words: str) -> str:
    """Prose for Markdown: what it would read as markup is escaped, code stays code."""
    return "".join(_code(piece) if code else _escaped(piece) for piece, code in pieces(words))


def _escaped(words: str) -> str:
    escaped = re.sub(r"([\\`*_\[\]<>|~&$])", r"\\\1", " ".join(words.splitlines()))
    return re.sub(r"^(\s*)(#|[-+](?=\s|$)|\d+(?=[.)]))", _first, escaped)


def _first(found: re.Match[str]) -> str:
    """A line's first sign that would make it a heading or a list."""
    blank, sign = found.groups()
    return f"{blank}&#{ord(sign)};" if sign in "#-+" else f"{blank}{sign}&#8203;"


def _code(words: str) -> str:
    return f"`{words}`"


def _sections(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        yield ""
        if isinstance(block, str):
            yield inline(block)
        elif isinstance(block, LayerTable):
            rows = [block.head, ["---"] * len(block.head), *block.rows]
            for place, row in enumerate(rows):
                cells = row if place == 1 else [_escaped(text) for text in row]
                yield f"| {' | '.join(cells)} |"
        else:
            yield from _fenced([line.removeprefix("  ") for line in matrices(block, WIDTH)])


def _fenced(lines: Sequence[str]) -> list[str]:
    """Lines as they are, in a fence that none of them can close."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(longest + 1, 3)
    return [f"{fence}text", *lines, fence]
