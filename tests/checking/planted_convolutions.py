"""Mistakes planted in convolutions, alone and with a ReLU."""

import numpy as np
from checking.numpy_ops import RELU, Conv, Pair, Windows
from checking.planting import drawn, plant, scaled

CONV = Conv(Windows((3, 2)))
SQUARE = Conv(Windows((3, 3), padding=(1, 1)))
CONV_ARRAYS = drawn(x=(4, 5, 4, 2), W=(3, 2, 2, 3), b=(3,))
SQUARE_ARRAYS = drawn(x=(2, 5, 4, 2), W=(3, 3, 2, 3), b=(3,))


def conv_overwritten(dy, x, W, b):
    dx = np.zeros(x.shape)
    for (oh, ow), (rows, columns) in CONV.windows.positions(dy.shape[1:3]):
        dx[:, rows, columns] = np.einsum("nf,ijcf->nijc", dy[:, oh, ow], W)
    return dx


def conv_last_position(dy, x, W, b):
    dW = np.zeros(W.shape)
    for n in range(len(x)):
        for (oh, ow), (rows, columns) in CONV.windows.positions(dy.shape[1:3]):
            dW = np.einsum("ijc,f->ijcf", x[n, rows, columns], dy[n, oh, ow])
    return dW


def cut_at_the_corner(dy, x, W, b):
    """The padding cut off at the bottom and right only."""
    _, H, W_in, _ = x.shape
    return SQUARE.padded_gradient(dy, W, x.shape)[:, :H, :W_in]


def convolution_errors():
    def planted(name, kind=None, says="", **mistakes):
        return plant(f"conv: {name}", CONV, CONV_ARRAYS, kind=kind, says=says, **mistakes)

    def square(name, kind=None, **mistakes):
        return plant(f"conv, padded: {name}", SQUARE, SQUARE_ARRAYS, kind=kind, **mistakes)

    channel = np.array([1, 1.001])
    filters = np.array([1, 1, 1.001])
    return [
        planted("dW divided by N", "factor", says="N = 4", W=scaled(CONV, "W", 1 / 4)),
        planted("dW negative", "sign", W=scaled(CONV, "W", -1)),
        planted("dW accumulated twice", "factor", says="2", W=scaled(CONV, "W", 2)),
        planted("dx 0.1 % too large", "factor", says="1.001", x=scaled(CONV, "x", 1.001)),
        planted("dW 0.1 % too large", "factor", says="1.001", W=scaled(CONV, "W", 1.001)),
        planted("dx 0.1 % too large in one channel", "part", x=scaled(CONV, "x", channel)),
        planted("dW 0.1 % too large for one filter", "part", W=scaled(CONV, "W", filters)),
        planted("no gradient for W", "zero", W=lambda dy, x, W, b: np.zeros(W.shape)),
        planted("dx overwritten where windows overlap", "overwritten", x=conv_overwritten),
        planted("dW assigned in the loop", "overwritten", W=conv_last_position),
        planted(
            "dW of the first image only",
            "one image",
            W=lambda dy, x, W, b: CONV.weight_gradient(dy[:1], x[:1], W.shape),
        ),
        planted(
            "db the mean", "factor", says="N*OH*OW = 36 divides it", b=scaled(CONV, "b", 1 / 36)
        ),
        planted(
            "db summed over rows and images only",
            "bias axes",
            b=lambda dy, x, W, b: dy.sum((0, 1))[0],
        ),
        planted(
            "db of a buffer cut the wrong way",
            "bias axes",
            b=lambda dy, x, W, b: dy.reshape(3, -1).sum(1),
        ),
        planted(
            "dy ignored",
            "dy ignored",
            W=lambda dy, x, W, b: CONV.weight_gradient(dy**0, x, W.shape),
        ),
        planted(
            "dW's weight decay left in",
            "added",
            W=lambda dy, x, W, b: CONV.weight_gradient(dy, x, W.shape) + W,
        ),
        planted(
            "one cell of dW wrong",
            "part",
            W=scaled(CONV, "W", 1 - 0.01 * (np.arange(36).reshape(3, 2, 2, 3) == 17)),
        ),
        square(
            "kernel not turned for dx",
            "flipped kernel",
            x=lambda dy, x, W, b: SQUARE.image_gradient(dy, W[::-1, ::-1], x.shape),
        ),
        square(
            "dW turned",
            "flipped kernel",
            W=lambda dy, x, W, b: SQUARE.weight_gradient(dy, x, W.shape)[::-1, ::-1],
        ),
        square(
            "kernel's height and width swapped for dx",
            "height and width swapped",
            x=lambda dy, x, W, b: SQUARE.image_gradient(dy, W.swapaxes(0, 1), x.shape),
        ),
        square("dx's padding cut off at one side", "off by padding", x=cut_at_the_corner),
        square(
            "dW from an image shifted by the padding",
            "off by padding",
            W=lambda dy, x, W, b: SQUARE.weight_gradient(dy, np.roll(x, (-1, -1), (1, 2)), W.shape),
        ),
        square(
            "dW from an image padded at the bottom and right",
            "off by padding",
            W=lambda dy, x, W, b: Conv(Windows((3, 3))).weight_gradient(
                dy, np.pad(x, ((0, 0), (0, 2), (0, 2), (0, 0))), W.shape
            ),
        ),
        planted(
            "dW's height and width swapped, the kernel not square",
            "height and width swapped",
            W=lambda dy, x, W, b: (
                CONV.weight_gradient(dy, x, W.shape).swapaxes(0, 1).reshape(W.shape)
            ),
        ),
        planted(
            "dW's channels and filters swapped",
            "transposed",
            W=lambda dy, x, W, b: (
                CONV.weight_gradient(dy, x, W.shape).swapaxes(2, 3).reshape(W.shape)
            ),
        ),
        planted(
            "dx channels first",
            "transposed",
            x=lambda dy, x, W, b: (
                CONV.image_gradient(dy, W, x.shape).transpose(0, 3, 1, 2).reshape(x.shape)
            ),
        ),
    ]


