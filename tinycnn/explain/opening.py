"""Which number of a trace is meant, read from its name and its place, and who opens it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.explain import gradients
from tinycnn.explain.cells import open_cell
from tinycnn.explain.chosen_losses import open_chosen_loss
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.im2col_row import open_im2col
from tinycnn.explain.loss import open_loss
from tinycnn.explain.not_finite import origin
from tinycnn.explain.values.explanation import Explanation
from tinycnn.explain.values.opened_parts import open_part
from tinycnn.explain.values.places import Cell
from tinycnn.trace import Trace
from tinycnn.validation import check_int
from tinycnn.wording import a, many, plural

RATE = 0.01  # of the step that a weight's explanation takes


def explain(
    trace: Trace,
    what: str,
    at: Sequence[int] | None = None,
    *,
    sample: int = 0,
    rate: float = RATE,
    part: str | None = None,
) -> Explanation:
    """Open one number of ``trace``, for image ``sample``.

    ``what`` is a layer ("conv2": a cell of its output), a parameter ("conv1.W": its gradient), a
    layer's "x", "y" or "z" (the gradient of its input, its output, and before its activation), or
    "loss". ``at`` is the place; it may stand in brackets too: "conv1.W[5,5,0,3]". Negative places
    count from the end. ``rate`` is that of a step of SGD that is tried with a parameter. ``part`` opens
    another part of the sum than the largest, by its address as the text gives it: "2,3", and within that
    "2,3/0". Raises UnknownNameError for what is not there, ArgumentError for a part that does not open.
    """
    with np.errstate(all="ignore"):  # what is not finite is said in words
        opened = _explained(trace, what, at, sample, rate)
        finite = math.isfinite(opened.value) and all(check.finite for check in opened.checks)
        begins = None if finite else origin(trace)
    opened = opened if begins is None else opened.with_note("BEGINS", begins)
    return opened if part is None else open_part(opened, part)


def _explained(
    trace: Trace, what: str, at: Sequence[int] | None, sample: int, rate: float
) -> Explanation:
    name, at = _named(what, at)
    _check_sample(trace, sample)
    if name == "loss":
        if at is not None:
            raise ArgumentError(f"an image has one loss, which has no place; got {what!r} at {at}")
        if trace.labels is None or trace.loss_function is None:
            raise ArgumentError("there is no loss yet: run trace.backward(labels=...) first")
        if not trace.loss_function.is_plain:
            return open_chosen_loss(trace, sample)
        return open_loss(trace, trace.labels, sample)
    position, part = _find(trace, name)
    record = trace.records[position]
    explainer = explainer_of(record.layer)
    if part == "y":
        gradients.expect_output_gradient(trace, position)
    if at is None:
        raise ArgumentError(
            f"which number of {name}? give its place, such as at={_middle(trace, position, part)}"
        )
    if part in record.params:
        axes = explainer.parameter_axes.get(part, ())
        index = _place(name, at, record.params[part].shape, axes)
        return gradients.open_parameter(Cell(trace, position, index, 0), part, rate)
    array, channel = (record.x, "channel") if part == "x" else (record.y, explainer.channel)
    place = _place(name, at, array.shape[1:], ("row", "column", channel))
    opener = {
        "": open_cell,
        "x": gradients.open_input,
        "y": gradients.open_output,
        "z": gradients.open_logits,
    }[part]
    return opener(Cell(trace, position, place, sample))


def some_number(trace: Trace, name: str) -> str:
    """A number of ``name`` that `explain` opens, such as "conv1.W[5,5,1,48]"; raises as it does."""
    position, part = _find(trace, name)
    if part == "y":
        gradients.expect_output_gradient(trace, position)
    return f"{name}[{','.join(map(str, _middle(trace, position, part)))}]"


def parameter_place(trace: Trace, what: str) -> tuple[str, tuple[int, ...]]:
    """The parameter and the place in it that ``what`` names, such as "conv1.W[5,5,0,3]".

    Raises UnknownNameError for what is not there, ArgumentError for what names no number of a parameter.
    """
    name, at = _named(what, None)
    position, part = _find(trace, name)
    record = trace.records[position]
    if part not in record.params:
        raise ArgumentError(f"{what!r} is no number of a parameter, such as {_example(trace)}")
    if at is None:
        raise ArgumentError(f"which number of {name}? such as {some_number(trace, name)}")
    axes = explainer_of(record.layer).parameter_axes.get(part, ())
    return name, _place(name, at, record.params[part].shape, axes)


def steepest(trace: Trace) -> tuple[str, tuple[int, ...]]:
    """The largest gradient of the first W, or else of the first parameter, once backward has run."""
    found = [(record.name, record.grads) for record in trace.records if record.grads]
    layer, gradients = next((each for each in found if "W" in each[1]), found[0])
    part = "W" if "W" in gradients else next(iter(gradients))
    gradient = gradients[part]
    place = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)
    return f"{layer}.{part}", tuple(int(i) for i in place)


def im2col_row(trace: Trace, name: str, at: Sequence[int], *, sample: int = 0) -> Explanation:
    """Open the row of im2col's matrix that belongs to place ``at`` (row, column) of layer ``name``."""
    position, part = _find(trace, name)
    _check_sample(trace, sample)
    if part:
        raise ArgumentError(f"im2col unrolls a layer's input: name the layer, not {name}")
    record = trace.records[position]
    explainer = explainer_of(record.layer)
    if not explainer.unrolls:
        kind = type(record.layer).__name__
        raise ArgumentError(f"{record.name} is {a(kind)}: im2col is for convolutions")
    place = _place(name, at, record.y.shape[1:3], ("row", "column"))
    return open_im2col(Cell(trace, position, place, sample), explainer.layer)


