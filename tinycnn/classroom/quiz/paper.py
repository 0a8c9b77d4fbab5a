"""A sheet as one page of HTML, to be printed in black on white."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tinycnn.classroom.quiz.question import Block, LayerTable, Question
from tinycnn.classroom.quiz.quiz import Quiz
from tinycnn.classroom.quiz.sheet import RULES, origin, pieces, title, unbroken
from tinycnn.explain.examples.arithmetic import Value
from tinycnn.explain.examples.example_text import grid

_STYLE = """
:root { color-scheme: light; }
body { margin: 2rem auto; max-width: 44rem; padding: 0 1rem; background: #fff; color: #000;
  font: 11pt/1.4 Georgia, "Liberation Serif", "Times New Roman", serif; }
h1 { font-size: 1.5em; margin: 0 0 .8em; }
h2 { font-size: 1.15em; margin: 1.8em 0 .6em; padding-bottom: .2em; border-bottom: 1.5pt solid; }
h3 { font-size: 1em; margin: 0 0 .3em; }
p { margin: .3em 0; }
code, pre { font: .88em/1.45 "DejaVu Sans Mono", "Liberation Mono", Consolas, Menlo, monospace; }
code { white-space: nowrap; }
pre { margin: .3em 0 0 1.2em; white-space: pre-wrap; }
.who { display: flex; gap: 2em; margin-bottom: 1em; }
.who span { flex: 1; border-bottom: .75pt solid; }
.who span + span { flex: .5; }
.question { margin: 0 0 1.4em; }
.matrices { display: flex; flex-wrap: wrap; gap: .6em 2em; margin: .6em 0; }
.matrix { display: flex; align-items: center; gap: .5em; }
.cells { position: relative; padding: .15em .3em; }
.cells::before, .cells::after { content: ""; position: absolute; top: 0; bottom: 0; width: .3em;
  border: 1pt solid; }
.cells::before { left: 0; border-right: 0; }
.cells::after { right: 0; border-left: 0; }
.cells table { border-collapse: collapse; }
.cells td { min-width: 1em; padding: 0 .35em; text-align: right;
  font-variant-numeric: lining-nums tabular-nums; }
.rows { border-collapse: collapse; margin: .6em 0; }
.rows th, .rows td { border: .75pt solid; padding: .1em .7em; text-align: left; }
.line { height: 1.9em; border-bottom: .75pt dotted; }
.key .question { margin-bottom: 1em; }
.answer p { display: inline-block; margin: .1em 1.6em .1em 0; }
.key .answer, .key .answer code { font-weight: bold; }
footer { margin-top: 2em; font-size: .85em; }
@page { margin: 16mm 17mm 18mm; @bottom-right { content: "quiz SEED, page " counter(page);
  font: 9pt Georgia, serif; } }
@media print {
  body { margin: 0; max-width: none; padding: 0; }
  .question { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .key { break-before: page; }
}
"""


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
    style = _STYLE.replace("SEED", str(quiz.seed))
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{heading}</title>\n<style>{style}</style>"
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
