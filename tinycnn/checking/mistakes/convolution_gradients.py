"""Mistakes in a convolution's gradients dx, dW and db."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.convolution import around, wrapped_images
from tinycnn.checking.mistakes.mistake import Arguments, mistakes_in
from tinycnn.checking.mistakes.naive import convolution_gradients
from tinycnn.checking.mistakes.rearranged import height_and_width_swapped, moved, rotated180
from tinycnn.checking.mistakes.sums import first_image_only, one_share


def _scattered(a: Arguments, *, overwrite: bool = False) -> Array:
    """The padded dx, each window's share added to it, or written over what was there."""
    padded = np.pad(np.zeros(a["x"].shape), around(a["padding"]))
    s, (KH, KW), windows = a["stride"], a["W"].shape[:2], list(np.ndindex(a["dy"].shape[:3]))
    shares, reads = (
        np.zeros((len(windows), *padded.shape)),
        np.zeros((len(windows), *padded.shape), bool),
    )
    for step, (n, oh, ow) in enumerate(windows):
        place = step, n, slice(oh * s, oh * s + KH), slice(ow * s, ow * s + KW)
        shares[place], reads[place] = a["W"] @ a["dy"][n, oh, ow], True
    if not overwrite:
        return np.asarray(shares.sum(axis=0))
    flat = (len(windows), -1)
    return one_share(shares.reshape(flat), reads.reshape(flat), last=True).reshape(padded.shape)


def _cropped(padded: Array, a: Arguments) -> Array:
    p, (H, W) = a["padding"], a["x"].shape[1:3]
    return padded[:, p : p + H, p : p + W]


def _moved(a: Arguments, shift: tuple[int, int]) -> Array:
    """dx shifted within its padding."""
    return _cropped(moved(_scattered(a), (1, 2), shift, fill=0.0), a)


def _wrapped_back(a: Arguments) -> Array:
    """What falls into the padding above and left, added to the last rows and columns: dx[n, -1]."""
    p, (H, W) = a["padding"], a["x"].shape[1:3]
    padded, dx = _scattered(a), np.zeros(a["x"].shape)
    for h, w in np.ndindex(p + H, p + W):
        dx[:, h - p, w - p] += padded[:, h, w]
    return dx


def _last_window(a: Arguments) -> Array:
    """The dW of the last window alone: assigned in the loop instead of added."""
    alone = np.zeros_like(a["dy"])
    alone[-1, -1, -1] = a["dy"][-1, -1, -1]
    return convolution_gradients(a, dy=alone)[1]


_DX = mistakes_in(
    "dx",
    (
        lambda a: convolution_gradients(a, W=rotated180(a["W"]))[0],
        "flipped kernel",
        "the flipped kernel, because dx is what W[::-1, ::-1] gives: each dy goes back, times "
        "W[i, j], to the very cell that W[i, j] met (a full convolution with W turned is the same sum, "
        "so turn it once or not at all)",
    ),
    (
        lambda a: convolution_gradients(a, W=height_and_width_swapped(a["W"]))[0],
        "height and width swapped",
        "height and width of the kernel swapped, because dx is what W.transpose(1, 0, 2, 3) gives",
    ),
    (
        lambda a: _cropped(_scattered(a, overwrite=True), a),
        "overwritten",
        "overlapping windows overwritten instead of added, because each cell of dx has the share of "
        "the last window that saw it: write dx[...] += ..., not dx[...] = ...",
    ),
    (
        lambda a: _scattered(a)[:, : a["x"].shape[1], : a["x"].shape[2]],
        "off by padding",
        "the padding not cut off dx, because dx begins in the padding: its cell (0, 0) is cell "
        "(padding, padding) of the padded sum",
    ),
    (
        _scattered,
        "off by padding",
        "the padding left on dx, because dx has the padded image's shape",
    ),
    (
        lambda a: _moved(a, (-1, -1)),
        "off by padding",
        "the padding off by one, because dx is shifted by one cell up and left",
    ),
    (
        lambda a: _moved(a, (1, 1)),
        "off by padding",
        "the padding off by one, because dx is shifted by one cell down and right",
    ),
    (
        _wrapped_back,
        "negative indices",
        "negative indices that wrap around, because what falls into the padding above and left is "
        "added to the last rows and columns: dx[n, -1] is the last row in Python, so test 0 <= h and "
        "0 <= w",
    ),
    (
        lambda a: first_image_only(convolution_gradients(a)[0]),
        "one image",
        "the batch left out, because only the first image's dx is filled in",
    ),
)
_DW = mistakes_in(
    "dW",
    (
        lambda a: rotated180(convolution_gradients(a)[1]),
        "flipped kernel",
        "the flipped kernel, because dW is turned by 180 degrees",
    ),
    (
        lambda a: height_and_width_swapped(convolution_gradients(a)[1]),
        "height and width swapped",
        "height and width of dW swapped, because dW is transposed",
    ),
    (
        _last_window,
        "overwritten",
        "the windows overwritten instead of added, because dW is that of the last window alone: "
        "write dW += ..., not dW = ...",
    ),
    (
        lambda a: convolution_gradients(a, x=wrapped_images(a), padding=0)[1],
        "negative indices",
        "negative indices that wrap around, because above and left of the image the last rows and "
        "columns were read: x[n, -1] is the last row in Python, so test 0 <= h and 0 <= w",
    ),
    (
        lambda a: convolution_gradients(a, x=a["x"][:1], dy=a["dy"][:1])[1],
        "one image",
        "the batch left out, because dW is that of the first image alone: all images add to it",
    ),
    (
        lambda a: convolution_gradients(a)[1] / len(a["x"]),
        "mean",
        "a mean over the batch, because dW is divided by N: the sum is asked for",
    ),
)
_DB = mistakes_in(
    "db",
    (
        lambda a: convolution_gradients(a)[2] / len(a["x"]),
        "mean",
        "a mean over the batch, because db is divided by N: the sum is asked for",
    ),
    (
        lambda a: a["dy"][-1, -1, -1],
        "overwritten",
        "the windows overwritten instead of added, because db is the last dy alone: write db += ..., "
        "not db = ...",
    ),
    (
        lambda a: a["dy"].mean((0, 1, 2)),
        "mean",
        "a mean where a sum belongs, because db is divided by N*OH*OW",
    ),
    (
        lambda a: a["dy"].sum((0, 1)),
        "bias axes",
        "db summed over the wrong axes, because it is dy.sum((0, 1)): all axes but the filters' go",
    ),
    (
        lambda a: a["dy"].sum(0),
        "bias axes",
        "db summed over the wrong axes, because it is dy.sum(0): all axes but the filters' go",
    ),
    (
        lambda a: np.broadcast_to(a["dy"].sum(), a["dy"].shape[3:]),
        "bias axes",
        "db summed over the wrong axes, because every db[f] is the sum of the whole of dy",
    ),
    (
        lambda a: a["dy"][:1].sum((0, 1, 2)),
        "one image",
        "the batch left out, because db is that of the first image alone: all images add to it",
    ),
)
CONVOLUTION_GRADIENTS = _DX + _DW + _DB
