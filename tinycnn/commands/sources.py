"""The options that name data and a network, as `train`, `eval` and `predict` have them."""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import TYPE_CHECKING

from tinycnn.errors import ArgumentError
from tinycnn.files import code_file
from tinycnn.networks import VARIANTS
from tinycnn.small_networks import SMALL
from tinycnn.validation import check_int

if TYPE_CHECKING:
    from tinycnn.runs.networks import Network

NAMES = ", ".join((*VARIANTS, SMALL))
USUAL_MODEL = "fashion"


def add_data(parser: argparse.ArgumentParser, *, otherwise: str) -> None:
    """Declare the data set; ``otherwise`` says what is taken without it."""
    parser.add_argument(
        "data", metavar="DATA", nargs="?",
        help="digits, fashion-mnist, a folder of IDX files, an .npz file, or a folder that has a folder of "
        f"pictures for each class; {otherwise}",
    )  # fmt: skip
    parser.add_argument(
        "--full", action="store_true",
        help="all 70,000 pictures of fashion-mnist, where Debian's dataset-fashion-mnist is installed "
        "(without it: the 3,400 that come with tinycnn)",
    )  # fmt: skip


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the network."""
    parser.add_argument(
        "--model", metavar="M", default=USUAL_MODEL,
        help=f"the folder of a RUN, {', '.join(VARIANTS)}, FILE.py:NAME, or what model.save wrote (default: "
        f"{USUAL_MODEL})",
    )  # fmt: skip


def add_classes(parser: argparse._ActionsContainer, *, action: str = "store") -> None:
    """Declare the names of classes; ``action`` "append" takes several files."""
    parser.add_argument(
        "--classes", metavar="FILE", action=action,
        help="names of the classes: one a line, or JSON (default: those that the network was trained with)",
    )  # fmt: skip


def add_threads(parser: argparse._ActionsContainer) -> None:
    """Declare the number of threads, which changes no result."""
    parser.add_argument("--threads", metavar="N", type=int, help="default: the cores")


def threads(arguments: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    """So many threads, in the block."""
    from tinycnn.runtime.threads import use_threads

    if arguments.threads is None:
        return contextlib.nullcontext()
    return use_threads(check_int(arguments.threads, "--threads"))


def own_code_running(source: str) -> contextlib.AbstractContextManager[None]:
    """In the block, errors of a user's own code are told in one line."""
    from tinycnn.checking.targets.own_code import running

    return running(source) if code_file(source) else contextlib.nullcontext()


def network(arguments: argparse.Namespace) -> Network:
    """The network that --model names; what somebody's code prints goes to stderr."""
    from tinycnn.runs.networks import open_network

    with contextlib.redirect_stdout(sys.stderr):
        found = open_network(arguments.model)
    if found.random:
        print(
            f"tinycnn: the weights of {found.source} are random: what it answers means nothing",
            file=sys.stderr,
        )
    return found


def run_at(place: str | None, model: str, usual: str) -> bool:
    """Whether the folder of a run stands at ``place``, where data or a picture may; then it is the model.

    Raises ArgumentError where --model names a network, too, which is not the ``usual`` one.
    """
    from tinycnn.runs.folder import RunFolder

    if place is None or not RunFolder(place).is_there:
        return False
    if model != usual:
        raise ArgumentError(
            f"{place!r} is a run and --model names a network, too: leave one of them out"
        )
    return True
