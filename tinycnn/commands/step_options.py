"""The options that say which picture goes through which network, of one side or two; as they are typed."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tinycnn.commands.sources import add_classes, own_code_running, run_at
from tinycnn.errors import ArgumentError
from tinycnn.networks import VARIANTS
from tinycnn.wording import option

if TYPE_CHECKING:
    from tinycnn.explain import Lesson
    from tinycnn.explain.pictures.scaling import Scaling

USUAL = {"image": None, "at": None, "open": None, "im2col": False, "save": None, "weights": None,
          "classes": None, "label": None, "train": False, "model": "one-tower", "seed": 0,
          "interactive": False, "mean": None, "std": None, "channels": "rgb"}  # fmt: skip
# What two sides may have each of its own.
_TWICE = ("image", "model", "weights", "classes", "label")


def add_lesson(parser: argparse.ArgumentParser) -> None:
    """Declare what says which picture goes through which network, each perhaps twice."""
    parser.add_argument(
        "image",
        nargs="*",
        help="a picture, .npy file, RUN, or the name of a bundled one: ankle-boot; two stand side by side",
    )
    parser.add_argument("--model", metavar="M", action="append",
                        help=f"{', '.join(VARIANTS)}, the folder of a RUN, FILE.py:NAME for your own "
                             "Sequential, or what model.save wrote")  # fmt: skip
    parser.add_argument(
        "--weights", metavar="FILE", action="append",
        help=".npz or .safetensors: what model.save wrote, or arrays by name (conv1.W, ...)",
    )  # fmt: skip
    add_classes(parser, action="append")
    add_scaling(parser)
    parser.add_argument(
        "--label", metavar="N", type=_class, action="append",
        help="the class the loss is taken against: number or name",
    )  # fmt: skip
    parser.add_argument(
        "--train", action="store_true", help="dropout on, its mask drawn from the seed"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of random weights and masks"
    )


def sides(arguments: argparse.Namespace) -> list[argparse.Namespace]:
    """The options of each side: what is given once holds for both.

    Raises ArgumentError for more than two.
    """
    given = {name: getattr(arguments, name) or [USUAL[name]] for name in _TWICE}
    most = max(given, key=lambda name: len(given[name]))
    if len(given[most]) > 2:
        raise ArgumentError(
            f"two stand side by side, not {len(given[most])}: give {listed([most])} at most twice"
        )
    found = []
    for side in range(len(given[most])):
        own = {name: values[min(side, len(values) - 1)] for name, values in given.items()}
        found.append(argparse.Namespace(**{**vars(arguments), **own}))
        take_run(found[-1])
    return found


def listed(names: Sequence[str]) -> str:
    """Options as they are typed."""
    special = {"image": "the picture", "interactive": "-i/--interactive"}
    return ", ".join(special.get(name, f"--{name}") for name in names)


def lesson(arguments: argparse.Namespace) -> Lesson:
    """Put together what the options name."""
    from tinycnn.explain import open_lesson

    return open_lesson(
        arguments.image,
        model=arguments.model,
        weights_file=arguments.weights,
        classes_file=arguments.classes,
        label=arguments.label,
        seed=arguments.seed,
        training=arguments.train,
        scaling=scaling(arguments),
    )


@contextlib.contextmanager
def running(arguments: argparse.Namespace) -> Iterator[None]:
    """Run somebody's own code in what it holds, if the options name such; NaN is said in words elsewhere."""
    import numpy as np

    with own_code_running(arguments.model), np.errstate(all="ignore"):
        yield


def add_scaling(parser: argparse.ArgumentParser) -> None:
    """Declare what says how a picture becomes the network's input."""
    group = parser.add_argument_group(
        "what pixels become (x = (pixel - 128) / 128 unless --mean or --std is given)"
    )
    of_which = "one number or one a channel; of pixels 0 .. 1 if none is above 1, else 0 .. 255"
    group.add_argument("--mean", metavar="M,..", type=_numbers, help=f"taken off: {of_which}")
    group.add_argument("--std", metavar="S,..", type=_numbers, help="what is then divided by")
    group.add_argument(
        "--channels",
        choices=("rgb", "bgr"),
        default="rgb",
        help="the order of the network's colours",
    )


def scaling(arguments: argparse.Namespace) -> Scaling:
    """What the options say of it."""
    from tinycnn.explain.pictures.scaling import Scaling

    return Scaling(arguments.mean, arguments.std, arguments.channels)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number and no list such as 0.485,0.456,0.406"
        ) from None


def _class(text: str) -> int | str:
    """A class by its number, or else by its name."""
    return int(text) if text.removeprefix("-").isdecimal() else text


def quietly() -> contextlib.AbstractContextManager[object]:
    """What a user's code prints goes to stderr: it is not the result."""
    return contextlib.redirect_stdout(sys.stderr)


def take_run(arguments: argparse.Namespace) -> None:
    """Take the folder of a run, which stands where a picture may, for the model."""
    if run_at(arguments.image, arguments.model, str(USUAL["model"])):
        arguments.model, arguments.image = arguments.image, None


def command(arguments: argparse.Namespace, *others: argparse.Namespace) -> str:
    """The command that opens other numbers of the same lesson, or of several beside each other."""
    sides = [arguments, *others]
    given = {name: [getattr(side, name) for side in sides] for name in _TWICE}
    if None in given["image"] and any(given["image"]):  # a run stood where the other's picture does
        given["image"] = [side.image or side.model for side in sides]
        given["model"] = []
    for name, values in given.items():
        if len(set(values)) == 1:  # given once, it holds for all
            given[name] = [value for value in values[:1] if value != USUAL[name]]
    if others and all(len(values) < 2 for values in given.values()):
        given["model"] = [side.model for side in sides]  # the same beside itself
    pictures = given.pop("image")
    words = ["tinycnn", "step"]
    words += [f"./{picture}" if picture.startswith("-") else picture for picture in pictures]
    for name, values in given.items():
        words += [word for value in values for word in (f"--{name}", str(value))]
    if arguments.seed:
        words += ["--seed", str(arguments.seed)]
    for name in ("mean", "std"):
        if numbers := getattr(arguments, name):
            exact = (repr(value).removesuffix(".0") for value in numbers)
            words.append(f"--{name}={','.join(exact)}")
    if arguments.channels != "rgb":
        words += ["--channels", arguments.channels]
    if arguments.train:
        words.append("--train")
    return shlex.join(words)


def number(arguments: argparse.Namespace) -> str:
    """The options that name the number which is opened."""
    names = ("layer", "weight", "grad", "why", "rate")
    words = [option(f"--{name}", value) for name in names if (value := getattr(arguments, name))]
    if arguments.at is not None:
        words.append(option("--at", ",".join(map(str, arguments.at))))
    return " ".join(words)
