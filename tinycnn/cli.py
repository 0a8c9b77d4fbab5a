"""The command line. Results go to stdout, everything else to stderr.

Exit codes: 0 good, 1 a check or the work failed, 2 usage or bad input, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tinycnn import __version__
from tinycnn.commands import (
    bench,
    eval,
    exercise,
    gradcheck,
    grade,
    handout,
    page,
    predict,
    quiz,
    step,
    summary,
    train,
)
from tinycnn.commands.parsing import Parser
from tinycnn.errors import TinyCNNError
from tinycnn.wording import said_or_kind


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    _open_streams()
    with warnings.catch_warnings():
        warnings.showwarning = _warned  # type: ignore[assignment]
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    try:
        try:
            arguments = _parser().parse_args(argv)
            status: int = arguments.run(arguments)
        finally:
            sys.stdout.flush()
    except TinyCNNError as error:
        return _ended(2, str(error))
    except (
        ImportError
    ) as error:  # a library that is missing, or that the environment keeps from starting
        return _ended(2, said_or_kind(error))
    except KeyboardInterrupt:
        return _ended(130, "interrupted")
    except MemoryError as error:
        return _ended(1, f"the memory does not suffice: {error}")
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _give_up_output()
        return 0
    except OSError as error:  # a full disk, or whatever else the system refuses
        _give_up_output()
        return _ended(1, _refused(error))
    return status


def _open_streams() -> None:
    """Standard streams that are there, even where the shell has closed them, and that print anything."""
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:  # an output that only reads refuses to be written to
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a terminal without Unicode gets "?", not an error; so does what is no text


def _warned(message: Warning | str, *_: object) -> None:
    """A warning in one line: where in whose code it was given helps nobody here."""
    with suppress(OSError):
        print(f"tinycnn: {str(message).partition(chr(10))[0]}", file=sys.stderr)


def _ended(status: int, message: str) -> int:
    """Say why a command ended, on stderr if that can be written to."""
    with suppress(OSError):
        print(f"tinycnn: {message}", file=sys.stderr)
    return status


def _refused(error: OSError) -> str:
    if isinstance(error, io.UnsupportedOperation):
        return "standard output is closed: the result cannot be written"
    place = f"{error.filename!r}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def _give_up_output() -> None:
    """Send to nowhere what stdout still holds: Python would try again at its end, and complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> Parser:
    parser = Parser(
        prog="tinycnn", description="AlexNet's mathematics, number by number, forward and backward."
    )
    parser.add_argument("--version", action="version", version=f"tinycnn {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (
        step, page, summary, train, eval, predict, gradcheck, bench, handout, quiz, exercise, grade,
    ):  # fmt: skip
        command.add(commands)
    return parser
