"""The rows of a network as questions: each layer's output size, and its number of parameters."""

from __future__ import annotations

from collections.abc import Iterator

from tinycnn.errors import UnknownNameError
from tinycnn.explain.asking.answers import Integers, Number
from tinycnn.explain.asking.prediction import Prediction
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.readers.style import paragraph
from tinycnn.layers import Layer, Shape
from tinycnn.model import Sequential
from tinycnn.shapes import times
from tinycnn.wording import a, many, plural


def questions(model: Sequential, only: str | None = None) -> Iterator[Prediction]:
    """The sizes and parameter counts of all layers, or of one; UnknownNameError if it is not there."""
    names = [layer.name for layer in model.layers]
    if only not in (None, *names):
        raise UnknownNameError(
            f"there is no layer {only!r}; there are {', '.join(map(str, names))}"
        )
    return _questions(model, only)


def _questions(model: Sequential, only: str | None) -> Iterator[Prediction]:
    for layer, shape in zip(model.layers, model.shapes, strict=False):
        if only in (None, layer.name):
            yield _size(layer, shape)
            if explainer_of(layer).parameter_count(shape):
                yield _parameters(layer, shape)


def _size(layer: Layer, shape: Shape) -> Prediction:
    explainer, size = explainer_of(layer), layer.output_shape(shape)
    names = ("height", "width", f"number of {plural(explainer.channel)}")[-len(size) :]
    kind = a(type(layer).__name__)
    facts = ", ".join([f"{layer.name}, {kind}, reads {times(shape)}", *_facts(layer)])
    return Prediction(
        "\n".join(paragraph(facts)),
        f"What size is the output of {layer.name}?",
        Integers(size, names if len(size) in (1, 3) else ("size",) * len(size), times(size)),
        tuple(explainer.size_slips(shape)),
        solution=f"{explainer.size_formula(shape)}; {times(size)}",
    )


def _facts(layer: Layer) -> Iterator[str]:
    for name, value in layer.facts().items():
        if name != "filters":
            yield f"{name} {value}"
        elif str(value).isdigit():
            yield many(int(value), explainer_of(layer).channel)
        else:
            yield str(value)


def _parameters(layer: Layer, shape: Shape) -> Prediction:
    explainer = explainer_of(layer)
    count = explainer.parameter_count(shape)
    return Prediction(
        "",
        f"How many parameters has {layer.name}?",
        Number(float(count), 0.0, f"{count:,}"),
        tuple(explainer.count_slips(shape)),
        solution=explainer.parameter_formula(shape),
    )
