"""``tinycnn exercise``: a file with the loops left out, to be filled in by a class."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

from tinycnn.errors import ArgumentError, FileError


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
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list or the exercise, or write it."""
    from tinycnn.exercises import EXERCISES, skeleton

    if arguments.name is None and arguments.output is not None:
        raise ArgumentError(
            "which exercise? tinycnn exercise NAME -o FILE; `tinycnn exercise` lists them"
        )
    if arguments.name is None:
        text = "".join(f"{name:<23} {EXERCISES[name].title}\n" for name in EXERCISES)
    else:
        text = skeleton(arguments.name)
    if arguments.output is None:
        print(text, end="")
    else:
        _write(Path(arguments.output), text)
        print(f"tinycnn: wrote {arguments.output}", file=sys.stderr)
    return 0


def _write(path: Path, text: str) -> None:
    """Write beside the file, then link it in its place, which fails where a file has come to be."""
    try:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with beside.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            os.link(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError as error:
        raise FileError(
            f"{str(path)!r} is there already and may hold somebody's work: give another name, or move it away"
        ) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise FileError(f"{str(path)!r} cannot be written: {why}") from error
