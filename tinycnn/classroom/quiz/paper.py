"""A sheet as one page of HTML, to be printed in black on white."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from tinycnn.classroom.quiz.question import Block, LayerTable, Question
from tinycnn.classroom.quiz.quiz import Quiz
from tinycnn.classroom.quiz.sheet import (
    RULES,
    key_origin,
    key_title,
    origin,
    pieces,
    title,
    unbroken,
)
from tinycnn.explain.examples.arithmetic import Value
from tinycnn.explain.examples.example_text import grid


def draw_html(quiz: Quiz, *, answers: bool = False) -> str:
    """The sheet; with ``answers`` the key on pages of its own. Nothing is loaded from elsewhere."""
    body = [
        f"<h1>{escape(title(quiz))}</h1>",
        '<div class="who"><span>Name</span><span>Date</span></div>',
        f"<p>{_inline(RULES)}</p>",
        *_questions(quiz),
    ]
    if answers:
        body += _key(quiz)
    body.append(f"<footer>{_inline(origin(quiz))}</footer>")
    return _page(title(quiz), f"quiz {quiz.seed}", body)


def draw_html_key(quizzes: Sequence[Quiz]) -> str:
    """The keys of several sheets, each on pages of its own, and what leads to each of them."""
    links = " ".join(f'<a href="#quiz-{quiz.seed}">{quiz.seed}</a>' for quiz in quizzes)
    body = [f"<nav>Answers to quiz {links}</nav>"]
    for quiz in quizzes:
        body += _key(quiz)
    body.append(f"<footer>{_inline(key_origin())}</footer>")
    return _page("Answers", "answers", body)


def _page(heading: str, footing: str, body: Sequence[str]) -> str:
    """A page in its style; ``footing`` stands at the foot of each printed sheet, before its number."""
    style = files(__package__).joinpath("paper.css").read_text(encoding="utf-8")
    style = style.replace("FOOTING", footing)
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(heading)}</title>\n<style>\n{style}</style>"
    )
    inside = "\n".join(body)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n'
        f"<body>\n{inside}\n</body>\n</html>\n"
    )


def _questions(quiz: Quiz) -> Iterator[str]:
    number = 0
    for letter, part in zip("ABC", quiz.parts, strict=True):
        yield f"<h2>{letter}. {escape(part.title)}</h2>"
        for question in part.questions:
            number += 1
            yield '<section class="question">'
            yield f"<h3>{number}. {escape(question.topic)}</h3>"
            yield from _blocks(question.text)
            yield '<div class="line"></div>' * question.lines
            yield "</section>"


def _key(quiz: Quiz) -> Iterator[str]:
    yield f'<section class="key" id="quiz-{quiz.seed}">'
    yield f"<h2>{key_title(quiz)}</h2>"
    for number, question in enumerate(quiz.questions, start=1):
        yield from _answer(number, question)
    yield "</section>"


def _answer(number: int, question: Question) -> list[str]:
    working = escape("\n".join(question.working))
    return [
        '<section class="question">',
        f"<h3>{number}. {escape(question.topic)}</h3>",
        '<div class="answer">',
        *_blocks(question.answer),
        "</div>",
        f"<pre>{working}</pre>",
        "</section>",
    ]


def _blocks(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, str):
            yield f"<p>{_inline(block)}</p>"
        elif isinstance(block, LayerTable):
            yield _table(block)
        else:
            yield f'<div class="matrices">{"".join(map(_matrix, block))}</div>'


def _inline(words: str) -> str:
    return "".join(
        f"<code>{escape(piece)}</code>" if code else unbroken(escape(piece), "&nbsp;")
        for piece, code in pieces(words)
    )


def _table(table: LayerTable) -> str:
    rows = [_row("th", table.head), *(_row("td", row) for row in table.rows)]
    return f'<table class="rows">{"".join(rows)}</table>'


def _matrix(value: Value) -> str:
    rows = "".join(_row("td", row) for row in grid(value))
    return (
        f'<div class="matrix"><span>{escape(value.name)} =</span>'
        f'<div class="cells"><table>{rows}</table></div></div>'
    )


def _row(tag: str, texts: Sequence[str]) -> str:
    cells = "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
    return f"<tr>{cells}</tr>"
