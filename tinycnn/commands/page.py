"""``tinycnn page``: a network's mathematics as one file for a browser."""

from __future__ import annotations

import argparse
import sys

from tinycnn.commands import step_options
from tinycnn.commands.parsing import seed
from tinycnn.errors import ArgumentError
from tinycnn.files import expect_ending, expect_writable, write_text
from tinycnn.validation import check_int

_EXAMPLES = """\
examples:
  tinycnn page                                the bundled picture through AlexNet, into alexnet.html
  tinycnn page cat.jpg --model mini -o cat.html
  tinycnn page --model net.npz -o net.html    what model.save wrote
  tinycnn page --serve                        the live page: open the address that it prints
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
    step_options.take_run(arguments)
    with step_options.running(arguments):
        return _write(arguments, target)


def _serve(arguments: argparse.Namespace) -> int:
    """Answer until Ctrl-C."""
    from tinycnn.page.live import LivePage
    from tinycnn.page.server import PageServer

    if arguments.output is not None:
        raise ArgumentError("--serve writes no file; leave out -o/--output")
    port = check_int(arguments.port, "--port", least=0, most=65535)
    seed(arguments)
    step_options.take_run(arguments)
    with step_options.running(arguments), step_options.quietly():
        lesson = step_options.lesson(arguments)
        with PageServer(LivePage(lesson, step_options.command(arguments)), port) as server:
            print(f"tinycnn: {server.address} (Ctrl-C ends)", file=sys.stderr, flush=True)
            server.serve_forever()
    return 0


def _write(arguments: argparse.Namespace, target: str) -> int:
    from tinycnn.explain.not_finite import origin
    from tinycnn.page.document import page
    from tinycnn.progress import Progress

    with step_options.quietly(), Progress("page", None) as progress:

        def began(words: str) -> None:
            progress.say(words)
            progress.advance()

        lesson = step_options.lesson(arguments)
        text = page(lesson, step_options.command(arguments), began)
    write_text(target, text)
    print(f"tinycnn: wrote {target}, {len(text) / 1e6:.1f} MB", file=sys.stderr)
    begins = origin(lesson.trace)
    if begins is not None:
        print(f"tinycnn: {begins}", file=sys.stderr)
    return 0 if begins is None else 1
