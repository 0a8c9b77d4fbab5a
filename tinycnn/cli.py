"""The command line: ``tinycnn step`` and ``tinycnn summary``.

Results go to stdout, everything else to stderr. Exit codes: 0 good, 1 the work failed, 2 usage or
bad input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence

from tinycnn import __version__
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tinycnn", description="AlexNet's mathematics, number by number, forward and backward."
    )
    parser.add_argument("--version", action="version", version=f"tinycnn {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_step(commands)
    _add_summary(commands)
    return parser


# -------------------------------------------------------------------------------------------- step


def _add_step(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    step = commands.add_parser(
        "step",
        help="walk a picture through the network, forward and backward",
        description="Walk a picture through AlexNet, forward and backward, and open its numbers.",
    )
    step.add_argument("image", nargs="?", help="a picture or .npy file (default: a bundled cat)")
    step.add_argument("--layer", metavar="L", help="open a number of this layer, with --at")
    step.add_argument("--at", metavar="ROW,COL,CHANNEL", type=_place, help="which number to open")
    step.add_argument("--model", metavar="VARIANT", default="one-tower", help=_variants_help())
    step.add_argument("--weights", metavar="FILE", help=".npz of arrays by name (conv1.W, ...)")
    step.add_argument("--label", metavar="N", type=int, help="the class the loss is taken against")
    step.add_argument("--seed", metavar="N", type=int, default=0, help="of the random weights")
    step.add_argument("--json", action="store_true", help="everything as data")
    step.set_defaults(run=_step)


def _step(arguments: argparse.Namespace) -> int:
    from tinycnn.errors import ArgumentError
    from tinycnn.stepthrough import explain, open_lesson, overview
    from tinycnn.stepthrough.terminal import Style, draw_explanation, draw_overview

    if (arguments.layer is None) != (arguments.at is None):
        raise ArgumentError("--layer and --at go together: tinycnn step --layer conv2 --at 13,13,7")
    lesson = open_lesson(
        arguments.image,
        variant=arguments.model,
        weights_file=arguments.weights,
        label=arguments.label,
        seed=arguments.seed,
    )
    style = Style.of(sys.stdout)
    if arguments.layer is not None:
        opened = explain(lesson.trace, arguments.layer, arguments.at)
        _print(json.dumps(opened.to_dict()) if arguments.json else draw_explanation(opened, style))
    elif arguments.json:
        _print(json.dumps(overview.to_dict(lesson)))
    else:
        for line in draw_overview(lesson, style):
            _print(line)
    return 0


def _place(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a place such as 13,13,7 (row, column, channel)"
        ) from None


# ----------------------------------------------------------------------------------------- summary


def _add_summary(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = commands.add_parser(
        "summary",
        help="the table of layers: shapes, parameters, work, memory",
        description="Print the table of an AlexNet variant, or how two variants differ.",
    )
    summary.add_argument("variant", nargs="?", default="one-tower", help=_variants_help())
    summary.add_argument("--vs", metavar="VARIANT", help="print how this variant differs")
    summary.add_argument("--classes", metavar="N", type=int, default=1000, help="default 1000")
    summary.add_argument("--json", action="store_true", help="everything as data")
    summary.set_defaults(run=_summary)


def _summary(arguments: argparse.Namespace) -> int:
    from tinycnn.networks import alexnet
    from tinycnn.summary import difference

    table = alexnet(arguments.classes, variant=arguments.variant).summary()
    if arguments.vs is not None:
        other = alexnet(arguments.classes, variant=arguments.vs).summary()
        if arguments.json:
            _print(json.dumps([table.to_dict(), other.to_dict()]))
        else:
            _print(difference(table, other))
    else:
        _print(json.dumps(table.to_dict()) if arguments.json else str(table))
    return 0


def _variants_help() -> str:
    return "one-tower (default), paper, caffe, caffenet, torchvision or mini"


def _print(text: str) -> None:
    print(text, flush=True)
