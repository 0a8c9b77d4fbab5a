"""The exercise "conv-backward"."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.classroom.exercises.convolutions import (
    KINDS,
    Kind,
    around,
    first_image_only,
    naive,
    rotated180,
    wrapped_images,
)
from tinycnn.classroom.exercises.exercise import (
    Arguments,
    Case,
    Chooser,
    Exercise,
    Mistake,
    Pair,
    Results,
    Task,
)
from tinycnn.ops.convolution.conv2d import conv2d_backward


def _with_dy(kind: Kind) -> Callable[[Chooser], Arguments]:
    def draw(choose: Chooser) -> Arguments:
        a = kind.draw(choose)
        b = a.pop("b")
        return {"dy": choose.numbers(*naive({**a, "b": b}).shape), **a}

    return draw


def _gradients(a: Arguments, **changed: object) -> Results:
    a = {**a, **changed}
    dy, x, W, stride, padding = (a[name] for name in ("dy", "x", "W", "stride", "padding"))
    dx, dW, db = conv2d_backward(dy, x, W, stride=stride, padding=padding, algorithm="reference")
    assert dx is not None  # need_dx is True
    return dx, dW, db


def _windows(a: Arguments) -> Iterator[tuple[tuple[int, ...], tuple[int, slice, slice]]]:
    """For each (n, oh, ow) the place of its window in the padded images."""
    s = a["stride"]
    KH, KW = a["W"].shape[:2]
    for n, oh, ow in np.ndindex(a["dy"].shape[:3]):
        yield (n, oh, ow), (n, slice(oh * s, oh * s + KH), slice(ow * s, ow * s + KW))


def _cropped(padded: Array, a: Arguments, corner: int) -> Array:
    H, W = a["x"].shape[1:3]
    return padded[:, corner : corner + H, corner : corner + W]


def _scattered(a: Arguments, *, overwrite: bool) -> Array:
    """The padded dx, each window's share added to it, or written over what was there."""
    padded = np.pad(np.zeros(a["x"].shape), around(a["padding"]))
    for cell, place in _windows(a):
        share = a["W"] @ a["dy"][cell]
        padded[place] = share if overwrite else padded[place] + share
    return padded


def _wrapped_back(a: Arguments) -> Array:
    """What falls into the padding above and left, added to the last rows and columns: dx[n, -1]."""
    p, (H, W) = a["padding"], a["x"].shape[1:3]
    padded, dx = _scattered(a, overwrite=False), np.zeros(a["x"].shape)
    for h, w in np.ndindex(p + H, p + W):
        dx[:, h - p, w - p] += padded[:, h, w]
    return dx


def _last_window(a: Arguments) -> Array:
    """DW of the last window alone: assigned in the loop instead of added."""
    padded = np.pad(a["x"], around(a["padding"]))
    cell, place = list(_windows(a))[-1]
    dW: Array = padded[place][..., None] * a["dy"][cell]
    return dW


