"""Questions on pooling, forward and backward: max-pool, and the average of whole maps."""

from __future__ import annotations

from tinycnn.classroom.quiz.question import (
    Question,
    Random,
    at,
    equation,
    equations,
    named,
    pick,
    said,
    slices,
    small,
    weights,
    worked,
)
from tinycnn.classroom.quiz.sliding import Sliding, draw_sliding, pair
from tinycnn.explain.examples.arithmetic import Value, text
from tinycnn.explain.examples.calculation import Result
from tinycnn.shapes import times
from tinycnn.validation import Pair

_KERNELS = ((2, 2), (2, 3), (3, 2), (3, 3))
_MAPS = ((2, 2), (2, 4), (4, 2), (2, 5))  # their means are short decimals


def max_pool(rng: Random) -> Question:
    """A max-pool, and which cells win."""
    drawn = draw_sliding(rng, (3, 6), _small_pool, kernels=_KERNELS, padding=0)
    while True:
        x, y, _ = _pooled(rng, drawn)
        notes = [won.note.split(" wins")[0] for won in y.cells]
        if len(set(notes)) > 1:
            break
    return Question(
        "Max-pool, and who wins",
        (f"Windows of {times(drawn.kernel)}, stride {pair(drawn.stride)}. Give `y`, and for each of "
         "its cells the cell of `x` that wins; of equal numbers the first wins, row by row.", (x,)),
        ((y.value,), "Winners, in the order of y: " + ", ".join(f"`{note}`" for note in notes)),
        equations(y),
        4,
    )  # fmt: skip


def pool_gradient(rng: Random) -> Question:
    """A max-pool's gradient where one cell wins several windows."""
    drawn = draw_sliding(
        rng, (3, 5), lambda pool: _small_pool(pool) and pool.overlaps, kernels=_KERNELS, padding=0
    )
    while True:
        x, y, winner = _pooled(rng, drawn)
        dy = named("dy", small(rng, 1, 6, *y.value.array.shape))
        (dx,) = worked(
            "max_pool2d_backward", [dy, winner.value], ["dx"],
            x_shape=x.array.shape, kernel=drawn.kernel, stride=drawn.stride,
        )  # fmt: skip
        if any(" + " in won.arithmetic for won in dx.cells):
            break
    return Question(
        "A max-pool's gradient",
        (f"Windows of {times(drawn.kernel)}, stride {pair(drawn.stride)}: they overlap. `dy` is the "
         "gradient at the pool's output. Give `dx`, the gradient at its input; of equal numbers the "
         "first wins, row by row.", (x, dy)),
        ((dx.value,),),
        equations(dx),
        4,
    )  # fmt: skip


def average_and_dense(rng: Random) -> Question:
    """What many networks end with: the mean of each map, then a dense layer; and the way back."""
    sizes, channels, units = pick(rng, _MAPS), pick(rng, (2, 3)), pick(rng, (2, 3))
    x, y = _averaged(rng, sizes, channels)
    means = Value("y", y.value.array.reshape(1, channels), (channels,))
    W, b = named("W", weights(rng, channels, units)), named("b", small(rng, -3, 3, units))
    unit, channel = int(rng.integers(units)), int(rng.integers(channels))
    dz = named("dz", small(rng, -4, 4, 1, units))
    (z,) = worked("dense", [means, W, b], ["z"])
    dy, *_ = worked("dense_backward", [dz, means, W], ["dy", "dW", "db"])
    upstream = named("dy", dy.value.array, *y.value.array.shape)
    (dx,) = worked("avg_pool2d_backward", [upstream], ["dx"], x_shape=x.array.shape, kernel=sizes)
    back = dx.cells[channel].equation(at("dx", "i", "j", channel))
    return Question(
        "Global average pooling, and a dense layer",
        (f"`y` is the mean of each of the {channels} channels of `x`, and `z` a dense layer of {units} "
         "units over `y`; column k of `W` belongs to unit k. `dz` is the gradient at `z`.",
         slices("x", x.array[0]), (W, b, dz),
         "(a) Give `y`.", f"(b) Give `{at('z', unit)}`.",
         f"(c) Give the gradient of each cell of `{at('x', ':', ':', channel)}`."),
        ("(a)", (means,), f"(b) {said(z, unit)}", f"(c) `{text(dx.value.flat[channel])}`"),
        (*equations(y), equation(z, unit), equation(dy, channel), back),
        4,
    )  # fmt: skip


def _averaged(rng: Random, sizes: Pair, channels: int) -> tuple[Value, Result]:
    """Maps whose means are whole or end in .5."""
    while True:
        x = named("x", small(rng, 0, 6, 1, *sizes, channels))
        if not (2 * x.array.sum(axis=(1, 2)) % (sizes[0] * sizes[1])).any():
            return x, worked("avg_pool2d", [x], ["y"], kernel=sizes)[0]


def _small_pool(drawn: Sliding) -> bool:
    return drawn.output[0] * drawn.output[1] <= 6


def _pooled(rng: Random, drawn: Sliding) -> tuple[Value, Result, Result]:
    x = named("x", small(rng, 0, 9, 1, *drawn.image, 1))
    y, winner = worked("max_pool2d", [x], ["y", "winner"], kernel=drawn.kernel, stride=drawn.stride)
    return x, y, winner
