"""``tinycnn step``: walk a picture through a network, and open its numbers."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tinycnn import figures, strict_json
from tinycnn.commands import step_hints
from tinycnn.commands.parsing import seed
from tinycnn.errors import ArgumentError
from tinycnn.networks import VARIANTS
from tinycnn.validation import check_choice
from tinycnn.wording import option

if TYPE_CHECKING:
    from tinycnn.explain import Lesson
    from tinycnn.model import Sequential

_EXAMPLES = """\
examples:
  tinycnn step                                      the whole pass, forward and backward
  tinycnn step -i                                   walk from number to number with the keys
  tinycnn step --layer conv2                        what conv2's feature maps hold
  tinycnn step --layer conv2 --at 13,13,7           one cell, opened
  tinycnn step --weight 'conv1.W[5,5,0,3]'          one weight's gradient, opened
  tinycnn step --grad pool1.x --at 13,13,7          one input's gradient, opened
  tinycnn step --why loss                           where the loss comes from
  tinycnn step --layer conv1 --im2col --at 27,27    the row of im2col's matrix
  tinycnn step --example conv-pool                  a network small enough for pencil and paper
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "step",
        help="walk a picture through the network, forward and backward",
        description="Walk a picture through AlexNet, forward and backward, and open its numbers.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", nargs="?", help="a picture or .npy file (default: a bundled cat)")
    parser.add_argument(
        "-i", "--interactive", action="store_true", help="walk with the arrow keys, on a terminal"
    )
    what = parser.add_argument_group("what to open").add_mutually_exclusive_group()
    what.add_argument("--layer", metavar="L", help="a layer, or with --at one of its cells")
    what.add_argument(
        "--weight", metavar="NAME[I,..]", help="a parameter's gradient: conv1.W[5,5,0,3]"
    )
    what.add_argument(
        "--grad",
        metavar="L.x",
        help="the gradient of L's input x, output y, or z before the activation",
    )
    what.add_argument("--why", choices=("loss",), help="where the loss comes from")
    what.add_argument(
        "--example", metavar="NAME", help="a hand-sized example; any other name lists them"
    )
    parser.add_argument(
        "--at", metavar="R,C,K", type=_place, help="which number: row, column, channel"
    )
    parser.add_argument(
        "--im2col", action="store_true", help="with --layer: the row of im2col's matrix at R,C"
    )
    parser.add_argument("--model", metavar="M", default="one-tower",
                        help=f"{', '.join(VARIANTS)}, or FILE.py:NAME for your own Sequential")  # fmt: skip
    parser.add_argument("--weights", metavar="FILE", help=".npz of arrays by name (conv1.W, ...)")
    parser.add_argument(
        "--label", metavar="N", type=int, help="the class the loss is taken against"
    )
    parser.add_argument(
        "--train", action="store_true", help="dropout on, its mask drawn from the seed"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of random weights and masks"
    )
    parser.add_argument(
        "--save", metavar="FILE", help="also draw what was opened: .svg or .png (extra plot)"
    )
    parser.add_argument("--json", action="store_true", help="everything as data")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the overview, a layer, one opened number, or a hand-sized example."""
    import numpy as np

    from tinycnn.checking.own_code import running

    if arguments.example is not None:
        return _example(arguments)
    own = running(arguments.model) if ".py:" in arguments.model else contextlib.nullcontext()
    with own, np.errstate(all="ignore"):  # where NaN or infinity begins is said in words
        return _opened(arguments)


def _opened(arguments: argparse.Namespace) -> int:
    from tinycnn.explain import explain
    from tinycnn.explain.lessons import maps, overview
    from tinycnn.explain.opening import im2col_row
    from tinycnn.explain.readers.explanation_text import draw_explanation
    from tinycnn.explain.readers.overview_text import draw_maps, draw_overview, likeliest_words
    from tinycnn.explain.readers.style import Style

    what = arguments.layer or arguments.weight or arguments.grad or arguments.why
    _refuse_stray(arguments, what)
    if arguments.interactive:
        return _interactive(arguments)
    with _apart():
        lesson = _lesson(arguments)
    style = Style.of(sys.stdout)
    command = _command(arguments)
    _expect_place(arguments, lesson, command)
    if what is None:
        if arguments.json:
            with _apart():
                facts = overview.to_dict(lesson)
            _data(facts)
        else:
            for line in draw_overview(lesson, style, command):
                _show(line)
        return _sound(lesson)
    if arguments.layer and arguments.at is None:
        with _apart():
            held = maps.describe(lesson.trace, arguments.layer)
        if arguments.json:
            _data(held.to_dict())
        else:
            _show(draw_maps(held, style, command))
        return _sound(lesson)
    if lesson.likeliest and not arguments.layer:
        print(f"tinycnn: {likeliest_words(lesson)}", file=sys.stderr)
    with _apart():
        if arguments.im2col:
            opened = im2col_row(lesson.trace, arguments.layer, arguments.at)
        else:
            trace = lesson.trace if arguments.layer else lesson.backward
            opened = explain(trace, what, arguments.at)
    if arguments.json:
        _data(opened.to_dict())
    else:
        _show(draw_explanation(opened, style))
    if arguments.save:
        opened.save(arguments.save)
        print(f"tinycnn: wrote {arguments.save}", file=sys.stderr)
    return 1 if opened.notes("BEGINS") or not opened.ok else _sound(lesson)


def _sound(lesson: Lesson) -> int:
    """Say where NaN or infinity begins, if the pass holds any: nothing it shows can be trusted; then 1."""
    from tinycnn.explain.not_finite import origin

    begins = origin(lesson.trace)
    if begins is not None:
        print(f"tinycnn: {begins}", file=sys.stderr)
    return 0 if begins is None else 1


def _apart() -> contextlib.AbstractContextManager[object]:
    """What a user's code prints is not the result."""
    return contextlib.redirect_stdout(sys.stderr)