_MISTAKES = (
    Mistake(
        "dx",
        lambda a: _gradients(a, W=rotated180(a["W"]))[0],
        "the flipped kernel, because dx is what W[::-1, ::-1] gives: each dy goes back, times "
        "W[i, j], to the very cell that W[i, j] met (a full convolution with W turned is the same sum, "
        "so turn it once or not at all)",
    ),
    Mistake(
        "dx",
        lambda a: _gradients(a, W=a["W"].transpose(1, 0, 2, 3))[0],
        "height and width of the kernel swapped, because dx is what W.transpose(1, 0, 2, 3) gives",
    ),
    Mistake(
        "dx",
        lambda a: _cropped(_scattered(a, overwrite=True), a, a["padding"]),
        "overlapping windows overwritten instead of added, because each cell of dx has the share of "
        "the last window that saw it: write dx[...] += ..., not dx[...] = ...",
    ),
    Mistake(
        "dx",
        lambda a: _cropped(_scattered(a, overwrite=False), a, 0),
        "the padding not cut off dx, because dx begins in the padding: its cell (0, 0) is cell "
        "(padding, padding) of the padded sum",
    ),
    Mistake(
        "dx",
        lambda a: _scattered(a, overwrite=False),
        "the padding left on dx, because dx has the padded image's shape",
    ),
    Mistake(
        "dx",
        lambda a: _cropped(np.pad(_scattered(a, overwrite=False), around(1)), a, a["padding"] + 2),
        "the padding off by one, because dx is shifted by one cell up and left",
    ),
    Mistake(
        "dx",
        lambda a: _cropped(np.pad(_scattered(a, overwrite=False), around(1)), a, a["padding"]),
        "the padding off by one, because dx is shifted by one cell down and right",
    ),
    Mistake(
        "dx",
        _wrapped_back,
        "negative indices that wrap around, because what falls into the padding above and left is "
        "added to the last rows and columns: dx[n, -1] is the last row in Python, so test 0 <= h and "
        "0 <= w",
    ),
    Mistake(
        "dx",
        lambda a: first_image_only(_gradients(a)[0]),
        "the batch left out, because only the first image's dx is filled in",
    ),
    Mistake(
        "dW",
        lambda a: rotated180(_gradients(a)[1]),
        "the flipped kernel, because dW is turned by 180 degrees",
    ),
    Mistake(
        "dW",
        lambda a: _gradients(a)[1].transpose(1, 0, 2, 3),
        "height and width of dW swapped, because dW is transposed",
    ),
    Mistake(
        "dW",
        _last_window,
        "the windows overwritten instead of added, because dW is that of the last window alone: "
        "write dW += ..., not dW = ...",
    ),
    Mistake(
        "dW",
        lambda a: _gradients(a, x=wrapped_images(a), padding=0)[1],
        "negative indices that wrap around, because above and left of the image the last rows and "
        "columns were read: x[n, -1] is the last row in Python, so test 0 <= h and 0 <= w",
    ),
    Mistake(
        "dW",
        lambda a: _gradients(a, x=a["x"][:1], dy=a["dy"][:1])[1],
        "the batch left out, because dW is that of the first image alone: all images add to it",
    ),
    Mistake(
        "dW",
        lambda a: _gradients(a)[1] / len(a["x"]),
        "a mean over the batch, because dW is divided by N: the sum is asked for",
    ),
    Mistake(
        "db",
        lambda a: _gradients(a)[2] / len(a["x"]),
        "a mean over the batch, because db is divided by N: the sum is asked for",
    ),
    Mistake(
        "db",
        lambda a: a["dy"][-1, -1, -1],
        "the windows overwritten instead of added, because db is the last dy alone: write db += ..., "
        "not db = ...",
    ),
    Mistake(
        "db",
        lambda a: a["dy"].mean((0, 1, 2)),
        "a mean where a sum belongs, because db is divided by N*OH*OW",
    ),
    Mistake(
        "db",
        lambda a: a["dy"].sum((0, 1)),
        "db summed over the wrong axes, because it is dy.sum((0, 1)): all axes but the filters' go",
    ),
    Mistake(
        "db",
        lambda a: a["dy"].sum(0),
        "db summed over the wrong axes, because it is dy.sum(0): all axes but the filters' go",
    ),
    Mistake(
        "db",
        lambda a: np.broadcast_to(a["dy"].sum(), a["dy"].shape[3:]),
        "db summed over the wrong axes, because every db[f] is the sum of the whole of dy",
    ),
    Mistake(
        "db",
        lambda a: a["dy"][:1].sum((0, 1, 2)),
        "the batch left out, because db is that of the first image alone: all images add to it",
    ),
)


def _pair(a: Arguments) -> Pair:
    return Pair(
        {"x": a["x"], "W": a["W"], "b": np.zeros(a["W"].shape[3])},
        lambda x, W, b: naive({**a, "x": x, "W": W, "b": b}),
        lambda dy, x, W, b: {**a, "dy": dy, "x": x, "W": W},
    )


EXERCISE = Exercise(
    "conv-backward",
    "the gradients of a convolution",
    (
        Task(
            "conv2d_backward",
            ("dx", "dW", "db"),
            lambda a: _gradients(a),
            tuple(Case(kind.name, _with_dy(kind)) for kind in KINDS if kind.name != "a bias"),
            _MISTAKES,
            _pair,
        ),
    ),
)
