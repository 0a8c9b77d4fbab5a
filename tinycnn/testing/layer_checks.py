"""What is asked of every layer, a check each; `tinycnn.testing.gradients` has those of gradients."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from tinycnn.errors import CheckFailedError
from tinycnn.layers import IDENTITY, ForwardContext
from tinycnn.testing.comparing import agree, copied, expect_shapes, unchanged
from tinycnn.testing.layouts import laid_out
from tinycnn.testing.subject import Given, Pass, Subject
from tinycnn.testing.threads import at_once, interrupted, switching
from tinycnn.validation import check_int

_SAME_MATH = 1e-12  # sums in another order, in float64, of the largest value
_FLOAT32 = 1e-4  # a float32 pass against a float64 pass, likewise
_LAYOUTS = {
    "Fortran": "in Fortran order",
    "transposed": "a transposed view",
    "reversed": "a view with negative strides",
    "spread": "a view that is not contiguous",
}
_THREADS = 4
_ROUNDS = 5


def shapes(subject: Subject) -> None:
    """What comes out has the shapes that output_shape and parameter_shapes say."""
    for size in (*subject.output_shape, *sum(subject.parameter_shapes.values(), ())):
        with subject.reporting("output_shape or parameter_shapes"):
            check_int(size, "each size")
    for N in (1, 2, 3):
        given = subject.given(N)
        for words, context in subject.contexts():
            passed = subject.run(given, context)
            when = f"for a batch of {N} {words}"
            expected = {"y": (N, *subject.output_shape), **_gradient_shapes(given)}
            expect_shapes(passed, expected, when)


def no_mutation(subject: Subject) -> None:
    """Forward and backward leave x, dy and the parameters as they were."""
    for dtype in (np.float64, np.float32):
        for words, context in subject.contexts():
            given = subject.given(dtype=dtype)
            before = {name: array.copy() for name, array in given.arrays().items()}
            y, saved = subject.forward(given, context)
            unchanged(before, given, f"forward writes into {{}} {words}")
            subject.backward(given, y, saved, context)
            unchanged(before, given, f"backward writes into {{}} {words}")


def memory_order(subject: Subject) -> None:
    """The same numbers give the same result however they lie in memory."""
    for words, context in subject.contexts():
        expected = subject.run(subject.given(), context)
        for layout, named in _LAYOUTS.items():
            given = subject.given().each(partial(laid_out, layout=layout))
            when = f"where x, dy and the parameters are each {named} ({words})"
            agree(subject.run(given, context), expected, when, _SAME_MATH)


def read_only_inputs(subject: Subject) -> None:
    """Read-only x, dy and parameters, as a model hands them in, are enough."""
    for words, context in subject.contexts():
        given = subject.given().each(partial(laid_out, layout="read-only"))
        expected = subject.run(subject.given(), context)
        agree(subject.run(given, context), expected, f"where all inputs are read-only ({words})")


def empty_batch(subject: Subject) -> None:
    """A batch of no samples gives an empty output, and gradients of zero."""
    for words, context in subject.contexts():
        given = subject.given(0)
        with warnings.catch_warnings(), subject.reporting("a pass without samples"):
            warnings.simplefilter("error", RuntimeWarning)  # 0/0, and the mean of nothing
            passed = subject.run(given, context)
        when = f"for an empty batch {words}"
        expect_shapes(passed, {"y": (0, *subject.output_shape), **_gradient_shapes(given)}, when)
        for name, array in passed.arrays.items():
            if array.any():
                raise CheckFailedError(
                    f"{name} must be zero {when}, for no sample has a part in it; got "
                    f"{array[array != 0][0]:g}"
                )


def batch_independence(subject: Subject) -> None:
    """In inference each sample gives what it gives alone, unless ``batch_independent`` is False."""
    if not subject.batch_independent:
        return
    given, context = subject.given(), subject.context()
    batch = subject.run(given, context)
    alone = []
    for i in range(len(given.x)):
        one = Given(given.x[i : i + 1], given.dy[i : i + 1], given.params)
        alone.append(subject.run(one, replace(context, first_sample=i)).arrays)
    joined = {
        name: np.concatenate([passed[name] for passed in alone])
        if name in ("y", "dx")
        else np.sum([passed[name] for passed in alone], axis=0)
        for name in batch.arrays
    }
    when = "between samples one by one and in a batch; if that is meant, batch_independent = False"
    agree(Pass(joined, None), batch, when, _SAME_MATH)


def determinism(subject: Subject) -> None:
    """The same pass gives the same bits, again and from a layer made anew; so does its backward."""
    for words, context in subject.contexts():
        given = subject.given()
        first = subject.run(given, context)
        kept = copied(first)
        again = subject.backward(given, first.arrays["y"], first.saved, context)
        agree(again, kept, f"when backward runs a second time on what forward saved ({words})")
        agree(subject.run(given, context), kept, f"when the same pass runs again ({words})")
        anew = subject.run(given, context, subject.make())
        agree(anew, kept, f"when a layer made anew runs the same pass ({words})")


def no_state(subject: Subject) -> None:
    """A backward, and an output, are those of their own forward, whatever ran in between."""
    for words, context in subject.contexts():
        given, other = subject.given(), subject.given(draw=1)
        kept = copied(subject.run(given, context))
        y, saved = subject.forward(given, context)
        subject.run(other, context)
        late = subject.backward(given, y, saved, context)
        when = f"when another pass runs between forward and backward ({words}): keep in saved what "
        agree(late, kept, f"{when}backward needs, not in the layer")


def thread_safety(subject: Subject) -> None:
    """One layer in several threads at once gives the bits that it gives alone."""
    given = [subject.given(draw=draw) for draw in range(_THREADS)]
    for words, context in subject.contexts():
        expected = [copied(subject.run(one, context)) for one in given]
        when = f"when other threads use the layer ({words}): keep nothing in the layer"
        with switching():
            for _ in range(_ROUNDS):
                for passed, alone in zip(_at_once(subject, given, context), expected, strict=True):
                    agree(passed, alone, when)
        runs = [partial(_run_and_copy, subject, one, context) for one in given[:2]]
        for place, *both in interrupted(runs[0], runs[1], subject.files):
            for result, alone in zip(both, expected, strict=False):
                agree(_raised(result), alone, f"{when}; another thread came in at {place}")


def pickling(subject: Subject) -> None:
    """The layer pickles and copies, and the copy computes the same."""
    given = subject.given()
    with subject.reporting("pickle"):
        pickled = pickle.loads(pickle.dumps(subject.layer))
    with subject.reporting("copy.deepcopy"):
        deep = copy.deepcopy(subject.layer)
    for words, context in subject.contexts():
        expected = subject.run(given, context)
        for layer, named in ((pickled, "pickled and read back"), (deep, "copied by copy.deepcopy")):
            agree(subject.run(given, context, layer), expected, f"in a layer {named} ({words})")


def dtypes(subject: Subject) -> None:
    """A float32 pass agrees with a float64 pass to float32's digits."""
    for words, context in subject.contexts():
        narrow = subject.given(dtype=np.float32)
        wide = narrow.each(lambda array: array.astype(np.float64))
        passed = subject.run(narrow, context)
        for name, array in passed.arrays.items():
            if array.dtype.kind != "f":
                raise CheckFailedError(f"{name} must hold floats {words}, got {array.dtype}")
        when = f"between float32 and float64 {words}"
        agree(passed, subject.run(wide, context), when, _FLOAT32)


