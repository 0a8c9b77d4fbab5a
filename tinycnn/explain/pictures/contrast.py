"""A picture brought to shades in which something is seen, and words where nothing can be."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array

_COLOURS = ("red", "green", "blue")
_ALIKE = (
    8  # colours are equally bright where one of them varies so many times as much as all together
)


def stretched(values: Array) -> Array:
    """Numbers 0 .. 255 stretched to all of black to white, but for what is the same everywhere."""
    dark, light = np.percentile(values, [2, 98])
    if dark == light:  # a thin line on a large ground is seen as well
        dark, light = values.min(), values.max()
    if _is_flat(values):
        return values
    spread: Array = np.clip((values - dark) * (255 / max(light - dark, 1)), 0, 255)
    return spread


def brightness(pixels: Array) -> Array:
    """The mean (H, W) of the colours (H, W, C), or where that tells nothing, the colour that does."""
    colour = _telling(pixels)
    bright: Array = pixels.mean(axis=2) if colour is None else pixels[:, :, colour]
    return bright


def remark(pixels: Array, *, colours: bool) -> str:
    """What to say beside a picture, drawn in its ``colours`` or in greys; "" where it is plain."""
    if _is_flat(pixels):
        return f"every pixel is {', '.join(map(str, pixels[0, 0]))}"
    colour = None if colours else _telling(pixels)
    if colour is None:
        return ""
    return f"in grey its colours look alike: drawn by how {_COLOURS[colour]} they are"


def _is_flat(values: Array) -> bool:
    return bool((values == values[0, 0]).all())


def _telling(pixels: Array) -> int | None:
    """The colour that varies most, where the colours together hardly vary; None where they do."""
    together = np.ptp(pixels.mean(axis=2))
    alone = np.ptp(pixels.astype(np.float64), axis=(0, 1))
    return int(alone.argmax()) if alone.max() > _ALIKE * together else None
