"""A sheet as one page of HTML, to be printed in black on white."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from tinycnn.classroom.quiz.question import Block, LayerTable, Question
from tinycnn.classroom.quiz.quiz import Quiz
from tinycnn.classroom.quiz.sheet import RULES, origin, pieces, title, unbroken
from tinycnn.explain.examples.arithmetic import Value
from tinycnn.explain.examples.example_text import grid


def draw_html(quiz: Quiz, *, answers: bool = False) -> str:
    """The sheet; with ``answers`` the key on pages of its own. Nothing is loaded from elsewhere."""
    heading = escape(title(quiz))
    body = [
        f"<h1>{heading}</h1>",
        '<div class="who"><span>Name</span><span>Date</span></div>',
        f"<p>{_inline(RULES)}</p>",
        *_questions(quiz),
    ]
    if answers:
        body += ['<section class="key">', f"<h2>Answers to quiz {quiz.seed}</h2>"]
        for number, question in enumerate(quiz.questions, start=1):
            body += _key(number, question)
        body.append("</section>")
    body.append(f"<footer>{_inline(origin(quiz))}</footer>")
    style = files(__package__).joinpath("paper.css").read_text(encoding="utf-8")
    style = style.replace("SEED", str(quiz.seed))
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{heading}</title>\n<style>\n{style}</style>"
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


def _key(number: int, question: Question) -> list[str]:
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
