"""A network of a convolution, ReLU, max-pooling and a dense layer, its loss and its gradients; mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.max_pooling import shared_by_all
from tinycnn.checking.mistakes.mistake import Arguments, Mistake, mistakes_in
from tinycnn.checking.mistakes.naive import (
    convolution_gradients,
    dense,
    dense_gradients,
    max_pool_gradient,
    relu_gradient,
)
from tinycnn.checking.mistakes.rearranged import rotated180
from tinycnn.ops.losses import cross_entropy

PARAMETERS = ("W1", "b1", "W2", "b2")
_POOL = {"kernel": (2, 2), "stride": (2, 2)}
Change = Callable[[Array], Array]


def _first(a: Arguments) -> Arguments:
    """The convolution's arguments."""
    return {"x": a["x"], "W": a["W1"], "b": a["b1"], "stride": 1, "padding": 0}


def _features(a: Arguments) -> tuple[Array, Array, Array]:
    """The convolution's y, ReLU's, and the pool's."""
    windows = np.lib.stride_tricks.sliding_window_view(a["x"], a["W1"].shape[:2], axis=(1, 2))
    z = np.einsum("nhwcij,ijcf->nhwf", windows, a["W1"], optimize=True) + a["b1"]
    y = np.maximum(z, 0.0)
    return z, y, _pooled(y).max((2, 4))


def _pooled(y: Array) -> Array:
    """The windows of the pool, (N, OH, 2, OW, 2, F); an odd row or column is left out."""
    N, H, W, F = y.shape
    return y[:, : H // 2 * 2, : W // 2 * 2].reshape(N, H // 2, 2, W // 2, 2, F)


def logits(a: Arguments, *, flat: Change = lambda pooled: pooled.reshape(len(pooled), -1)) -> Array:
    """The network's logits z of x."""
    return dense({"x": flat(_features(a)[2]), "W": a["W2"], "b": a["b2"]})


def loss(a: Arguments) -> Array:
    """The mean cross-entropy of the labels."""
    return np.asarray(cross_entropy(logits(a), a["labels"])[0])


def _same(array: Array) -> Array:
    return array


def gradients(
    a: Arguments,
    *,
    dz: Change = _same,
    pool: Callable[[Arguments], Array] = max_pool_gradient,
    relu: Callable[[Arguments], Array] = relu_gradient,
) -> dict[str, Array]:
    """Those of the loss by the four parameters, a step on the way replaced."""
    z, y, pooled = _features(a)
    flat = pooled.reshape(len(pooled), -1)
    slope = dz(cross_entropy(logits(a), a["labels"])[1])
    dflat, dW2, db2 = dense_gradients({"dy": slope, "x": flat, "W": a["W2"]})
    dy = pool({"dy": dflat.reshape(pooled.shape), "x": y, **_POOL})
    _, dW1, db1 = convolution_gradients({"dy": relu({"dy": dy, "x": z}), **_first(a)})
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def accuracy(a: Arguments) -> float:
    """The share of images whose largest logit is the label's."""
    return float((logits(a).argmax(1) == a["labels"]).mean())


# --------------------------------------------------------------------------------------- mistakes


def _channels_first(pooled: Array) -> Array:
    return pooled.transpose(0, 3, 1, 2).reshape(len(pooled), -1)


def _means(a: Arguments) -> Array:
    """The features of average-pooling."""
    return np.asarray(_pooled(_features(a)[1]).mean((2, 4)).reshape(len(a["x"]), -1))


def _onehot(a: Arguments) -> Array:
    return np.eye(len(a["b2"]))[a["labels"]] / len(a["labels"])


LOGITS = mistakes_in(
    "z",
    (
        lambda a: logits(a, flat=_channels_first),
        "order",
        "the features flattened channels first, because z is what transpose(0, 3, 1, 2) before the "
        "reshape gives: reshape(N, -1) alone",
    ),
    (
        lambda a: dense({"x": _means(a), "W": a["W2"], "b": a["b2"]}),
        "average",
        "means instead of maxima, because z is what average-pooling gives",
    ),
    (
        lambda a: logits({**a, "b1": 0 * a["b1"]}),
        "bias",
        "b1 missing, because z is what b1 = 0 gives",
    ),
    (
        lambda a: logits({**a, "b2": 0 * a["b2"]}),
        "bias",
        "b2 missing, because z is what b2 = 0 gives",
    ),
    (
        lambda a: logits({**a, "W1": rotated180(a["W1"])}),
        "flipped kernel",
        "the kernel flipped (turned by 180 degrees), because z is what W1[::-1, ::-1] gives",
    ),
)

_USUAL: tuple[tuple[Callable[[Arguments], dict[str, Array]], tuple[str, ...], str, str], ...] = (
    (
        lambda a: gradients(a, dz=lambda dz: dz * len(dz)),
        ("dW1", "db1", "dW2", "db2"),
        "mean",
        "a factor of N missing, because it is N times too large: the loss is a mean over N images",
    ),
    (
        lambda a: gradients(a, dz=lambda dz: dz + _onehot(a)),
        ("dW1", "db1", "dW2", "db2"),
        "labels",
        "the label's 1 not taken off, because it is what p / N gives: dz = (p - onehot) / N",
    ),
    (
        lambda a: gradients(a, dz=np.negative),
        ("dW1", "db1", "dW2", "db2"),
        "sign",
        "the sign, because it is minus what it should be",
    ),
    (
        lambda a: gradients(a, relu=lambda b: b["dy"]),
        ("dW1", "db1"),
        "mask",
        "ReLU's mask left out, because dy passes where ReLU made 0",
    ),
    (
        lambda a: gradients(a, pool=shared_by_all),
        ("dW1", "db1"),
        "average",
        "the pool's gradient shared by the window, because every cell has a quarter: the largest has all",
    ),
)


def _in_gradients() -> Iterator[Mistake]:
    for make, results, kind, text in _USUAL:
        for result in results:
            yield Mistake(result, _one(make, result), kind, text)
    yield Mistake(
        "dW1",
        lambda a: rotated180(gradients(a)["dW1"]),
        "flipped kernel",
        "the flipped kernel, because dW1 is turned by 180 degrees",
    )
    yield Mistake(
        "loss",
        lambda a: loss(a) * len(a["labels"]),
        "mean",
        "a factor of N missing: the loss is the sum over the images, where the mean is asked for",
    )


def _one(
    make: Callable[[Arguments], dict[str, Array]], result: str
) -> Callable[[Arguments], Array]:
    return lambda a: make(a)[result]


LOSS_AND_GRADIENTS = tuple(_in_gradients())
