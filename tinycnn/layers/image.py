"""What layers share that slide a window over images."""

from __future__ import annotations

from collections.abc import Sequence

from tinycnn.errors import ShapeError
from tinycnn.layers.base import Layer
from tinycnn.layers.context import Shape
from tinycnn.shapes import Padding, times
from tinycnn.validation import Pair


class ImageLayer(Layer):
    """A layer that takes images (H, W, C)."""

    def image_shape(self, input_shape: Shape) -> tuple[int, int, int]:
        """Check that the input is one image, (H, W, C)."""
        if len(input_shape) != 3:
            raise ShapeError(
                f"takes images (H, W, C), but its input has shape {tuple(input_shape)}; put it before "
                f"the layer that flattens them"
            )
        H, W, C = input_shape
        return H, W, C


def fixed_padding(padding: Padding) -> Padding:
    """The same padding, in tuples: a list could be changed later."""
    if isinstance(padding, Sequence) and not isinstance(padding, str):
        return tuple(map(fixed_padding, padding))  # type: ignore[return-value]
    return padding


def changed(**given: tuple[object, object]) -> dict[str, str]:
    """The arguments, each (value, usual value), that are not as usual."""
    details = [f"{name} {value}" for name, (value, usual) in given.items() if value != usual]
    return {"details": ", ".join(details)} if details else {}


def window_facts(kernel: Pair, stride: Pair, padding: Padding) -> dict[str, str]:
    """What the summary says of a window."""
    return {
        "kernel": times(kernel),
        "stride": str(stride[0]) if stride[0] == stride[1] else times(stride),
        "padding": str(padding),
    }
