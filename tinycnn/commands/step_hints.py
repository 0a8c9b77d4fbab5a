"""What the messages of ``tinycnn step`` offer: commands that open some number of the network at hand."""

from __future__ import annotations

from collections.abc import Sequence

from tinycnn.model import Sequential
from tinycnn.wording import option


def cell(model: Sequential, command: str, layer: str | None = None) -> str:
    """A command that opens a cell of ``layer``, or of the first convolution, or the first layer."""
    names = [layer.name for layer in model.layers]
    position = names.index(layer) if layer in names else (_convolution(model) or 0)
    name = option("--layer", names[position])
    return f": {command} {name} --at {_middle(model.shapes[position + 1])}"


def gradients(model: Sequential, command: str) -> str:
    """Commands that open an input's gradient and a parameter's."""
    last = len(model.layers) - 1
    position = min((_convolution(model) or 0) + 1, last)
    name = option("--grad", f"{model.layers[position].name}.x")
    opened = f": {command} {name} --at {_middle(model.shapes[position])}"
    return f"{opened}{weight(model, command).replace(':', ' or', 1)}"


def weight(model: Sequential, command: str) -> str:
    """A command that opens a parameter's gradient; nothing where there are no parameters."""
    for name, shape in model.parameter_shapes().items():
        return f": {command} {option('--weight', f'{name}[{_middle(shape)}]')}"
    return ""


def im2col(model: Sequential, command: str, layer: str | None = None) -> str:
    """A command that opens a row of im2col's matrix, of ``layer`` if it is a convolution."""
    position = _convolution(model, layer)
    if position is None:
        position = _convolution(model)
    if position is None:
        return ", of a convolution, and this network has none"
    name = option("--layer", model.layers[position].name)
    return f": {command} {name} --im2col --at {_middle(model.shapes[position + 1][:2])}"


def _convolution(model: Sequential, name: str | None = None) -> int | None:
    """Where the first layer stands that im2col turns into a product, or the one of that name."""
    rows = enumerate(zip(model.layers, model.shapes, strict=False))
    fit = (
        i for i, (layer, shape) in rows if layer.im2col_cells(shape) and name in (None, layer.name)
    )
    return next(fit, None)


def _middle(shape: Sequence[int]) -> str:
    return ",".join(str(size // 2) for size in shape)
