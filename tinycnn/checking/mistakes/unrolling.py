"""Mistakes in im2col, in col2im, and in the convolution that is made of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments, mistakes_in
from tinycnn.checking.mistakes.naive import convolution, outputs, rolled_back, unrolled
from tinycnn.checking.mistakes.sums import first_image_only

# The six axes of the windows, in the order in which they should be read row by row.
_N, _OH, _OW, _KH, _KW, _C = range(6)


def matrix(windows: Array) -> Array:
    """The windows (N, OH, OW, KH, KW, C) as rows."""
    return windows.reshape(math.prod(windows.shape[:3]), math.prod(windows.shape[3:]))


def _ordered(*axes: int) -> Callable[[Arguments], Array]:
    """Cols with the axes in another order."""

    def make(a: Arguments) -> Array:
        windows = unrolled(a)
        return windows.transpose(axes).reshape(matrix(windows).shape)

    return make


def _swapped(a: Arguments, name: str) -> Arguments:
    return {**a, name: a[name][::-1]}


def _uncropped(a: Arguments) -> Arguments:
    """The arguments of col2im without padding, into the padded image."""
    (PH, PW), (N, H, W, C) = a["padding"], a["x_shape"]
    return {**a, "padding": (0, 0), "x_shape": (N, H + 2 * PH, W + 2 * PW, C)}


def _overwritten(a: Arguments) -> Array:
    """Each window written over what was there; in the padded image, then cut."""
    whole = _uncropped(a)
    padded, (KH, KW), (SH, SW) = np.zeros(whole["x_shape"]), a["kernel"], a["stride"]
    N, H, W, C = a["x_shape"]
    size = outputs((H, W), a["kernel"], a["stride"], a["padding"])
    windows = a["cols"].reshape(N, *size, KH, KW, C)
    for n, oh, ow in np.ndindex(N, *size):
        padded[n, oh * SH : oh * SH + KH, ow * SW : ow * SW + KW] = windows[n, oh, ow]
    return padded[:, a["padding"][0] :, a["padding"][1] :][:, :H, :W]


def _counted(a: Arguments) -> Array:
    """Divided by how often each cell is read."""
    count = rolled_back(a, cols=np.ones_like(a["cols"]))
    return rolled_back(a) / np.maximum(count, 1)


def _channels_first(a: Arguments) -> Array:
    """Columns taken for (C, KH, KW)."""
    (KH, KW), C = a["kernel"], a["x_shape"][3]
    cols = a["cols"].reshape(-1, C, KH, KW).transpose(0, 2, 3, 1)
    return rolled_back(a, cols=cols.reshape(a["cols"].shape))


def _wrong_filters(a: Arguments) -> Array:
    """W.reshape(F, -1).T, where W has its filters last."""
    W = a["W"]
    return convolution(a, W=W.reshape(W.shape[3], -1).T.reshape(W.shape))


def _filters_first(a: Arguments) -> Array:
    """The product (N*OH*OW, F) turned, and read as if its cells stood there in order."""
    y = convolution(a)
    return y.reshape(-1, y.shape[3]).T.reshape(y.shape)


IM2COL = mistakes_in(
    "cols",
    (
        _ordered(_N, _OH, _OW, _C, _KH, _KW),
        "order",
        "the channels first, because a row holds channel 0 of the whole window, then channel 1: each "
        "cell's channels stand together, column (i*KW + j)*C + c",
    ),
    (
        _ordered(_N, _OH, _OW, _KW, _KH, _C),
        "height and width swapped",
        "the windows read column by column, because i runs faster than j: it is (i*KW + j)*C + c",
    ),
    (
        _ordered(_N, _OW, _OH, _KH, _KW, _C),
        "height and width swapped",
        "the rows in the wrong order, because oh runs faster than ow: it is row (n*OH + oh)*OW + ow",
    ),
    (
        _ordered(_OH, _OW, _N, _KH, _KW, _C),
        "order",
        "the images mixed, because n runs faster than the windows: all windows of the first image "
        "come first, row (n*OH + oh)*OW + ow",
    ),
    (
        lambda a: matrix(unrolled(a)[:, :, :, ::-1, ::-1]),
        "flipped kernel",
        "the windows turned by 180 degrees, because a row begins with the window's last cell",
    ),
    (
        lambda a: matrix(unrolled(_swapped(a, "stride"))),
        "height and width swapped",
        "height and width of the stride swapped, because the windows begin at oh*SW, ow*SH",
    ),
    (
        lambda a: matrix(
            unrolled(a, stride=(1, 1))[:, : unrolled(a).shape[1], : unrolled(a).shape[2]]
        ),
        "stride",
        "the stride left out, because the windows begin at oh, ow and not at oh*SH, ow*SW",
    ),
    (
        lambda a: matrix(unrolled(a, padding=(0, 0))),
        "padding",
        "the padding left out, because cols is what no padding gives",
    ),
    (
        lambda a: matrix(first_image_only(unrolled(a))),
        "one image",
        "the batch left out, because only the first image's rows are filled in",
    ),
)

COL2IM = mistakes_in(
    "x",
    (
        _overwritten,
        "overwritten",
        "overlapping windows overwritten instead of added, because each cell has the number of the "
        "last window that read it: write x[...] += ..., not x[...] = ...",
    ),
    (
        _counted,
        "mean",
        "a mean where a sum belongs, because each cell is divided by how often it was read",
    ),
    (
        lambda a: rolled_back(_uncropped(a))[:, : a["x_shape"][1], : a["x_shape"][2]],
        "off by padding",
        "the padding not cut off, because x begins in the padding: its cell (0, 0) is cell (PH, PW) of "
        "the padded sum",
    ),
    (
        lambda a: rolled_back(_uncropped(a)),
        "off by padding",
        "the padding left on, because x has the padded image's shape",
    ),
    (
        _channels_first,
        "order",
        "the channels first, because a row is read as (C, KH, KW): it holds (KH, KW, C)",
    ),
    (
        lambda a: first_image_only(rolled_back(a)),
        "one image",
        "the batch left out, because only the first image is filled in",
    ),
)

CONVOLUTION_BY_IM2COL = mistakes_in(
    "y",
    (
        lambda a: convolution(a, b=np.zeros_like(a["b"])),
        "bias",
        "the bias missing, because y is what b = 0 gives",
    ),
    (
        _wrong_filters,
        "order",
        "the filters read in the wrong order, because W is reshaped to (F, KH*KW*C): its filters are "
        "the last axis, so W.reshape(-1, F) has one in each column",
    ),
    (
        _filters_first,
        "order",
        "the filters first, because y is the product turned and reshaped: its rows are the windows, its "
        "columns the filters, as in (N, OH, OW, F)",
    ),
    (
        lambda a: convolution(_swapped(a, "stride")),
        "height and width swapped",
        "height and width of the stride swapped, because the windows begin at oh*SW, ow*SH",
    ),
    (
        lambda a: convolution(a, padding=(0, 0)),
        "padding",
        "the padding left out, because y is what no padding gives",
    ),
)
