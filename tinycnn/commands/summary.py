"""``tinycnn summary``: the table of a network, how two differ, or how one is carried out."""

from __future__ import annotations

import argparse

from tinycnn import strict_json
from tinycnn.networks import VARIANTS, alexnet
from tinycnn.summary import difference
from tinycnn.validation import check_choice, check_int


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "summary",
        help="the table of layers: shapes, parameters, work, memory",
        description="Print the table of an AlexNet variant, how two differ, or how one is carried "
        "out.",
    )
    names = ", ".join(VARIANTS)
    parser.add_argument("variant", nargs="?", default="one-tower", help=f"one of {names}")
    parser.add_argument("--vs", metavar="VARIANT", help="print how this variant differs")
    parser.add_argument("--classes", metavar="N", type=int, help="default: the variant's own")
    parser.add_argument(
        "--plan", metavar="N", type=int, help="print how a batch of N images is carried out"
    )
    parser.add_argument("--json", action="store_true", help="everything as data")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table or the difference."""
    if arguments.classes is not None:
        check_int(arguments.classes, "--classes")
    check_choice(arguments.variant, tuple(VARIANTS), "VARIANT")
    check_choice(arguments.vs or arguments.variant, tuple(VARIANTS), "--vs")
    model = alexnet(arguments.classes, variant=arguments.variant, trained=False)
    table = model.summary()
    if arguments.plan is not None:
        from tinycnn.inference.plan import plan  # it loads Numba, which the other tables never need

        chosen = plan(
            model.layers, model.input_shape, model.dtype, check_int(arguments.plan, "--plan")
        )
        print(strict_json.dumps(chosen.to_dict()) if arguments.json else chosen)
    elif arguments.vs is not None:
        other = alexnet(arguments.classes, variant=arguments.vs, trained=False).summary()
        both = [table.to_dict(), other.to_dict()]
        print(strict_json.dumps(both) if arguments.json else difference(table, other))
    else:
        print(strict_json.dumps(table.to_dict()) if arguments.json else table)
    return 0
