"""``tinycnn summary``: the table of a network, or how two differ."""

from __future__ import annotations

import argparse
import json

from tinycnn.networks import VARIANTS, alexnet
from tinycnn.summary import difference


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "summary",
        help="the table of layers: shapes, parameters, work, memory",
        description="Print the table of an AlexNet variant, or how two variants differ.",
    )
    names = ", ".join(VARIANTS)
    parser.add_argument("variant", nargs="?", default="one-tower", help=f"one of {names}")
    parser.add_argument("--vs", metavar="VARIANT", help="print how this variant differs")
    parser.add_argument("--classes", metavar="N", type=int, default=1000, help="default 1000")
    parser.add_argument("--json", action="store_true", help="everything as data")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table or the difference."""
    table = alexnet(arguments.classes, variant=arguments.variant).summary()
    if arguments.vs is not None:
        other = alexnet(arguments.classes, variant=arguments.vs).summary()
        both = [table.to_dict(), other.to_dict()]
        print(json.dumps(both) if arguments.json else difference(table, other))
    else:
        print(json.dumps(table.to_dict()) if arguments.json else table)
    return 0
