"""The options of ``tinycnn step``: what is refused, with a command that works, and how they are typed."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tinycnn import figures
from tinycnn.commands import step_hints
from tinycnn.commands.parsing import seed
from tinycnn.commands.sources import own_code_running, run_at
from tinycnn.errors import ArgumentError
from tinycnn.networks import VARIANTS
from tinycnn.wording import option

if TYPE_CHECKING:
    from tinycnn.explain import Lesson
    from tinycnn.explain.pictures.scaling import Scaling
    from tinycnn.model import Sequential

_USUAL = {"image": None, "at": None, "open": None, "im2col": False, "save": None, "weights": None,
          "classes": None, "label": None, "train": False, "model": "one-tower", "seed": 0,
          "interactive": False, "mean": None, "std": None, "channels": "rgb"}  # fmt: skip
# What the two sides of a page may have each of its own.
_TWICE = ("image", "model", "weights", "classes", "label")


def add_lesson(parser: argparse.ArgumentParser, *, sides: bool = False) -> None:
    """Declare what says which picture goes through which network; ``sides``: each perhaps twice."""
    several: dict[str, Any] = {"action": "append"} if sides else {}
    parser.add_argument(
        "image",
        nargs="*" if sides else "?",
        help="a picture, .npy file, RUN, or the name of a bundled picture: ankle-boot"
        + ("; two stand side by side" if sides else ""),
    )
    parser.add_argument("--model", metavar="M", default=None if sides else "one-tower", **several,
                        help=f"{', '.join(VARIANTS)}, the folder of a RUN, FILE.py:NAME for your own "
                             "Sequential, or what model.save wrote")  # fmt: skip
    parser.add_argument(
        "--weights", metavar="FILE", **several,
        help=".npz or .safetensors: what model.save wrote, or arrays by name (conv1.W, ...)",
    )  # fmt: skip
    parser.add_argument(
        "--classes", metavar="FILE", **several,
        help="names of the classes: one a line, or JSON (default: those that the network was trained with)",
    )  # fmt: skip
    add_scaling(parser)
    parser.add_argument(
        "--label", metavar="N", type=_class, **several,
        help="the class the loss is taken against: number or name",
    )  # fmt: skip
    parser.add_argument(
        "--train", action="store_true", help="dropout on, its mask drawn from the seed"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of random weights and masks"
    )


def sides(arguments: argparse.Namespace) -> list[argparse.Namespace]:
    """The options of each side of a page: what is given once holds for both.

    Raises ArgumentError for more than two.
    """
    given = {name: getattr(arguments, name) or [_USUAL[name]] for name in _TWICE}
    most = max(given, key=lambda name: len(given[name]))
    if len(given[most]) > 2:
        raise ArgumentError(
            f"two stand side by side, not {len(given[most])}: give {_listed([most])} at most twice"
        )
    found = []
    for side in range(len(given[most])):
        own = {name: values[min(side, len(values) - 1)] for name, values in given.items()}
        found.append(argparse.Namespace(**{**vars(arguments), **own}))
        take_run(found[-1])
    return found


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
    if run_at(arguments.image, arguments.model, str(_USUAL["model"])):
        arguments.model, arguments.image = arguments.image, None


def refuse_all(arguments: argparse.Namespace) -> None:
    """Refuse whatever --example has no use for; its steps have some."""
    unfit = {**_USUAL, **dict.fromkeys(("layer", "weight", "grad", "why"))}
    if arguments.steps is not None:
        unfit = {name: unfit[name] for name in unfit if name not in ("weight", "save")}
        unfit["data"] = None
    stray = [name for name, value in unfit.items() if getattr(arguments, name) != value]
    if stray:
        raise ArgumentError(f"--example brings its own numbers; leave out {_listed(stray)}")


def refuse_interactive(arguments: argparse.Namespace) -> None:
    """Refuse what -i has no use for."""
    words = "-i begins with the layers, or with --layer and --at"
    stray = ("weight", "grad", "why", "open", "im2col", "save", "json", "steps")
    _refuse(arguments, stray, words)


def refuse_asking(arguments: argparse.Namespace) -> None:
    """Refuse what --ask has no use for."""
    words = "--ask asks for numbers and reads answers, line by line"
    _refuse(arguments, ("json", "interactive", "open", "im2col", "save", "steps"), words)


def _refuse(arguments: argparse.Namespace, names: Sequence[str], words: str) -> None:
    values = {name: getattr(arguments, name) for name in names}
    unfit = [name for name, value in values.items() if value is not None and value is not False]
    if unfit:
        raise ArgumentError(f"{words}; leave out {_listed(unfit)}")


def _listed(names: Sequence[str]) -> str:
    """Options as they are typed."""
    special = {"image": "the picture", "interactive": "-i/--interactive"}
    return ", ".join(special.get(name, f"--{name}") for name in names)


def refuse_stray(arguments: argparse.Namespace, what: str | None) -> None:
    """Refuse options that would otherwise be passed over in silence."""
    seed(arguments)
    if arguments.at is not None and (what is None or arguments.weight or arguments.why):
        raise ArgumentError(
            f"--at says which number of --layer or --grad{_hint(arguments, step_hints.cell)}"
        )
    if arguments.layer and any(sign in arguments.layer for sign in ".["):
        raise ArgumentError(
            f"--layer takes a layer, got {arguments.layer!r}; gradients open "
            f"so{_hint(arguments, step_hints.gradients)}"
        )
    if arguments.grad and "." not in arguments.grad:
        raise ArgumentError(
            f"--grad takes a layer's x, y or z, got {arguments.grad!r}; gradients open "
            f"so{_hint(arguments, step_hints.gradients)}"
        )
    if arguments.weight and "." not in arguments.weight:
        raise ArgumentError(
            f"--weight takes a number of a parameter, got {arguments.weight!r}"
            f"{_hint(arguments, step_hints.weight)}"
        )
    if arguments.open is not None:
        _refuse_open(arguments, what)
    if arguments.im2col and (arguments.layer is None or arguments.at is None):
        hint = partial(step_hints.im2col, layer=arguments.layer)
        raise ArgumentError(f"--im2col needs --layer and --at{_hint(arguments, hint)}")
    if arguments.steps is not None:
        words = "--steps watches one weight, --weight or that with the largest gradient"
        _refuse(arguments, ("layer", "grad", "why", "open", "im2col", "interactive"), words)
        if arguments.data is not None:
            words = "--data brings its own pictures, labels and scale"
            _refuse(arguments, ("image", "label", "mean", "std"), words)
    elif arguments.save is not None and (
        what is None or (arguments.layer and arguments.at is None)
    ):
        hint = partial(step_hints.cell, layer=arguments.layer)
        raise ArgumentError(
            f"--save draws one opened number{_hint(arguments, hint)} --save cell.svg"
        )
    if arguments.save is not None:
        figures.expect(arguments.save)


def _refuse_open(arguments: argparse.Namespace, what: str | None) -> None:
    """Refuse --open where no number is opened, and where all its parts are given anyway."""
    if arguments.json:
        _refuse(arguments, ("open",), "--json gives every part of a sum")
    if arguments.steps is None and (what is None or (arguments.layer and arguments.at is None)):
        hint = _hint(arguments, partial(step_hints.cell, layer=arguments.layer))
        raise ArgumentError(
            f"--open opens a part of one number's sum; its text names the parts{hint}"
        )


def _hint(arguments: argparse.Namespace, offered: Callable[[Sequential, str], str]) -> str:
    """What opens a number of the network that the options name."""
    from tinycnn.runs.networks import open_network

    with quietly():
        return offered(open_network(arguments.model).model, command(arguments))


def expect_place(arguments: argparse.Namespace, lesson: Lesson) -> None:
    """Refuse a --weight or --grad that says no number, with a command that does."""
    what = arguments.weight or arguments.grad
    if what is None or "[" in what or arguments.at is not None:
        return
    from tinycnn.explain.opening import some_number

    name = "--weight" if arguments.weight else "--grad"
    one = option(name, some_number(lesson.backward, what))
    raise ArgumentError(f"which number of {what}? this opens one: {command(arguments)} {one}")


def command(arguments: argparse.Namespace) -> str:
    """The command that opens other numbers of the same lesson."""
    words = ["tinycnn", "step"]
    if arguments.image:
        words.append(f"./{arguments.image}" if arguments.image.startswith("-") else arguments.image)
    for name in ("model", "weights", "classes", "label", "seed"):
        value = getattr(arguments, name)
        if value != _USUAL[name]:
            words += [f"--{name}", str(value)]
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
