"""Mistakes in a fully connected layer and its gradients."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments, mistakes_in
from tinycnn.checking.mistakes.naive import dense, dense_gradients
from tinycnn.checking.mistakes.sums import first_image_only


def _one_input(a: Arguments) -> Array:
    return dense(a, x=a["x"][:, :1], W=a["W"][:1])


DENSE = mistakes_in(
    "y",
    (
        lambda a: dense(a, W=a["W"].T),
        "transposed",
        "W transposed, because y is x @ W.T: output f has the weights W[:, f]",
    ),
    (lambda a: dense(a, b=0.0), "bias", "the bias missing, because y is what b = 0 gives"),
    (
        lambda a: dense(a, b=a["b"] * len(a["W"])),
        "bias",
        "the bias added once for each product instead of once for each y, because y has D times the "
        "bias in it: add it outside the inner loop",
    ),
    (
        lambda a: dense(a, b=a["b"][0]),
        "bias",
        "one bias for all outputs, because each y[:, f] has b[0] in it",
    ),
    (
        _one_input,
        "channels",
        "the sum over the inputs left out, because y has the product of input 0 alone",
    ),
    (
        lambda a: dense(a, W=np.repeat(a["W"][:, :1], a["W"].shape[1], axis=1)),
        "channels",
        "the weights of output 0 used for all, because each y[:, f] is made with W[:, 0]",
    ),
    (
        lambda a: first_image_only(dense(a)),
        "one image",
        "the batch left out, because only the first image's y is filled in",
    ),
    (
        lambda a: np.repeat(dense(a)[:1], len(a["x"]), axis=0),
        "one image",
        "the batch left out, because every image has the first image's y",
    ),
)

_DX = mistakes_in(
    "dx",
    (
        lambda a: dense_gradients(a, W=a["W"].T)[0],
        "transposed",
        "W where W.T belongs, because dx is dy @ W: x[n, d] was used times W[d, f], for each f",
    ),
    (
        lambda a: first_image_only(dense_gradients(a)[0]),
        "one image",
        "the batch left out, because only the first image's dx is filled in",
    ),
    (
        lambda a: a["dy"][:, -1:] * a["W"][:, -1],
        "overwritten",
        "the outputs overwritten instead of added, because dx has the share of the last output "
        "alone: write dx += ..., not dx = ...",
    ),
    (lambda a: -dense_gradients(a)[0], "sign", "the sign, because dx is minus what it should be"),
)
_DW = mistakes_in(
    "dW",
    (
        lambda a: dense_gradients(a)[1].T,
        "transposed",
        "dW transposed, because it is dy.T @ x: dW has the shape of W, (D, F)",
    ),
    (
        lambda a: dense_gradients(a, x=a["x"][:1], dy=a["dy"][:1])[1],
        "one image",
        "the batch left out, because dW is that of the first image alone: all images add to it",
    ),
    (
        lambda a: dense_gradients(a, x=a["x"][-1:], dy=a["dy"][-1:])[1],
        "overwritten",
        "the images overwritten instead of added, because dW is that of the last image alone: write "
        "dW += ..., not dW = ...",
    ),
    (
        lambda a: dense_gradients(a)[1] / len(a["x"]),
        "mean",
        "a mean over the batch, because dW is divided by N: the sum is asked for",
    ),
    (
        lambda a: dense_gradients(a, dy=np.ones_like(a["dy"]))[1],
        "dy ignored",
        "dy left out, because dW is what a dy of ones gives",
    ),
)
_DB = mistakes_in(
    "db",
    (
        lambda a: a["dy"].mean(0),
        "mean",
        "a mean over the batch, because db is divided by N: the sum is asked for",
    ),
    (
        lambda a: a["dy"].sum(1),
        "bias axes",
        "db summed over the wrong axis, because it is dy.sum(1): the images go, the outputs stay",
    ),
    (
        lambda a: np.broadcast_to(a["dy"].sum(), a["dy"].shape[1:]),
        "bias axes",
        "db summed over both axes, because every db[f] is the sum of the whole of dy",
    ),
    (
        lambda a: a["dy"],
        "bias axes",
        "no sum over the images, because db is dy: one b serves them all",
    ),
    (
        lambda a: a["dy"][0],
        "one image",
        "the batch left out, because db is that of the first image alone: all images add to it",
    ),
    (
        lambda a: a["dy"][-1],
        "overwritten",
        "the images overwritten instead of added, because db is the last dy alone: write db += ..., "
        "not db = ...",
    ),
)
DENSE_GRADIENTS = _DX + _DW + _DB
