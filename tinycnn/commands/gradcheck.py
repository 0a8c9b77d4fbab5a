"""``tinycnn gradcheck``: gradients against differences, of this engine and of a user's own file."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator

from tinycnn import figures, strict_json
from tinycnn.commands import gradcheck_runs
from tinycnn.commands.parsing import seed
from tinycnn.errors import ArgumentError
from tinycnn.files import code_file
from tinycnn.validation import check_int

_EXAMPLES = """\
examples:
  tinycnn gradcheck                                       every op, every layer, AlexNet "mini"
  tinycnn gradcheck --full                                all 62,378,344 parameters (a minute, 3 GB)
  tinycnn gradcheck my_layer.py:MyLayer --input 8,8,3     a layer of yours
  tinycnn gradcheck my_layer.py:MyLayer --input 8,8,3 --args '4, kernel=3'
  tinycnn gradcheck my_net.py:net                         a model of yours
  tinycnn gradcheck my_solution.py                        grade an exercise (tinycnn exercise)
  tinycnn gradcheck --explain 'conv1.W[5,5,0,3]'          how a difference's error depends on its step

exit code: 0 every gradient is right; 1 one is wrong or undecided; 2 bad input
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "gradcheck",
        help="check gradients against differences: this engine's, or your own",
        description="Check gradients against differences of the forward pass, in float64.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "target", nargs="?", metavar="TARGET",
        help="FILE.py:NAME, a layer or model of yours or what makes one; FILE.py, an exercise "
        "(default: every op, every layer and AlexNet \"mini\")",
    )  # fmt: skip
    parser.add_argument(
        "--input", metavar="H,W,C", type=_shape, help="the shape of one input of your layer"
    )
    parser.add_argument(
        "--args", metavar="ARGS", default="", help="what NAME is called with: '4, kernel=3'"
    )
    parser.add_argument(
        "--explain",
        metavar="NAME[I,..]",
        help="one derivative: its error at steps from 1e-1 to 1e-10",
    )
    parser.add_argument(
        "--save", metavar="FILE", help="with --explain: draw it too, .svg or .png (extra plot)"
    )
    parser.add_argument("--full", action="store_true", help="check the full network")
    parser.add_argument("--samples", metavar="N", type=int, help="single entries of each array")
    parser.add_argument(
        "--directions", metavar="N", type=int, help="random directions of each array"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of everything that is drawn (default 0)"
    )
    parser.add_argument("--json", action="store_true", help="everything as data")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 unless every gradient is right."""
    _refuse_stray(arguments)
    with contextlib.redirect_stdout(sys.stderr):  # what a user's code prints is not the result
        results = list(_results(arguments))
    good = all(result.ok for result in results)
    if arguments.json:
        results_as_data = [result.to_dict() for result in results]
        print(strict_json.dumps({"ok": good, "results": results_as_data}))
    else:
        print("\n\n".join(map(str, results)))
    return 0 if good else 1


def _results(arguments: argparse.Namespace) -> Iterator[gradcheck_runs.CheckOutcome]:
    if arguments.explain:
        yield gradcheck_runs.one_derivative(arguments)
    elif arguments.full:
        yield gradcheck_runs.full_network(arguments)
    elif arguments.target is None:
        yield gradcheck_runs.whole_engine(arguments)
    elif code_file(arguments.target):
        yield from gradcheck_runs.own_code(arguments)
    else:
        yield gradcheck_runs.exercise(arguments.target)


def _refuse_stray(arguments: argparse.Namespace) -> None:
    """Refuse options that would otherwise be passed over in silence."""
    seed(arguments)
    for name in ("samples", "directions"):
        if getattr(arguments, name) is not None:
            check_int(getattr(arguments, name), f"--{name}", least=0)
    own = bool(code_file(arguments.target or ""))
    for name in ("input", "args"):
        if getattr(arguments, name) and not own:
            raise ArgumentError(
                f"--{name} is for a layer of yours: tinycnn gradcheck my_layer.py:MyLayer "
                f"--input 8,8,3"
            )
    if arguments.save is not None and not arguments.explain:
        raise ArgumentError("--save draws what --explain shows: add --explain 'conv1.W[5,5,0,3]'")
    if arguments.save is not None:
        figures.expect(arguments.save)
    if arguments.full and (arguments.target or arguments.explain):
        raise ArgumentError("--full checks the full AlexNet; leave out the target and --explain")
    if arguments.explain and arguments.target and not own:
        raise ArgumentError("--explain takes a derivative of FILE.py:NAME, or of AlexNet mini")
    exercise = arguments.target is not None and not own
    limited = arguments.samples is not None or arguments.directions is not None
    if limited and (exercise or arguments.explain):
        raise ArgumentError("--samples and --directions are for gradient checks; leave them out")


def _shape(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a shape such as 8,8,3") from None
