"""``tinycnn quiz``: sheets of twenty questions for a class, and their key."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from tinycnn.commands.parsing import seed
from tinycnn.errors import ArgumentError
from tinycnn.files import expect_ending, expect_writable, make_folder, write_text
from tinycnn.wording import many

FORMATS = {"text": ".txt", "markdown": ".md", "html": ".html"}
MOST = 1000  # sheets of one call
_SUFFIXES = {
    "": "text",
    ".txt": "text",
    ".markdown": "markdown",
    ".md": "markdown",
    ".htm": "html",
    ".html": "html",
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "quiz",
        help="twenty questions for a class, and the key",
        description="Make a sheet of twenty questions to work out by hand. The same seed gives the "
        "same sheet; the engine works out the key.",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seed", metavar="N", type=int, default=0, help="which sheet (default 0)")
    which.add_argument(
        "--seeds",
        metavar="LIST",
        help="which sheets, such as 1-40 or 3,7,10-12: one file each, and one key of all",
    )
    parser.add_argument(
        "--answers", action="store_true", help="add the key, with how one gets there"
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="default: what FILE's name ends in, else text; of several sheets html",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE",
        help="write to FILE instead of standard output; with --seeds, the folder to write to",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the sheet, or write it, or several of them."""
    return _sheet(arguments) if arguments.seeds is None else _sheets(arguments)


def _sheet(arguments: argparse.Namespace) -> int:
    from tinycnn.classroom.quiz import draw, make_quiz

    target = arguments.output
    ending = Path(target or "").suffix.lower()
    if arguments.format is None and ending not in _SUFFIXES:
        remedy = "; --format says what is in a file of another name"
        expect_ending("a sheet", target, list(_SUFFIXES), remedy)
    if target is not None:
        expect_writable(target)
    kind = arguments.format or _SUFFIXES[ending]
    sheet = draw(make_quiz(seed(arguments)), kind, answers=arguments.answers)
    if target is None:
        print(sheet, end="")
    else:
        write_text(target, sheet)
        print(f"tinycnn: wrote {target}", file=sys.stderr)
    return 0


def _sheets(arguments: argparse.Namespace) -> int:
    """A file for each seed, numbered so that they stand in order, and the key of all of them."""
    from tinycnn.classroom.quiz import draw, draw_key, make_quiz

    seeds = read_seeds(arguments.seeds)
    if arguments.output is None:
        raise ArgumentError("--seeds makes a file for each sheet: give their folder, -o FOLDER")
    folder, kind = Path(arguments.output), arguments.format or "html"
    make_folder(folder)
    quizzes, digits = [make_quiz(number) for number in seeds], len(str(max(seeds)))
    for quiz in quizzes:
        sheet = draw(quiz, kind, answers=arguments.answers)
        write_text(folder / f"quiz-{quiz.seed:0{digits}}{FORMATS[kind]}", sheet)
    key = folder / f"key{FORMATS[kind]}"
    write_text(key, draw_key(quizzes, kind))
    print(f"tinycnn: wrote {many(len(seeds), 'sheet')} to {folder}, and {key}", file=sys.stderr)
    return 0


def read_seeds(words: str) -> list[int]:
    """The numbers of ``1-40`` or ``3,7,10-12``, in order; ArgumentError for anything else."""
    found: set[int] = set()
    for part in words.split(","):
        ends = re.fullmatch(r"\s*([0-9]{1,20})\s*(?:-\s*([0-9]{1,20})\s*)?", part)
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
        if not first <= last < 2**64:
            raise ArgumentError(
                f"--seeds takes numbers and ranges below 2**64, such as 1-40 or 3,7,10-12, got {words!r}"
            )
        if last - first < MOST:
            found.update(range(first, last + 1))
        if last - first >= MOST or len(found) > MOST:
            raise ArgumentError(f"--seeds takes at most {MOST:,} sheets at once, got {words!r}")
    return sorted(found)