def _lesson(arguments: argparse.Namespace) -> Lesson:
    from tinycnn.explain import open_lesson

    return open_lesson(
        arguments.image,
        model=arguments.model,
        weights_file=arguments.weights,
        label=arguments.label,
        seed=arguments.seed,
        training=arguments.train,
    )


def _interactive(arguments: argparse.Namespace) -> int:
    """Walk with the keys, beginning with the layers, or with --layer and --at."""
    from tinycnn.explain.walk import screen

    unfit = [name for name in ("weight", "grad", "why", "im2col", "save", "json")
             if getattr(arguments, name)]  # fmt: skip
    if unfit:
        raise ArgumentError(
            f"-i begins with the layers, or with --layer and --at; leave out {_listed(unfit)}"
        )
    lesson = screen.walk(lambda: _lesson(arguments), arguments.layer, arguments.at)
    return _sound(lesson)


def _example(arguments: argparse.Namespace) -> int:
    """Print a hand-sized example, worked out by the engine on the spot."""
    from tinycnn.explain.examples.example import open_example
    from tinycnn.explain.examples.example_text import draw_example
    from tinycnn.explain.readers.style import Style

    usual = {"image": None, "at": None, "im2col": False, "save": None, "weights": None,
             "label": None, "train": False, "model": "one-tower", "seed": 0,
             "interactive": False}  # fmt: skip
    stray = [name for name, value in usual.items() if getattr(arguments, name) != value]
    if stray:
        raise ArgumentError(f"--example brings its own numbers; leave out {_listed(stray)}")
    example = open_example(arguments.example)
    if arguments.json:
        _data(example.to_dict())
    else:
        _show(draw_example(example, Style.of(sys.stdout)))
    return 0 if example.ok else 1


def _listed(names: Sequence[str]) -> str:
    """Options as they are typed."""
    special = {"image": "the picture", "interactive": "-i/--interactive"}
    return ", ".join(special.get(name, f"--{name}") for name in names)


def _refuse_stray(arguments: argparse.Namespace, what: str | None) -> None:
    """Refuse options that would otherwise be passed over in silence."""
    seed(arguments)
    if ".py:" not in arguments.model:
        check_choice(arguments.model, (*VARIANTS, "FILE.py:NAME"), "--model")
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
    if arguments.im2col and (arguments.layer is None or arguments.at is None):
        hint = partial(step_hints.im2col, layer=arguments.layer)
        raise ArgumentError(f"--im2col needs --layer and --at{_hint(arguments, hint)}")
    if arguments.save is not None and (what is None or (arguments.layer and arguments.at is None)):
        hint = partial(step_hints.cell, layer=arguments.layer)
        raise ArgumentError(
            f"--save draws one opened number{_hint(arguments, hint)} --save cell.svg"
        )
    if arguments.save is not None:
        figures.expect(arguments.save)


def _hint(arguments: argparse.Namespace, offered: Callable[[Sequential, str], str]) -> str:
    """What opens a number of the network that the options name."""
    from tinycnn.explain.lessons.lesson import network_of

    with _apart():
        return offered(network_of(arguments.model), _command(arguments))


def _expect_place(arguments: argparse.Namespace, lesson: Lesson, command: str) -> None:
    """Refuse a --weight or --grad that says no number, with a command that does."""
    what = arguments.weight or arguments.grad
    if what is None or "[" in what or arguments.at is not None:
        return
    from tinycnn.explain.opening import some_number

    name = "--weight" if arguments.weight else "--grad"
    one = option(name, some_number(lesson.backward, what))
    raise ArgumentError(f"which number of {what}? this opens one: {command} {one}")


def _command(arguments: argparse.Namespace) -> str:
    """The command that opens other numbers of the same lesson."""
    words = ["tinycnn", "step"]
    if arguments.image:
        words.append(arguments.image)
    for name, usual in (("model", "one-tower"), ("weights", None), ("label", None), ("seed", 0)):
        value = getattr(arguments, name)
        if value != usual:
            words += [f"--{name}", str(value)]
    if arguments.train:
        words.append("--train")
    return shlex.join(words)


def _place(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a place such as 13,13,7 (row, column, channel)"
        ) from None


def _data(values: Mapping[str, Any]) -> None:
    print(strict_json.dumps(values))


def _show(text: str) -> None:
    """Print at once; on a narrow terminal wrapped between words."""
    from tinycnn.explain.readers.style import fit

    narrow = sys.stdout.isatty()
    print(fit(text, shutil.get_terminal_size().columns) if narrow else text, flush=True)
