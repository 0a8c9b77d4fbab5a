"""Cells of a forward pass, opened: for each kind of layer, what made the number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinycnn.explain.explanation import (
    Explanation,
    Notes,
    Section,
)
from tinycnn.explain.function_cells import (
    open_dropout,
    open_flatten,
    open_local_response_norm,
    open_relu,
    open_softmax,
)
from tinycnn.explain.places import Place, next_layer, picture_of, sees, words_of
from tinycnn.explain.sum_cells import (
    open_average_pool,
    open_convolution,
    open_dense,
    open_max_pool,
)
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.passes import Record
from tinycnn.trace import Trace


def open_cell(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain cell ``place`` of layer ``position``'s output, for image ``sample``."""
    record = trace.records[position]
    kind = next((kind for kind in _OPENERS if isinstance(record.layer, kind)), None)
    sections: list[Section] = [sees(trace, position, place)]
    if kind is None:
        words = (
            f"{record.name} is a layer of your own: its arithmetic cannot be opened from outside"
        )
        sections.append(Notes("HOW", (words,)))
    else:
        sections += _OPENERS[kind](record, place, sample)
    sections.append(Notes("NEXT", next_layer(trace, position, place, sample)))
    return Explanation(
        f"{record.name}, {words_of(record.layer, place)}",
        float(record.y[(sample, *place)]),
        place,
        picture_of(trace, sample),
        tuple(sections),
    )


_OPENERS: dict[type[Layer], Callable[[Record, Place, int], Sequence[Section]]] = {
    Conv2D: open_convolution,
    Dense: open_dense,
    MaxPool2D: open_max_pool,
    AveragePool2D: open_average_pool,
    ReLU: open_relu,
    Softmax: open_softmax,
    Dropout: open_dropout,
    LocalResponseNorm: open_local_response_norm,
    Flatten: open_flatten,
}