STRIDED = Conv(Windows((3, 2), stride=(2, 1), padding=(1, 0)))
DILATED = Conv(Windows((2, 3), dilation=(1, 2)))
GROUPED = Conv(Windows((2, 2)), groups=2)


def strided_errors():
    """Errors that stride 1, no dilation or one group would hide."""
    strided, dilated = (
        drawn(1, x=(2, 6, 4, 2), W=(3, 2, 2, 2), b=(2,)),
        drawn(2, x=(2, 4, 6, 2), W=(2, 3, 2, 2), b=(2,)),
    )
    grouped = drawn(3, x=(2, 3, 4, 6), W=(2, 2, 3, 4), b=(4,))

    def stride_forgotten(dy, x, W, b):
        dxp = STRIDED.windows.padded(np.zeros(x.shape))
        OH, OW = dy.shape[1:3]
        for i, j in np.ndindex(3, 2):
            dxp[:, i : i + OH, j : j + OW] += dy @ W[i, j].T
        return STRIDED.windows.inside(dxp)

    def pairs_swapped(dy, x, W, b):
        turned = Conv(Windows((2, 3), stride=(1, 2), padding=(0, 1)))
        dW = turned.weight_gradient(dy.swapaxes(1, 2), x.swapaxes(1, 2), (2, 3, 2, 2))
        return dW.reshape(W.shape)

    def dilation_forgotten(dy, x, W, b):
        return Conv(Windows((2, 3))).image_gradient(
            dy, W, (*x.shape[:2], x.shape[2] - 2, x.shape[3])
        )

    def in_the_corner(dy, x, W, b):
        dx = np.zeros(x.shape)
        dx[:, :, :-2] = dilation_forgotten(dy, x, W, b)
        return dx

    def interleaved(dy, x, W, b):
        dx = GROUPED.image_gradient(dy, W, x.shape)
        return dx.reshape(*x.shape[:3], 2, 3).swapaxes(3, 4).reshape(x.shape)

    def groups_exchanged(dy, x, W, b):
        return GROUPED.image_gradient(dy, np.roll(W, 2, axis=3), x.shape)

    def unread_filled(dy, x, W, b):
        dx = STRIDED.image_gradient(dy, W, x.shape)
        dx[:, -1] = dx[:, -2]
        return dx

    return [
        plant("conv, stride 2: dx scattered with stride 1", STRIDED, strided, x=stride_forgotten),
        plant(
            "conv, stride (2, 1): dW with height and width swapped",
            STRIDED,
            strided,
            kind="height and width swapped",
            W=pairs_swapped,
        ),
        plant("conv, stride 2: a row that no window reads", STRIDED, strided, x=unread_filled),
        plant("conv, dilation 2: dx without it", DILATED, dilated, x=in_the_corner),
        plant(
            "conv, dilation 2: dW without it",
            DILATED,
            dilated,
            W=lambda dy, x, W, b: Conv(Windows((2, 3))).weight_gradient(dy, x[:, :, :-2], W.shape),
        ),
        plant(
            "conv, groups: dx interleaved", GROUPED, grouped, kind="channel order", x=interleaved
        ),
        plant("conv, groups: dx of the other group", GROUPED, grouped, x=groups_exchanged),
    ]


RELU_CONV = Pair(
    lambda x, W, b: np.maximum(SQUARE.forward(x, W, b), 0),
    lambda dy, x, W, b: SQUARE.backward(dy * (SQUARE.forward(x, W, b) > 0), x, W, b),
)


def masked(mask):
    """The gradients of a convolution with ReLU whose mask is worked out by ``mask(dy, x)``."""
    parts = enumerate("xWb")
    return {
        name: lambda dy, x, W, b, i=i: SQUARE.backward(dy * mask(dy, x), x, W, b)[i]
        for i, name in parts
    }


def relu_errors():
    arrays = drawn(4, x=(2, 4, 5, 3), W=(3, 3, 3, 3), b=(3,))
    flat = drawn(5, x=(4, 6))
    return [
        plant("conv, ReLU: no mask", RELU_CONV, arrays, kind="mask", **masked(lambda dy, x: 1)),
        plant(
            "conv, ReLU: mask of dy", RELU_CONV, arrays, kind="mask", **masked(lambda dy, x: dy > 0)
        ),
        plant(
            "conv, ReLU: mask of x", RELU_CONV, arrays, kind="mask", **masked(lambda dy, x: x > 0)
        ),
        plant(
            "conv, ReLU: mask put on dx",
            RELU_CONV,
            arrays,
            kind="mask",
            x=lambda dy, x, W, b: SQUARE.image_gradient(dy, W, x.shape) * (x > 0),
        ),
        plant("relu: no mask", RELU, flat, kind="mask", x=lambda dy, x: dy),
        plant("relu: mask of dy", RELU, flat, kind="mask", x=lambda dy, x: dy * (dy > 0)),
        # dy must not be x, though x is drawn from the seed that is the checker's own by default.
        plant(
            "relu: mask of dy, x of seed 0",
            RELU,
            drawn(0, x=(4, 6)),
            kind="mask",
            x=lambda dy, x: dy * (dy > 0),
        ),
        plant("relu: mask turned round", RELU, flat, kind="mask", x=lambda dy, x: dy * (x <= 0)),
        plant("relu: y instead of its mask", RELU, flat, x=lambda dy, x: dy * np.maximum(x, 0)),
    ]
