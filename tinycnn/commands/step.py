"""``tinycnn step``: walk a picture through a network, and open its numbers."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tinycnn import strict_json
from tinycnn.commands import (
    step_ask,
    step_beside,
    step_learning,
    step_options,
    step_refusals,
)
from tinycnn.commands.step_options import quietly
from tinycnn.wording import option

if TYPE_CHECKING:
    from tinycnn.explain import Learning, Lesson

_EXAMPLES = """\
examples:
  tinycnn step                                      the whole pass, forward and backward
  tinycnn step -i                                   walk from number to number with the keys
  tinycnn step --layer conv2                        what conv2's feature maps hold
  tinycnn step --layer conv2 --at 13,13,7           one cell, opened
  tinycnn step --layer conv2 --at 13,13,7 --open 2,3
                                                    the same, and of its sum the part at row 2, column 3
  tinycnn step --weight 'conv1.W[5,5,0,3]'          one weight's gradient, opened
  tinycnn step --grad pool1.x --at 13,13,7          one input's gradient, opened
  tinycnn step --why loss                           where the loss comes from
  tinycnn step --layer conv1 --im2col --at 27,27    the row of im2col's matrix
  tinycnn step --model mini --steps 50              one weight and the loss over 50 steps of learning
  tinycnn step cat.jpg dog.jpg                      two sides, right minus left; --model, --label twice too
  tinycnn step RUN                                  what `tinycnn train` made, on a picture of its data
  tinycnn step --example conv-pool                  a network small enough for pencil and paper
  tinycnn step --example conv-pool --ask            predict its numbers first, and be told what went wrong
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
    parser.add_argument(
        "--example", metavar="NAME", help="a hand-sized example; any other name lists them"
    )
    step_learning.add(parser)
    parser.add_argument(
        "--at", metavar="R,C,K", type=_place, help="which number: row, column, channel"
    )
    parser.add_argument(
        "--open",
        metavar="PART",
        help="of a number's sum or window this part, not the largest: 2,3, and within it 2,3/0",
    )
    parser.add_argument(
        "--im2col", action="store_true", help="with --layer: the row of im2col's matrix at R,C"
    )
    step_options.add_lesson(parser)
    parser.add_argument(
        "--save", metavar="FILE", help="also draw what was opened: .svg or .png (extra plot)"
    )
    parser.add_argument("--json", action="store_true", help="everything as data")
    parser.add_argument(
        "--ask",
        action="store_true",
        help="hide results, read answers from stdin, say what is wrong",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the overview, a layer, one opened number, or an example; of two sides how they differ."""
    sides = step_options.sides(arguments)
    if len(sides) > 1:
        return _beside(sides)
    (arguments,) = sides
    step_learning.refuse(arguments)
    if arguments.ask:
        step_refusals.refuse_asking(arguments)
    if arguments.example is not None:
        return _example(arguments)
    with step_options.running(arguments):
        return _opened(arguments)


def _opened(arguments: argparse.Namespace) -> int:
    what = arguments.layer or arguments.weight or arguments.grad or arguments.why
    step_refusals.refuse_stray(arguments, what)
    if arguments.interactive:
        return _interactive(arguments)
    with quietly():
        lesson = step_options.lesson(arguments)
    step_refusals.expect_place(arguments, lesson)
    if arguments.steps is not None:
        learning = step_learning.lesson(arguments, lesson, _show)
        return _learning(arguments, learning)
    if arguments.ask and arguments.at is None and (what is None or arguments.layer):
        return step_ask.sizes(lesson, arguments.layer, _show)
    if what is None:
        return _overview(arguments, lesson)
    if arguments.layer and arguments.at is None:
        return _layer(arguments, lesson)
    return _number(arguments, lesson, what)


def _beside(sides: Sequence[argparse.Namespace]) -> int:
    """Print how two sides differ."""
    with contextlib.ExitStack() as running:
        for side in sides:
            running.enter_context(step_options.running(side))
        return max(map(_sound, step_beside.draw(sides, _show)))


def _learning(arguments: argparse.Namespace, learning: Learning) -> int:
    """Print steps of learning."""
    code = step_learning.draw(learning, arguments, _show)
    if not arguments.json:
        _ways_on(arguments)
    return code


def _overview(arguments: argparse.Namespace, lesson: Lesson) -> int:
    """Print the whole pass, forward and backward."""
    from tinycnn.explain.lessons import overview
    from tinycnn.explain.readers.overview_text import draw_overview
    from tinycnn.explain.readers.style import Style

    if arguments.json:
        with quietly():
            facts = overview.to_dict(lesson)
        _data(facts)
    else:
        command = step_options.command(arguments)
        for line in draw_overview(lesson, Style.of(sys.stdout), command):
            _show(line)
    return _sound(lesson)


def _layer(arguments: argparse.Namespace, lesson: Lesson) -> int:
    """Print what one layer's feature maps hold."""
    from tinycnn.explain.lessons import maps
    from tinycnn.explain.readers.overview_text import draw_maps
    from tinycnn.explain.readers.style import Style

    with quietly():
        held = maps.describe(lesson.trace, arguments.layer)
    if arguments.json:
        _data(held.to_dict())
    else:
        _show(draw_maps(held, Style.of(sys.stdout), step_options.command(arguments)))
        _ways_on(arguments)
    return _sound(lesson)


def _number(arguments: argparse.Namespace, lesson: Lesson, what: str) -> int:
    """Print one number opened, and draw it with --save."""
    from tinycnn.explain import explain
    from tinycnn.explain.opening import RATE, im2col_row
    from tinycnn.explain.readers.explanation_text import draw_explanation
    from tinycnn.explain.readers.overview_text import likeliest_words
    from tinycnn.explain.readers.side_by_side import draw_beside
    from tinycnn.explain.readers.style import Style
    from tinycnn.explain.values.opened_parts import another_part, open_part

    if lesson.likeliest and not arguments.layer:
        print(f"tinycnn: {likeliest_words(lesson)}", file=sys.stderr)
    with quietly():
        if arguments.im2col:
            opened = im2col_row(lesson.trace, arguments.layer, arguments.at)
        else:
            trace = lesson.trace if arguments.layer else lesson.backward
            rate = RATE if arguments.rate is None else arguments.rate
            opened = explain(trace, what, arguments.at, rate=rate)
    if arguments.open is not None:
        opened = open_part(opened, arguments.open)
    if arguments.ask:
        return step_ask.number(opened, _show)
    if arguments.json:
        _data(opened.to_dict())
    else:
        style = Style.of(sys.stdout)
        _show(draw_explanation(opened, style))
        if beside := draw_beside(opened, style, _columns()):
            _show("\n".join(["", *beside]))
        _ways_on(arguments, another_part(opened))
    if arguments.save:
        opened.save(arguments.save)
        print(f"tinycnn: wrote {arguments.save}", file=sys.stderr)
    return 1 if opened.notes("BEGINS") or not opened.ok else _sound(lesson)


def _ways_on(arguments: argparse.Namespace, part: str | None = None) -> None:
    """End with the commands that lead on: to another ``part`` of a sum, and to the page."""
    from tinycnn.explain.readers.overview_text import page_way, way

    if arguments.example is None:
        _show("")
    if part is not None:
        opened = " ".join([step_options.command(arguments), step_options.number(arguments)])
        _show("\n".join(way("Another part:", f"{opened} {option('--open', part)}")))
    _show("\n".join(page_way(step_options.command(arguments))))


def _sound(lesson: Lesson) -> int:
    """Say where NaN or infinity begins, if the pass holds any: nothing it shows can be trusted; then 1."""
    from tinycnn.explain.not_finite import origin

    begins = origin(lesson.trace)
    if begins is not None:
        print(f"tinycnn: {begins}", file=sys.stderr)
    return 0 if begins is None else 1


def _interactive(arguments: argparse.Namespace) -> int:
    """Walk with the keys, beginning with the layers, or with --layer and --at."""
    from tinycnn.explain.walk import curses_screen

    step_refusals.refuse_interactive(arguments)
    lesson = curses_screen.walk(
        lambda: step_options.lesson(arguments), arguments.layer, arguments.at
    )
    _ways_on(arguments)
    return _sound(lesson)


def _example(arguments: argparse.Namespace) -> int:
    """Print a hand-sized example, worked out by the engine on the spot."""
    from tinycnn.explain.examples.example import open_example
    from tinycnn.explain.examples.example_text import draw_example
    from tinycnn.explain.readers.style import Style

    step_refusals.refuse_all(arguments)
    if arguments.steps is not None:
        learning = step_learning.example(arguments, _show)
        return _learning(arguments, learning)
    example = open_example(arguments.example)
    if arguments.ask:
        return step_ask.example(example, _show)
    if arguments.json:
        _data(example.to_dict())
    else:
        _show(draw_example(example, Style.of(sys.stdout)))
        _ways_on(arguments)
    return 0 if example.ok else 1


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

    print(fit(text, _columns()) if sys.stdout.isatty() else text, flush=True)


def _columns() -> int:
    """How wide the terminal is; what goes elsewhere is as wide as the text."""
    from tinycnn.explain.readers.style import WIDTH

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
