"""``tinycnn quiz``: a sheet of twenty questions for a class, and its key."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tinycnn.commands.parsing import seed
from tinycnn.files import expect_ending, expect_writable, write_text

FORMATS = ("text", "markdown", "html")
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
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="which sheet (default 0)")
    parser.add_argument(
        "--answers", action="store_true", help="add the key, with how one gets there"
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="default: what FILE's name ends in, else text"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to FILE instead of standard output"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the sheet, or write it."""
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
