"""``tinycnn eval``: how good a network is on pictures whose classes are known."""

from __future__ import annotations

import argparse

from tinycnn import strict_json
from tinycnn.commands import sources
from tinycnn.validation import check_choice, check_int

_PARTS = ("test", "validation", "train")
_EXAMPLES = """\
examples:
  tinycnn eval RUN                                  on the test part of the run's own data
  tinycnn eval fashion-mnist --full --model RUN     on all 10,000 test pictures
  tinycnn eval photos/ --model RUN --mistakes 10    and the ten pictures that it is most wrong about
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "eval",
        help="how good a network is on pictures it was not trained on",
        description="Ask a network about labelled pictures: loss, accuracy, and which classes it confuses.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sources.add_data(parser, otherwise="or a RUN, with its own data")
    sources.add_model(parser)
    parser.add_argument(
        "--part", metavar="PART", help=f"{', '.join(_PARTS)}; default: test, or all where there is none"
    )  # fmt: skip
    parser.add_argument(
        "--mistakes", metavar="N", type=int, default=0,
        help="list the N pictures whose own class it finds least likely",
    )  # fmt: skip
    parser.add_argument(
        "--damaged", metavar="WHAT", default="stop",
        help="pictures that can't be read: stop (default) or skip",
    )  # fmt: skip
    sources.add_threads(parser)
    parser.add_argument("--json", action="store_true", help="everything as data")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the evaluation, and what the network is most wrong about."""
    from tinycnn.runs.judging import judge

    if sources.run_at(arguments.data, arguments.model, sources.USUAL_MODEL):
        arguments.model, arguments.data = arguments.data, None
    if arguments.part is not None:
        check_choice(arguments.part, _PARTS, "--part")
    check_choice(arguments.damaged, ("stop", "skip"), "--damaged")
    most = check_int(arguments.mistakes, "--mistakes", least=0)
    with sources.threads(arguments), sources.own_code_running(arguments.model):
        judged = judge(
            sources.network(arguments), arguments.data, full=arguments.full, part=arguments.part,
            skip=arguments.damaged == "skip", mistakes=most,
        )  # fmt: skip
    if arguments.json:
        print(strict_json.dumps(judged.to_dict()))
        return 0
    print(judged)
    return 0
