"""``tinycnn quiz``: a sheet of twenty questions for a class, and its key."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from tinycnn.commands.parsing import seed
from tinycnn.errors import FileError

FORMATS = ("text", "markdown", "html")
_SUFFIXES = {".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html"}


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
    from tinycnn.quiz import draw, make_quiz

    target = arguments.output
    kind = arguments.format or _SUFFIXES.get(Path(target or "").suffix.lower(), "text")
    sheet = draw(make_quiz(seed(arguments)), kind, answers=arguments.answers)
    if target is None:
        print(sheet, end="")
    else:
        _write(Path(target), sheet)
        print(f"tinycnn: wrote {target}", file=sys.stderr)
    return 0


def _write(path: Path, text: str) -> None:
    """Write beside the file first, then put it in its place, so that nothing is lost."""
    try:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with beside.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise FileError(f"{str(path)!r} cannot be written: {why}") from error