def _named(what: str, at: Sequence[int] | None) -> tuple[str, Sequence[int] | None]:
    """Read a name and the place that may stand behind it in brackets."""
    try:
        found = re.fullmatch(r"([^\[\]]*)(\[[^\[\]]*\])?", what)
        if found is None:
            raise ValueError
        name, bracket = found.groups()
        numbers = bracket[1:-1].split(",") if bracket not in (None, "[]") else []
        inside = tuple(map(int, numbers)) if bracket else None
    except (TypeError, ValueError):
        raise ArgumentError(f"{what!r} is not a name such as conv1.W[5,5,0,3]") from None
    if inside is not None and at is not None:
        raise ArgumentError(f"the place is given twice, by {what!r} and by at={at!r}")
    return name, at if inside is None else inside


def _example(trace: Trace) -> str:
    """Some number of the first parameter."""
    record = next(record for record in trace.records if record.params)
    return some_number(trace, f"{record.name}.{next(iter(record.params))}")


def _check_sample(trace: Trace, sample: int) -> None:
    check_int(sample, "sample", least=0)
    if sample >= len(trace.y):
        raise UnknownNameError(
            f"the trace holds {many(len(trace.y), 'image')}, from 0 on; got {sample}"
        )


def _find(trace: Trace, name: str) -> tuple[int, str]:
    """Position of the layer that ``name`` begins with, and the part behind the dot."""
    names = [record.name for record in trace.records]
    layer, part = (name, "") if name in names else name.rpartition(".")[::2]
    if layer not in names:
        raise UnknownNameError(f"there is no layer {layer or name!r}; there are {', '.join(names)}")
    position = names.index(layer)
    parts = [*trace.records[position].params, "x", "y", "z"]
    if part and part not in parts:
        raise UnknownNameError(f"{layer} has no {part!r}; it has {', '.join(parts)}")
    return position, part


def _place(
    name: str, at: Sequence[int], shape: tuple[int, ...], axes: Sequence[str]
) -> tuple[int, ...]:
    """Check a place against a shape; ``axes`` names the axes where there are as many."""
    if len(axes) != len(shape):
        axes = (
            ("unit",)
            if len(shape) == 1
            else ("input", "unit")
            if len(shape) == 2
            else [f"axis {i}" for i in range(len(shape))]
        )
    try:
        at = tuple(at)
    except TypeError:
        raise ArgumentError(f"a place in {name} is {_words(axes)}, got {at!r}") from None
    if len(at) != len(shape):
        got = many(len(at), "number")
        raise UnknownNameError(f"a place in {name} is {_words(axes)}; got {got}")
    place = []
    for axis, index, size in zip(axes, at, shape, strict=True):
        index = check_int(index, axis, least=-(2**63))
        if not -size <= index < size:
            raise UnknownNameError(
                f"{name} has {_places(axis, size)} (or -{size} .. -1 from the end), got {index}"
            )
        place.append(index % size)
    return tuple(place)


def _places(axis: str, size: int) -> str:
    """What an axis has: ``rows 0 .. 26``, and of one that has only a number, ``places 0 .. 2 on axis 1``."""
    if axis.startswith("axis "):
        return f"places 0 .. {size - 1} on {axis}"
    return f"{plural(axis)} 0 .. {size - 1}"


def _words(axes: Sequence[str]) -> str:
    return ", ".join(axes) if len(axes) > 1 else f"one number, its {axes[0]}"


def _middle(trace: Trace, position: int, part: str) -> tuple[int, ...]:
    record = trace.records[position]
    shape = (
        record.params[part].shape
        if part in record.params
        else (record.x if part == "x" else record.y).shape[1:]
    )
    return tuple(size // 2 for size in shape)
