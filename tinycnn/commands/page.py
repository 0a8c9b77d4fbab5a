"""``tinycnn page``: a network's mathematics as one file for a browser."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tinycnn.commands import step_options
from tinycnn.commands.parsing import seed
from tinycnn.errors import ArgumentError
from tinycnn.files import expect_ending, expect_writable, write_text
from tinycnn.validation import check_int

if TYPE_CHECKING:
    from tinycnn.page.sides import Side

_EXAMPLES = """\
examples:
  tinycnn page                                the bundled picture through AlexNet, into alexnet.html
  tinycnn page cat.jpg --model mini -o cat.html
  tinycnn page --model net.npz -o net.html    what model.save wrote
  tinycnn page cat.jpg dog.jpg                two pictures side by side
  tinycnn page --model mini --model fashion   two networks side by side; --weights, --classes and --label too
  tinycnn page --model RUN/best.npz --model RUN/latest.npz
  tinycnn page --serve                        the live page: open the address that it prints
  tinycnn page --serve --model mini --model mini
                                              one to edit, beside one that stays as it is
"""
_DEFAULT = "alexnet.html"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "page",
        help="the same as one file for a browser",
        description="Write a picture's way through a network, forward and backward, and the "
        "hand-sized examples as one file that a browser opens from disk: it loads nothing, and can be "
        "mailed to a class.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    step_options.add_lesson(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help=f"default: {_DEFAULT}")
    parser.add_argument(
        "--serve",
        action="store_true",
        help="no file, but a page with the engine behind it, on this machine alone: any number opens, and "
        "weights and pixels can be edited",
    )
    parser.add_argument(
        "--port", metavar="N", type=int, default=0, help="with --serve (default: any free one)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the page, or serve it."""
    if arguments.serve:
        return _serve(arguments)
    if arguments.port:
        raise ArgumentError("--port goes with --serve")
    target = arguments.output or _DEFAULT
    expect_ending("a page", target, [".html", ".htm"])
    expect_writable(target)
    seed(arguments)
    with _sides(arguments) as given:
        return _write(given, target)


def _serve(arguments: argparse.Namespace) -> int:
    """Answer until Ctrl-C."""
    from tinycnn.page.live import LivePage
    from tinycnn.page.server import PageServer

    if arguments.output is not None:
        raise ArgumentError("--serve writes no file; leave out -o/--output")
    port = check_int(arguments.port, "--port", least=0, most=65535)
    seed(arguments)
    with _sides(arguments) as given, PageServer(LivePage(_shown(given)), port) as server:
        print(f"tinycnn: {server.address} (Ctrl-C ends)", file=sys.stderr, flush=True)
        server.serve_forever()
    return 0


@contextlib.contextmanager
def _sides(arguments: argparse.Namespace) -> Iterator[Sequence[argparse.Namespace]]:
    """The options of each side; what its code prints meanwhile goes to stderr."""
    with contextlib.ExitStack() as running:
        running.enter_context(step_options.quietly())
        sides = step_options.sides(arguments)
        for side in sides:
            running.enter_context(step_options.running(side))
        yield sides


def _shown(sides: Sequence[argparse.Namespace]) -> list[Side]:
    from tinycnn.page.sides import Side

    both = step_options.command(*sides)
    return [Side(step_options.lesson(one), step_options.command(one), both) for one in sides]


def _write(arguments: Sequence[argparse.Namespace], target: str) -> int:
    from tinycnn.explain.not_finite import origin
    from tinycnn.page.document import page
    from tinycnn.progress import Progress

    with Progress("page", None) as progress:

        def began(words: str) -> None:
            progress.say(words)
            progress.advance()

        sides = _shown(arguments)
        text = page(sides, began)
    write_text(target, text)
    print(f"tinycnn: wrote {target}, {len(text) / 1e6:.1f} MB", file=sys.stderr)
    begins = [words for side in sides if (words := origin(side.lesson.trace)) is not None]
    for words in begins:
        print(f"tinycnn: {words}", file=sys.stderr)
    return 1 if begins else 0
