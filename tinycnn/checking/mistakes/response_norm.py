"""Mistakes in local response normalisation across channels, and in its gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.jacobians import scale_as_constant
from tinycnn.checking.mistakes.mistake import Arguments, mistakes_in
from tinycnn.checking.mistakes.naive import response_norm, response_norm_gradient


def _energy(a: Arguments, before: int, after: int) -> Array:
    """S with a window from ``before`` channels before c to ``after`` channels behind it."""
    x, C = a["x"], a["x"].shape[-1]
    sums = [(x[..., max(0, c - before) : max(0, c + after + 1)] ** 2).sum(-1) for c in range(C)]
    s: Array = a["k"] + a["alpha"] * np.stack(sums, axis=-1)
    return s


def _windowed(before: Callable[[int], int], after: Callable[[int], int]) -> Callable[..., Array]:
    """Forward with a window of another reach, each side worked out from ``size``."""

    def make(a: Arguments) -> Array:
        s = _energy(a, before(a["size"]), after(a["size"]))
        y: Array = a["x"] * s ** -a["beta"]
        return y

    return make


def _half(size: int) -> int:
    return size // 2


def _unclipped(a: Arguments) -> Array:
    """Windows cut out with a negative beginning, which Python counts from the end."""
    x, half = a["x"], a["size"] // 2
    C = x.shape[-1]
    sums = [(x[..., slice(c - half, c + half + 1)] ** 2).sum(-1) for c in range(C)]
    y: Array = x * (a["k"] + a["alpha"] * np.stack(sums, axis=-1)) ** -a["beta"]
    return y


def _wrapped(a: Arguments) -> Array:
    """Neighbours beyond the first and last channel taken from the other end."""
    half = a["size"] // 2
    sums = sum(np.roll(a["x"] ** 2, shift, axis=-1) for shift in range(-half, half + 1))
    y: Array = a["x"] * (a["k"] + a["alpha"] * sums) ** -a["beta"]
    return y


def _along(axis: int) -> Callable[[Arguments], Array]:
    def make(a: Arguments) -> Array:
        return np.moveaxis(response_norm(a, x=np.moveaxis(a["x"], axis, -1)), -1, axis)

    return make


def _own_path(a: Arguments) -> Array:
    """dy * s**-beta: s taken as a constant."""
    scale = _energy(a, _half(a["size"]), _half(a["size"])) ** -a["beta"]
    return scale_as_constant(a["dy"], scale).array


def _own_term(a: Arguments) -> Array:
    """The share in c's own s alone, none of its neighbours'."""
    x, half = a["x"], _half(a["size"])
    s = _energy(a, half, half)
    share = 2 * a["alpha"] * a["beta"] * x * a["dy"] * x * s ** (-a["beta"] - 1)
    dx: Array = _own_path(a) - share
    return dx


def _clipped_share(a: Arguments) -> Array:
    """The shares of the neighbours' s, the window short of its last channel."""
    x, half, C = a["x"], _half(a["size"]), a["x"].shape[-1]
    ratio = a["dy"] * x * _energy(a, half, half) ** (-a["beta"] - 1)
    sums = [ratio[..., max(0, c - half) : c + half].sum(-1) for c in range(C)]
    dx: Array = _own_path(a) - 2 * a["alpha"] * a["beta"] * x * np.stack(sums, axis=-1)
    return dx


def _scaled_share(factor: float) -> Callable[[Arguments], Array]:
    """The share in the neighbours' s, times a factor."""

    def make(a: Arguments) -> Array:
        own = _own_path(a)
        dx: Array = own + factor * (response_norm_gradient(a) - own)
        return dx

    return make


RESPONSE_NORM = mistakes_in(
    "y",
    (
        _windowed(_half, lambda size: _half(size) - 1),
        "bounds",
        "the window clipped by one, because channel c + size//2 is left out: range's end is "
        "exclusive, so it has to be c + size//2 + 1",
    ),
    (
        _windowed(lambda size: 0, lambda size: size - 1),
        "neighbours",
        "a window that begins at c, because channels c .. c + size - 1 are summed: size//2 of them "
        "stand before c",
    ),
    (
        _windowed(lambda size: size, lambda size: size),
        "neighbours",
        "a window of size channels on either side, because 2*size + 1 are summed: size in all",
    ),
    (
        _windowed(lambda size: 0, lambda size: 0),
        "neighbours",
        "channel c's own square alone, because its neighbours are left out",
    ),
    (
        _unclipped,
        "negative indices",
        "a window that is not clipped, because it is empty, or begins elsewhere, where c - size//2 is "
        "negative: a slice's negative beginning counts from the end, so write max(0, c - size//2)",
    ),
    (
        _wrapped,
        "negative indices",
        "a window that wraps around, because the first channel's neighbours are the last: clip it "
        "with max(0, c - size//2) (a negative index counts from the end)",
    ),
    (
        lambda a: response_norm(a, alpha=a["alpha"] / a["size"]),
        "coefficient",
        "the other dialect, because alpha is divided by size: this formula has alpha itself",
    ),
    (_along(2), "neighbours", "a window along the columns, because neighbours are channels here"),
    (_along(1), "neighbours", "a window along the rows, because neighbours are channels here"),
    (
        lambda a: response_norm(a, beta=-a["beta"]),
        "coefficient",
        "the sign of beta, because x is multiplied by s**beta: it is divided by it",
    ),
    (lambda a: response_norm(a, beta=1.0), "coefficient", "beta left out, because y is x / s"),
    (lambda a: response_norm(a, k=0.0), "coefficient", "k left out, because y is what k = 0 gives"),
)

RESPONSE_NORM_GRADIENT = mistakes_in(
    "dx",
    (
        _own_path,
        "taken for a constant",
        "the first term alone, because dx is dy * s**-beta: x[c] is in s too",
    ),
    (
        _own_term,
        "neighbours' shares",
        "the own term only, because x[c]'s share in its neighbours' s is left out: sum over all "
        "the channels e in whose window c lies",
    ),
    (
        _clipped_share,
        "bounds",
        "the window clipped by one, because channel c + size//2 is left out of the sum: range's end "
        "is exclusive, so it has to be c + size//2 + 1",
    ),
    (
        _scaled_share(0.5),
        "factor",
        "a factor of 2 missing, because the second term is half of what it should be: the "
        "derivative of x**2 is 2*x",
    ),
    (
        _scaled_share(-1.0),
        "sign",
        "the sign of the second term, because it is added: a larger s makes y smaller",
    ),
    (
        lambda a: response_norm_gradient(a, alpha=a["alpha"] / a["size"]),
        "coefficient",
        "the other dialect, because alpha is divided by size: this formula has alpha itself",
    ),
)