def context_options(subject: Subject) -> None:
    """The gradients are the same without need_dx, and with places for them in context.out."""
    given = subject.given()
    for words, context in subject.contexts():
        expected = subject.run(given, context)
        gradients = {name: array for name, array in expected.arrays.items() if name != "dx"}
        without = subject.run(given, context, need_dx=False)
        agree(without, Pass(gradients, None), f"where context.need_dx is false ({words})")
        out = {name: np.full(array.shape, np.nan) for name, array in given.params.items()}
        placed = subject.run(given, context, out=out)
        agree(placed, expected, f"where context.out has places for the gradients ({words})")


def activation(subject: Subject) -> None:
    """The output is the ``activation`` of what forward gives without it."""
    layer = subject.layer
    if layer.activation is IDENTITY:
        return
    for words, context in subject.contexts():
        given = subject.given()
        y, _ = subject.forward(given, context)
        z, _ = subject.forward(given, context, layer.without_activation())
        made = Pass({"y": layer.activation.forward(z)}, None)
        agree(made, Pass({"y": y}, None), f"from {layer.activation.name} of z ({words})", 1e-12)


def _gradient_shapes(given: Given) -> dict[str, tuple[int, ...]]:
    return {"dx": given.x.shape, **{f"d{name}": p.shape for name, p in given.params.items()}}


def _at_once(subject: Subject, given: list[Given], context: ForwardContext) -> list[Pass]:
    """A pass in each of several threads; backward begins when all forwards have ended."""

    def work(one: Given) -> Callable[[Callable[[], Any]], Pass]:
        def run(wait: Callable[[], Any]) -> Pass:
            y, saved = subject.forward(one, context)
            wait()
            return subject.backward(one, y, saved, context)

        return run

    return [_raised(result) for result in at_once([work(one) for one in given])]


def _run_and_copy(subject: Subject, given: Given, context: ForwardContext) -> Pass:
    return copied(subject.run(given, context))


def _raised(result: Any) -> Pass:
    """The result of a thread, unless it raised."""
    if isinstance(result, Exception):
        raise result
    passed: Pass = result
    return passed
