"""``tinycnn step --steps N``: what one weight, its gradient and the loss do over many steps."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinycnn import figures
from tinycnn.commands.parsing import seed
from tinycnn.commands.step_options import quietly
from tinycnn.errors import ArgumentError
from tinycnn.validation import check_int, check_number

if TYPE_CHECKING:
    from tinycnn.arrays import Array
    from tinycnn.explain import Learning, Lesson
    from tinycnn.model import Sequential

_SETTINGS = ("rate", "momentum", "decay", "data", "batch", "images")
_IMAGES = 256  # of a data set, unless asked otherwise: every step takes the loss of all
_RATE_OF_DATA = 0.01


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group("steps of learning")
    group.add_argument("--steps", metavar="N", type=int,
                       help="take N steps of SGD, and watch one weight (--weight; default: that with "
                            "the largest gradient)")  # fmt: skip
    group.add_argument(
        "--rate", metavar="R", type=float,
        help="how far a step goes (default: 0.001 for one picture, 0.01 for --data and for --weight alone, "
             "and an example's own)",
    )  # fmt: skip
    group.add_argument("--momentum", metavar="M", type=float, help="of the steps (default: 0)")
    group.add_argument("--decay", metavar="D", type=float, help="weight decay (default: 0)")
    group.add_argument("--data", metavar="DATA",
                       help="learn from the training part of digits, fashion-mnist, or a file or folder as "
                            "`tinycnn train` takes it, not from one picture")  # fmt: skip
    group.add_argument(
        "--images", metavar="N", type=int, help=f"how many of its images (default: {_IMAGES})"
    )
    group.add_argument(
        "--batch", metavar="N", type=int, help="how many of these a step takes (default: all)"
    )


def refuse(arguments: argparse.Namespace) -> None:
    """Refuse what steps have no use for, and their settings without them."""
    given = [name for name in _SETTINGS if getattr(arguments, name) is not None]
    for name in ("rate", "momentum", "decay"):
        if name in given:
            check_number(getattr(arguments, name), f"--{name}")
    for name in ("steps", "images", "batch"):
        if getattr(arguments, name) is not None:
            check_int(getattr(arguments, name), f"--{name}")
    stray = [f"--{name}" for name in given if name != "rate" or not arguments.weight]
    if stray and arguments.steps is None:
        raise ArgumentError(
            f"{', '.join(stray)} says how steps are taken: give --steps, such as --steps 50"
        )
    stray = [f"--{name}" for name in given if name in ("images", "batch")]
    if stray and arguments.data is None:
        raise ArgumentError(
            f"{', '.join(stray)} says how many of --data, such as --data fashion-mnist"
        )


def lesson(arguments: argparse.Namespace, opened: Lesson, show: Callable[[str], None]) -> Learning:
    """Steps against the lesson's picture and label, or against those of --data."""
    from tinycnn.explain.readers.overview_text import draw_heading
    from tinycnn.explain.readers.style import Style

    x, labels, words = opened.picture.x, np.array([opened.label]), None
    options: dict[str, Any] = {}
    if arguments.data is not None:
        x, labels, words = _pictures(arguments, opened)
        options = {"rate": _RATE_OF_DATA, "batch": arguments.batch}
    if not arguments.json:
        show("\n".join([*draw_heading(opened, Style.of(sys.stdout), words), ""]))
    with quietly():
        return _taken(arguments, opened.model, x, labels, training=opened.training, **options)


def _pictures(arguments: argparse.Namespace, opened: Lesson) -> tuple[Array, Array, str]:
    """Images of a data set's training part as the network's input, drawn from the seed, and their labels.

    They are prepared as those were that it was trained on, if it was.
    """
    from tinycnn.data import Preparation, read

    H, W, C = opened.model.input_shape
    train = read(arguments.data, size=(H, W), channels=C).train
    count = min(_IMAGES if arguments.images is None else arguments.images, len(train))
    places = np.random.default_rng(seed(arguments)).permutation(len(train))[:count]
    chosen = train.select(places).loaded()
    prepare = opened.preparation or Preparation.of(chosen, (H, W), C)
    x = prepare(np.asarray(chosen.images))
    words = f"Pictures: {count:,} of the {len(train):,} of {train.title}; x = (value - mean) / deviation."
    return x, chosen.labels, words


def example(arguments: argparse.Namespace, show: Callable[[str], None]) -> Learning:
    """Steps of a hand-sized example's network."""
    from tinycnn.explain.examples.network import example_network
    from tinycnn.explain.readers.style import Style

    if arguments.save is not None:
        figures.expect(arguments.save)
    network = example_network(arguments.example)
    if not arguments.json:
        show(Style.of(sys.stdout).bold(f"The network of the example {arguments.example}") + "\n")
    return _taken(
        arguments, network.model, network.x, network.labels, rate=network.rate, frozen=network.frozen
    )  # fmt: skip


def _taken(
    arguments: argparse.Namespace, model: Sequential, x: Array, labels: Array, **options: Any
) -> Learning:
    from tinycnn.explain import learn
    from tinycnn.progress import Progress

    given: Mapping[str, float | None] = {
        "rate": arguments.rate, "momentum": arguments.momentum, "weight_decay": arguments.decay,
    }  # fmt: skip
    options |= {name: value for name, value in given.items() if value is not None}
    with Progress("steps", arguments.steps) as progress:
        return learn(
            model, x, labels, arguments.steps, arguments.weight, seed=seed(arguments),
            report=lambda step: progress.advance(), **options,
        )  # fmt: skip


def draw(learning: Learning, arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Print the steps, and draw their curves with --save; 1 if the loss became no number."""
    from tinycnn import strict_json
    from tinycnn.explain.readers.learning_text import draw_learning
    from tinycnn.explain.readers.style import Style

    if arguments.json:
        print(strict_json.dumps(learning.to_dict()))
    else:
        show(draw_learning(learning, Style.of(sys.stdout)))
    if arguments.save:
        learning.save(arguments.save)
        print(f"tinycnn: wrote {arguments.save}", file=sys.stderr)
    return 0 if learning.ok else 1
