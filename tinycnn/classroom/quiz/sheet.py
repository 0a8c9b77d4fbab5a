"""A sheet as plain text and as Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from tinycnn import __version__
from tinycnn.classroom.quiz.question import Block, LayerTable, Question
from tinycnn.classroom.quiz.quiz import Quiz
from tinycnn.explain.examples.example_text import matrices
from tinycnn.tables import text_table

WIDTH = 80
_INDENT = "    "
_KEPT = "\0"  # a space that no line may break at
RULES = (
    "Rows, columns, channels, filters and classes count from 0: `z[1,2]` is row 1, column 2; "
    "`x[:,:,1]` is channel 1 of `x`, and `W[:,:,0,1]` has the weights of channel 0 and filter 1. "
    "Sizes are height x width x channels; a stride or padding of 2 x 1 is 2 for the rows, 1 for the "
    "columns. A convolution does not turn its kernel over. `dx` is the gradient of the loss with "
    "respect to `x`."
)


def title(quiz: Quiz) -> str:
    """The sheet's heading."""
    return f"Quiz {quiz.seed}: a convolutional network by hand"


def key_title(quiz: Quiz) -> str:
    """The key's heading."""
    return f"Answers to quiz {quiz.seed}"


def key_origin() -> str:
    """How a sheet of a key of several is made again."""
    return f"tinycnn {__version__}: `tinycnn quiz --seed N` makes sheet N again."


def origin(quiz: Quiz) -> str:
    """How the sheet is made again, and its key."""
    return (
        f"tinycnn {__version__}: `tinycnn quiz --seed {quiz.seed}` makes this sheet again, "
        "`--answers` adds the key."
    )


def pieces(words: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a paragraph, and whether each stood between backticks."""
    for place, piece in enumerate(words.split("`")):
        if piece:
            yield piece, place % 2 == 1


def unbroken(words: str, space: str) -> str:
    """Prose with ``space`` inside its sizes, such as 55 x 55 x 96."""
    return re.sub(r"(?<=\d) x (?=\d)", f"{space}x{space}", words)


# ------------------------------------------------------------------------------------------- text


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


# --------------------------------------------------------------------------------------- Markdown


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
