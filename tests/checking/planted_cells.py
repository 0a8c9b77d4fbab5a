"""Mistakes planted in everything that has no windows: dense, activations, dropout, LRN, losses."""

import numpy as np
from checking.numpy_ops import (
    DENSE,
    LRN,
    SIGMOID,
    SOFTMAX,
    TANH,
    CrossEntropy,
    Dropout,
    Pair,
    softmax,
)
from checking.planting import drawn, plant, scaled


def dense_errors():
    arrays, square = drawn(9, x=(5, 6), W=(6, 3), b=(3,)), drawn(10, x=(4, 4), W=(4, 4), b=(4,))

    def planted(name, kind=None, arrays=arrays, says="", **mistakes):
        return plant(f"dense: {name}", DENSE, arrays, kind=kind, says=says, **mistakes)

    big = drawn(11, x=(3, 400), W=(400, 250), b=(250,))
    spoilt = 1 - 1e-3 * (np.arange(100_000).reshape(400, 250) == 61_234)
    return [
        planted("W not transposed", "transposed", square, x=lambda dy, x, W, b: dy @ W),
        planted("dW transposed", "transposed", W=lambda dy, x, W, b: (dy.T @ x).reshape(W.shape)),
        planted("dW divided by N", "factor", says="N = 5", W=scaled(DENSE, "W", 1 / 5)),
        planted("db of one image", "one image", b=lambda dy, x, W, b: dy[-1]),
        planted("db summed over the units", "bias axes", square, b=lambda dy, x, W, b: dy.sum(1)),
        planted(
            "dx and dW exchanged",
            "another array's",
            square,
            x=lambda dy, x, W, b: x.T @ dy,
            W=lambda dy, x, W, b: dy @ W.T,
        ),
        planted("dy ignored", "dy ignored", x=lambda dy, x, W, b: (dy**0) @ W.T),
        planted("dx of the first image for all", x=lambda dy, x, W, b: (dy[:1] + 0 * dy) @ W.T),
        planted("one wrong cell of 100,000", "part", big, W=scaled(DENSE, "W", spoilt)),
        planted("dW 0.1 % too large, of 100,000", "factor", big, W=scaled(DENSE, "W", 1.001)),
    ]


def elementwise_errors():
    x = drawn(12, x=(4, 6))
    mask = np.random.default_rng(13).random((4, 6)) > 0.5
    dropout = Dropout(mask, 0.3)
    lrn, images = LRN(), drawn(14, x=(2, 2, 3, 5))
    small = Pair(lambda x: 1e-6 * np.tanh(x), lambda dy, x: 1e-6 * TANH.backward(dy, x))
    spoilt = 1 - 0.1 * (np.arange(100_000) == 77_777)

    def lrn_cross(half_size, factor):
        def backward(dy, x):
            s = lrn.scale(x)
            cross = LRN(half_size).near(dy * x / s ** (lrn.beta + 1))
            return dy / s**lrn.beta - factor * lrn.alpha * lrn.beta * x * cross

        return backward

    def lrn_diagonal(dy, x):
        s = lrn.scale(x)
        return dy * (s**-lrn.beta - 2 * lrn.alpha * lrn.beta * x * x * s ** (-lrn.beta - 1))

    return [
        plant(
            "dropout: not scaled by 1/(1 - rate)",
            dropout,
            x,
            kind="factor",
            says="0.7",
            x=lambda dy, x: dy * mask,
        ),
        plant("dropout: no mask", dropout, x, kind="mask", x=lambda dy, x: dy / 0.7),
        plant("dropout: neither mask nor scale", dropout, x, kind="mask", x=lambda dy, x: dy),
        plant(
            "LRN: the scale taken for a constant",
            lrn,
            images,
            kind="taken for a constant",
            x=lambda dy, x: dy / lrn.scale(x) ** lrn.beta,
        ),
        plant(
            "gradients of 1e-6, a tenth too large",
            small,
            x,
            kind="factor",
            says="1.1",
            x=scaled(small, "x", 1.1),
        ),
        plant("LRN: a 2 missing", lrn, images, x=lrn_cross(3, 1)),
        plant("LRN: no neighbours", lrn, images, kind="diagonal alone", x=lrn_diagonal),
        plant("LRN: neighbours too far", lrn, images, x=lrn_cross(5, 2)),
        plant(
            "sigmoid: y(1 - y) worked out from y",
            SIGMOID,
            x,
            kind="derivative at y",
            x=lambda dy, x: SIGMOID.backward(dy, SIGMOID.forward(x)),
        ),
        plant("tanh: 1 - y instead of 1 - y^2", TANH, x, x=lambda dy, x: dy * (1 - np.tanh(x))),
        plant("tanh: no derivative", TANH, x, kind="no derivative", x=lambda dy, x: dy),
        plant(
            "tanh: one wrong cell of 100,000",
            TANH,
            drawn(15, x=(100_000,)),
            kind="part",
            x=scaled(TANH, "x", spoilt),
        ),
    ]


def softmax_errors():
    x = drawn(16, x=(5, 4))
    labels = np.array([1, 0, 3, 3, 2])
    loss = CrossEntropy(labels)
    return [
        plant(
            "softmax: the diagonal alone",
            SOFTMAX,
            x,
            kind="diagonal alone",
            x=lambda dy, x: dy * softmax(x) * (1 - softmax(x)),
        ),
        plant(
            "softmax: dy y alone",
            SOFTMAX,
            x,
            kind="taken for a constant",
            x=lambda dy, x: dy * softmax(x),
        ),
        plant(
            "softmax: summed over the images",
            SOFTMAX,
            x,
            kind="softmax axis",
            x=lambda dy, x: softmax(x) * (dy - (dy * softmax(x)).sum(0)),
        ),
        plant(
            "cross-entropy: not divided by N",
            loss,
            x,
            kind="factor",
            says="N = 5",
            x=scaled(loss, "x", 5),
        ),
        plant(
            "cross-entropy: labels not subtracted",
            loss,
            x,
            kind="labels",
            x=lambda dy, x: dy * softmax(x) / 5,
        ),
        plant("cross-entropy: labels minus p", loss, x, kind="sign", x=scaled(loss, "x", -1)),
        plant(
            "cross-entropy: dy ignored",
            loss,
            x,
            kind="dy ignored",
            x=lambda dy, x: loss.backward(1.0, x),
        ),
        plant(
            "cross-entropy: labels off by one",
            loss,
            x,
            x=lambda dy, x: CrossEntropy((labels + 1) % 4).backward(dy, x),
        ),
    ]
