"""Mistakes in a convolution's forward pass."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments, mistakes_in
from tinycnn.checking.mistakes.naive import convolution
from tinycnn.checking.mistakes.rearranged import height_and_width_swapped, moved, rotated180
from tinycnn.checking.mistakes.sums import first_image_only


def around(cells: int) -> tuple[tuple[int, int], ...]:
    """Padding of images on all sides, as np.pad takes it."""
    return (0, 0), (cells, cells), (cells, cells), (0, 0)


def wrapped_images(a: Arguments) -> Array:
    """Padded images; above and left stand their last rows and columns: x[n, -1] is no error in Python."""
    p = a["padding"]
    before, after = ((0, 0), (p, 0), (p, 0), (0, 0)), ((0, 0), (0, p), (0, p), (0, 0))
    return np.pad(np.pad(a["x"], before, mode="wrap"), after)


def _moved_windows(a: Arguments, by: int) -> Array:
    """The windows begin ``by`` cells too far down and right."""
    padded = np.pad(a["x"], around(a["padding"]))
    return convolution(a, x=moved(padded, (1, 2), (-by, -by), fill=0.0), padding=0)


def _edge_lost(a: Arguments) -> Array:
    x = a["x"].copy()
    x[:, 0] = x[:, :, 0] = 0
    return convolution(a, x=x)


def _edge_padded(a: Arguments) -> Array:
    p = a["padding"]
    return convolution(a, x=np.pad(a["x"], around(p), mode="edge"), padding=0)


def _one_window_less(a: Arguments) -> Array:
    return convolution(a)[:, :-1, :-1]


CONVOLUTION = mistakes_in(
    "y",
    (
        lambda a: convolution(a, W=rotated180(a["W"])),
        "flipped kernel",
        "the kernel flipped (turned by 180 degrees), because y is what x*W gives with W[::-1, ::-1]: "
        "the field's convolution does not turn it, cell (i, j) of the kernel meets cell (oh + i, ow + j)",
    ),
    (
        lambda a: convolution(a, W=height_and_width_swapped(a["W"])),
        "height and width swapped",
        "height and width of the kernel swapped, because y is what W.transpose(1, 0, 2, 3) gives",
    ),
    (
        lambda a: height_and_width_swapped(convolution(a), (1, 2)),
        "height and width swapped",
        "height and width of y swapped, because y is transposed: y[n, ow, oh, f]",
    ),
    (
        lambda a: convolution(a, b=np.zeros_like(a["b"])),
        "bias",
        "the bias missing, because y is what b = 0 gives",
    ),
    (
        lambda a: convolution(a, b=a["b"] * a["W"][:, :, :, 0].size),
        "bias",
        "the bias added once for each product instead of once for each cell of y, because y has "
        "KH*KW*C times the bias in it: add it outside the inner loops",
    ),
    (
        lambda a: convolution(a, stride=1)[:, : convolution(a).shape[1], : convolution(a).shape[2]],
        "stride",
        "the stride left out, because the windows begin at oh, ow and not at oh*stride, ow*stride",
    ),
    (
        lambda a: convolution(a, padding=0),
        "padding",
        "the padding left out, because y is what padding = 0 gives",
    ),
    (
        lambda a: _moved_windows(a, 1),
        "padding",
        "the padding off by one, because each window begins one cell too far down and right",
    ),
    (
        lambda a: _moved_windows(a, -1),
        "padding",
        "the padding off by one, because each window begins one cell too far up and left",
    ),
    (
        lambda a: _moved_windows(a, a["padding"]),
        "padding",
        "the padding on the wrong side, because the windows begin at oh*stride, ow*stride in the image: "
        "with padding they begin `padding` cells further up and left",
    ),
    (
        _edge_padded,
        "padding",
        "padding with the edge's numbers, because y is what np.pad(mode='edge') gives: the padding is 0",
    ),
    (
        lambda a: convolution(a, x=wrapped_images(a), padding=0),
        "negative indices",
        "negative indices that wrap around, because above and left of the image y has read its last "
        "rows and columns: x[n, -1] is the last row in Python, so test 0 <= h and 0 <= w",
    ),
    (
        _edge_lost,
        "bounds",
        "a bound off by one, because row 0 and column 0 of the image are taken for padding: "
        "inside is 0 <= h < H",
    ),
    (
        _one_window_less,
        "bounds",
        "the last window left out, because y has a row and a column less: "
        "OH = (H + 2*padding - KH) // stride + 1",
    ),
    (
        lambda a: first_image_only(convolution(a)),
        "one image",
        "the batch left out, because only the first image's y is filled in",
    ),
    (
        lambda a: np.repeat(convolution(a)[:1], len(a["x"]), axis=0),
        "one image",
        "the batch left out, because every image has the first image's y",
    ),
    (
        lambda a: convolution(a, x=a["x"][..., :1], W=a["W"][:, :, :1]),
        "channels",
        "the sum over the channels left out, because y is that of channel 0 alone",
    ),
    (
        lambda a: convolution(a, W=np.repeat(a["W"][..., :1], a["W"].shape[3], axis=3)),
        "channels",
        "filter 0 used for all, because each y[..., f] is made with W[..., 0]",
    ),
)
