"""``tinycnn exercise``: a file with the loops left out, to be filled in by a class."""

from __future__ import annotations

import argparse
import sys

from tinycnn.errors import ArgumentError
from tinycnn.files import expect_ending, expect_writable, write_text


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "exercise",
        help="a file with the loops left out, to be filled in",
        description="Print or write an exercise: a file of plain NumPy with the loops left out. When it "
        "is filled in, `tinycnn gradcheck FILE` grades it.",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="which (without it: a list)")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to FILE, which must not exist yet, instead of standard output",
    )
    parser.add_argument(
        "--no-formula",
        action="store_true",
        help="leave the formulas out: to be worked out by the class, or stated by you",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list or the exercise, or write it."""
    from tinycnn.classroom.exercises import EXERCISES, skeleton

    if arguments.name is None and arguments.output is not None:
        raise ArgumentError(
            "which exercise? tinycnn exercise NAME -o FILE; `tinycnn exercise` lists them"
        )
    if arguments.name is None and arguments.no_formula:
        raise ArgumentError("--no-formula is for an exercise: tinycnn exercise NAME --no-formula")
    if arguments.output is not None:
        expect_writable(arguments.output, replace=False)
        expect_ending("an exercise", arguments.output, (".py",))
    if arguments.name is None:
        text = "".join(f"{name:<23} {EXERCISES[name].title}\n" for name in EXERCISES)
    else:
        text = skeleton(arguments.name, formula=not arguments.no_formula)
    if arguments.output is None:
        print(text, end="")
    else:
        write_text(arguments.output, text, replace=False)
        print(f"tinycnn: wrote {arguments.output}", file=sys.stderr)
    return 0
