"""What ``tinycnn gradcheck`` runs: the battery, the full network, a user's file, one derivative, an exercise.

All that is heavy is imported where it is used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from tinycnn.errors import ArgumentError, TinyCNNError
from tinycnn.files import code_file
from tinycnn.wording import format_user_error

if TYPE_CHECKING:
    from tinycnn.arrays import Array
    from tinycnn.layers import Layer
    from tinycnn.model import Sequential

_SAMPLES = 3  # of a layer's batch

T = TypeVar("T")


class CheckOutcome(Protocol):
    """What every check gives: a verdict, and everything as plain data; its ``str`` is printed."""

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


# --------------------------------------------------------------------------------------- engine


def whole_engine(arguments: argparse.Namespace) -> CheckOutcome:
    """Check every op and layer, and AlexNet "mini"."""
    from tinycnn.checking.battery import runs

    cases = runs.all_cases(arguments.seed)
    results = runs.run(
        cases, seed=arguments.seed, samples=arguments.samples, directions=arguments.directions
    )
    return runs.BatteryReport(list(_with_bar(results, len(cases))))


def full_network(arguments: argparse.Namespace) -> CheckOutcome:
    """Check the full AlexNet."""
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


def own_code(arguments: argparse.Namespace) -> Iterator[CheckOutcome]:
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
) -> CheckOutcome:
    from tinycnn.checking import gradcheck

    return gradcheck(deepcopy(layer), _inputs(shape, arguments.seed), **_options(arguments))


def _inputs(shape: tuple[int, ...], seed: int) -> Array:
    """A batch of inputs of ``shape`` for a layer, their values well apart."""
    import numpy as np

    from tinycnn.checking.values import separated

    return separated(np.random.default_rng(seed), (_SAMPLES, *shape))


def _gradients_of_model(model: Sequential, arguments: argparse.Namespace) -> CheckOutcome:
    from tinycnn.checking import gradcheck

    x, labels = _batch_of(model, arguments.seed)
    return gradcheck(model, x, labels=labels, **_options(arguments))


def _batch_of(model: Sequential, seed: int) -> tuple[Any, Any]:
    """Two inputs of a model, and labels if it ends in classes."""
    import numpy as np

    from tinycnn.checking.values import separated
    from tinycnn.layers.activation import SOFTMAX

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


def _guarded(source: str, check: Callable[[], CheckOutcome]) -> CheckOutcome:
    """Run a check; an error of the user's code is its result."""
    try:
        return check()
    except TinyCNNError:
        raise
    except Exception as error:
        return _Raised(source, format_user_error(error, {code_file(source)}))


def one_derivative(arguments: argparse.Namespace) -> CheckOutcome:
    """One derivative of a user's layer or model, or of AlexNet mini with its loss."""
    from tinycnn.checking import Curve, explain
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


def exercise(file: str) -> CheckOutcome:
    """Grade a filled-in exercise."""
    from tinycnn.checking.targets.own_code import source_of
    from tinycnn.classroom.exercises import EXERCISES
    from tinycnn.classroom.grading import grade, is_exercise

    if not file.endswith(".py"):
        raise ArgumentError(f"TARGET is FILE.py:NAME, or FILE.py for an exercise, got {file!r}")
    source_of(Path(file))
    if not is_exercise(file):
        raise ArgumentError(
            f"{file} is no exercise: it has no line EXERCISE = {next(iter(EXERCISES))!r} or the like, as "
            f"the skeleton has; a layer or model of yours is checked by its name, {file}:NAME"
        )
    return grade(file)
