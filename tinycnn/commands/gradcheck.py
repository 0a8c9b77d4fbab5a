"""``tinycnn gradcheck``: gradients against differences, of this engine and of a user's own file."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from tinycnn import figures, strict_json
from tinycnn.commands.parsing import seed
from tinycnn.errors import ArgumentError, TinyCNNError
from tinycnn.layers.activation import SOFTMAX
from tinycnn.validation import check_int

if TYPE_CHECKING:
    from tinycnn.arrays import Array
    from tinycnn.layers import Layer
    from tinycnn.model import Sequential

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
_SAMPLES = 3  # of a layer's batch

T = TypeVar("T")


class _Result(Protocol):
    """What every check gives."""

    @property
    def ok(self) -> bool: ...

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class _Raised:
    """A check that ended in an error of the user's own code."""

    target: str
    text: str
    ok: bool = False

    def __str__(self) -> str:
        return f"Gradients of {self.target}: wrong\n\n- raises {self.text}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "ok": False,
            "verdict": "wrong",
            "problems": [f"raises {self.text}"],
        }


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


def _results(arguments: argparse.Namespace) -> Iterator[_Result]:
    if arguments.explain:
        yield _explained(arguments)
    elif arguments.full:
        yield _full(arguments)
    elif arguments.target is None:
        yield _battery(arguments)
    elif ".py:" in arguments.target:
        yield from _own(arguments)
    else:
        yield _exercise(arguments.target)


# --------------------------------------------------------------------------------------- engine


def _battery(arguments: argparse.Namespace) -> _Result:
    from tinycnn.checking.battery import runs

    cases = runs.all_cases(arguments.seed)
    results = runs.run(
        cases, seed=arguments.seed, samples=arguments.samples, directions=arguments.directions
    )
    return runs.BatteryReport(list(_with_bar(results, len(cases))))


def _full(arguments: argparse.Namespace) -> _Result:
    from tinycnn.checking.battery.full_network import check_full_network

    print("tinycnn: the full network, in float64: about a minute, 3 GB", file=sys.stderr)
    return check_full_network(
        arguments.seed, samples=arguments.samples, directions=arguments.directions
    )


def _with_bar(items: Iterable[T], total: int) -> Iterable[T]:
    """Show on stderr how far it has come, if that is a terminal and tqdm is there."""
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    bar: Iterable[T] = tqdm(
        items, total=total, unit="case", disable=None, leave=False, file=sys.stderr
    )
    return bar


# -------------------------------------------------------------------------------------- own code


def _own(arguments: argparse.Namespace) -> Iterator[_Result]:
    """A layer's gradients and then all checks of it, or a model's gradients."""
    from tinycnn.checking.targets.own_code import load
    from tinycnn.model import Sequential
    from tinycnn.testing import check_layer

    make = load(arguments.target, arguments.args)
    own = make()
    if isinstance(own, Sequential):
        yield _guarded(arguments.target, lambda: _gradients_of_model(own, arguments))
        return
    shape = _input_of(arguments)
    first = _guarded(arguments.target, lambda: _gradients_of_layer(own, shape, arguments))
    yield first
    if not isinstance(first, _Raised):
        yield check_layer(cast("Callable[[], Layer]", make), shape, seed=arguments.seed)


def _input_of(arguments: argparse.Namespace) -> tuple[int, ...]:
    if arguments.input is None:
        raise ArgumentError("a layer needs the shape of one input: --input 8,8,3")
    shape: tuple[int, ...] = arguments.input
    return shape


def _gradients_of_layer(
    layer: Layer, shape: tuple[int, ...], arguments: argparse.Namespace
) -> _Result:
    from tinycnn.checking import gradcheck

    return gradcheck(deepcopy(layer), _inputs(shape, arguments.seed), **_options(arguments))


def _inputs(shape: tuple[int, ...], seed: int) -> Array:
    """A batch for a layer."""
    import numpy as np

    from tinycnn.checking.values import separated

    return separated(np.random.default_rng(seed), (_SAMPLES, *shape))


def _gradients_of_model(model: Sequential, arguments: argparse.Namespace) -> _Result:
    from tinycnn.checking import gradcheck

    x, labels = _batch_of(model, arguments.seed)
    return gradcheck(model, x, labels=labels, **_options(arguments))


def _batch_of(model: Sequential, seed: int) -> tuple[Any, Any]:
    """Two inputs of a model, and labels if it ends in classes."""
    import numpy as np

    from tinycnn.checking.values import separated

    rng = np.random.default_rng(seed)
    x = separated(rng, (2, *model.input_shape))
    classes = model.layers[-1].activation is SOFTMAX and len(model.shapes[-1]) == 1
    return x, rng.integers(0, model.shapes[-1][0], 2) if classes else None


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "samples": arguments.samples,
        "directions": arguments.directions,
        "rng": arguments.seed,
    }


def _guarded(source: str, check: Callable[[], _Result]) -> _Result:
    """Run a check; an error of the user's code is its result."""
    from tinycnn.checking.targets.own_code import format_user_error

    try:
        return check()
    except TinyCNNError:
        raise
    except Exception as error:
        return _Raised(source, format_user_error(error, {source.rpartition(":")[0]}))


def _explained(arguments: argparse.Namespace) -> _Result:
    """One derivative of a user's layer or model, or of AlexNet mini with its loss."""
    from tinycnn.checking.error_curve import Curve, explain
    from tinycnn.checking.targets.own_code import load
    from tinycnn.model import Sequential
    from tinycnn.networks import alexnet

    own: Layer | Sequential
    if arguments.target is None:
        own = alexnet(variant="mini", rng=arguments.seed, dtype="float64")
    else:
        own = load(arguments.target, arguments.args)()
    if isinstance(own, Sequential):
        x, labels = _batch_of(own, arguments.seed)
    else:
        x, labels = _inputs(_input_of(arguments), arguments.seed), None
    curve = _guarded(arguments.target or "", lambda: explain(
        deepcopy(own), x, where=arguments.explain, labels=labels, rng=arguments.seed
    ))  # fmt: skip
    if arguments.save and isinstance(curve, Curve):
        curve.save(arguments.save)
        print(f"tinycnn: wrote {arguments.save}", file=sys.stderr)
    return curve


def _exercise(file: str) -> _Result:
    from tinycnn.checking.targets.own_code import layers_in
    from tinycnn.classroom.exercises import grade, is_exercise

    if not file.endswith(".py"):
        raise ArgumentError(f"TARGET is FILE.py:NAME, or FILE.py for an exercise, got {file!r}")
    if not is_exercise(file):
        raise ArgumentError(
            f"{file} is no exercise: say what in it is to be checked, as in {file}:NAME; "
            f"{layers_in(file)}"
        )
    return grade(file)


# ------------------------------------------------------------------------------------- arguments


def _refuse_stray(arguments: argparse.Namespace) -> None:
    """Refuse options that would otherwise be passed over in silence."""
    seed(arguments)
    for name in ("samples", "directions"):
        if getattr(arguments, name) is not None:
            check_int(getattr(arguments, name), f"--{name}", least=0)
    own = arguments.target is not None and ".py:" in arguments.target
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
