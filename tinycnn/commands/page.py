"""``tinycnn page``: a network's mathematics as one file for a browser."""

from __future__ import annotations

import argparse
import sys

from tinycnn.commands import step_options
from tinycnn.commands.parsing import seed
from tinycnn.files import expect_ending, expect_writable, write_text

_EXAMPLES = """\
examples:
  tinycnn page                                the bundled picture through AlexNet, into alexnet.html
  tinycnn page cat.jpg --model mini -o cat.html
  tinycnn page --model net.npz -o net.html    what model.save wrote
"""


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
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="alexnet.html", help="default: alexnet.html"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the page."""
    expect_ending("a page", arguments.output, [".html", ".htm"])
    expect_writable(arguments.output)
    seed(arguments)
    step_options.take_run(arguments)
    with step_options.running(arguments):
        return _written(arguments)


def _written(arguments: argparse.Namespace) -> int:
    from tinycnn.explain.not_finite import origin
    from tinycnn.page.document import page
    from tinycnn.progress import Progress

    with step_options.quietly(), Progress("page", None) as progress:

        def began(words: str) -> None:
            progress.say(words)
            progress.advance()

        lesson = step_options.lesson(arguments)
        text = page(lesson, step_options.command(arguments), began)
    write_text(arguments.output, text)
    print(f"tinycnn: wrote {arguments.output}, {len(text) / 1e6:.1f} MB", file=sys.stderr)
    begins = origin(lesson.trace)
    if begins is not None:
        print(f"tinycnn: {begins}", file=sys.stderr)
    return 0 if begins is None else 1
