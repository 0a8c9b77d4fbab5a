"""``tinycnn handout``: the usual AlexNet handout, checked line by line."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "handout",
        help="the usual AlexNet handout, checked line by line",
        description="Print, as Markdown, what AlexNet handouts say, what is right, and how to see it.",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    from tinycnn.classroom.handout import page

    print(page(), end="")
    return 0
