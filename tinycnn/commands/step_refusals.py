"""What ``tinycnn step`` refuses, with a command that works."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tinycnn import figures
from tinycnn.commands import step_hints, step_options
from tinycnn.commands.parsing import seed
from tinycnn.errors import ArgumentError
from tinycnn.wording import option

if TYPE_CHECKING:
    from tinycnn.explain import Lesson
    from tinycnn.model import Sequential


def refuse_all(arguments: argparse.Namespace) -> None:
    """Refuse whatever --example has no use for; its steps have some."""
    unfit = {**step_options.USUAL, **dict.fromkeys(("layer", "weight", "grad", "why"))}
    if arguments.steps is not None:
        unfit = {name: unfit[name] for name in unfit if name not in ("weight", "save")}
        unfit["data"] = None
    stray = [name for name, value in unfit.items() if getattr(arguments, name) != value]
    if stray:
        raise ArgumentError(
            f"--example brings its own numbers; leave out {step_options.listed(stray)}"
        )


def refuse_interactive(arguments: argparse.Namespace) -> None:
    """Refuse what -i has no use for."""
    words = "-i begins with the layers, or with --layer and --at"
    stray = ("weight", "grad", "why", "open", "im2col", "save", "json", "steps")
    _refuse(arguments, stray, words)


def refuse_beside(arguments: argparse.Namespace) -> None:
    """Refuse what two sides have no use for."""
    names = ("interactive", "ask", "example", "steps", "data", "rate", "open", "im2col", "save")
    _refuse(arguments, names, "two sides are compared, number by number")


def refuse_asking(arguments: argparse.Namespace) -> None:
    """Refuse what --ask has no use for."""
    words = "--ask asks for numbers and reads answers, line by line"
    _refuse(arguments, ("json", "interactive", "open", "im2col", "save", "steps"), words)


def _refuse(arguments: argparse.Namespace, names: Sequence[str], words: str) -> None:
    values = {name: getattr(arguments, name) for name in names}
    unfit = [name for name, value in values.items() if value is not None and value is not False]
    if unfit:
        raise ArgumentError(f"{words}; leave out {step_options.listed(unfit)}")


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

    with step_options.quietly():
        return offered(open_network(arguments.model).model, step_options.command(arguments))


def expect_place(arguments: argparse.Namespace, lesson: Lesson) -> None:
    """Refuse a --weight or --grad that says no number, with a command that does."""
    what = arguments.weight or arguments.grad
    if what is None or "[" in what or arguments.at is not None:
        return
    from tinycnn.explain.opening import some_number

    name = "--weight" if arguments.weight else "--grad"
    one = option(name, some_number(lesson.backward, what))
    raise ArgumentError(
        f"which number of {what}? this opens one: {step_options.command(arguments)} {one}"
    )
