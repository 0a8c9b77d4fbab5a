"""The command line. Results go to stdout, everything else to stderr.

Exit codes: 0 good, 1 a check or the work failed, 2 usage or bad input, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from tinycnn import __version__
from tinycnn.commands import bench, exercise, gradcheck, handout, quiz, step, summary
from tinycnn.commands.parsing import Parser
from tinycnn.errors import TinyCNNError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a terminal without Unicode gets "?", not an error
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except TinyCNNError as error:
        print(f"tinycnn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tinycnn: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> Parser:
    parser = Parser(
        prog="tinycnn", description="AlexNet's mathematics, number by number, forward and backward."
    )
    parser.add_argument("--version", action="version", version=f"tinycnn {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (step, summary, gradcheck, bench, handout, quiz, exercise):
        command.add(commands)
    return parser
