"""Mistakes planted in pools."""

import numpy as np
from checking.numpy_ops import AvgPool, MaxPool, Windows
from checking.planting import drawn, plant

OVERLAP = MaxPool(Windows((3, 2), stride=(2, 1)))
PADDED = MaxPool(Windows((3, 2), stride=(2, 2), padding=(1, 0)))
APART = MaxPool(Windows((2, 2), stride=(2, 2)))
AVERAGE = AvgPool(Windows((3, 2), stride=(2, 1), padding=(1, 1)))
PLAIN_AVERAGE = AvgPool(Windows((3, 2), stride=(2, 1)))


def every_tie(window):
    return window == window.max()


def no_tie(window):
    tied = window == window.max()
    return tied * (tied.sum() == 1)


def transposed_winner(window):
    """The winner's place with rows and columns exchanged, in a flat index."""
    i, j = np.unravel_index(np.argmax(window), window.shape)
    mask = np.zeros(window.shape)
    mask.flat[(j * window.shape[0] + i) % window.size] = 1
    return mask


def pool_errors():
    arrays = drawn(6, x=(2, 7, 5, 2))
    ties = {"x": np.random.default_rng(7).integers(0, 3, (2, 6, 4, 2)).astype(float)}
    zeros = {"x": np.maximum(drawn(8, x=(1, 6, 6, 2))["x"], 0)}  # what a ReLU gives to a pool

    def shared(pool, share, overwrite=False):
        return lambda dy, x: pool.windows.inside(pool.padded_gradient(dy, x, share, overwrite))

    def last_window_won(dy, x):
        dx = np.zeros(x.shape)
        for n, c in np.ndindex(len(x), x.shape[3]):
            for (oh, ow), (rows, columns) in OVERLAP.windows.positions(dy.shape[1:3]):
                window = dx[n, rows, columns, c]
                won = OVERLAP.share(x[n, rows, columns, c]) > 0
                window[won] = dy[n, oh, ow, c]
        return dx

    def last_row_missed(dy, x):
        cut = dy.copy()
        cut[:, -1] = 0
        return OVERLAP.backward(cut, x)

    def padding_kept(dy, x):
        return PADDED.padded_gradient(dy, x, PADDED.share)[:, :-2]

    def overwritten_average(dy, x):
        shared, dx = dy / PLAIN_AVERAGE.cells(x.shape), np.zeros(x.shape)
        for (oh, ow), (rows, columns) in PLAIN_AVERAGE.windows.positions(dy.shape[1:3]):
            dx[:, rows, columns] = shared[:, oh : oh + 1, ow : ow + 1]
        return dx

    return [
        plant("max-pool: every tie paid", APART, ties, kind="ties", x=shared(APART, every_tie)),
        plant(
            "max-pool, overlapping: every tie paid",
            OVERLAP,
            ties,
            kind="ties",
            x=shared(OVERLAP, every_tie),
        ),
        plant(
            "max-pool after ReLU: every tie paid",
            OVERLAP,
            zeros,
            kind="ties",
            x=shared(OVERLAP, every_tie),
        ),
        plant("max-pool: no tie paid", APART, ties, kind="ties", x=shared(APART, no_tie)),
        plant(
            "max-pool: windows overwrite each other",
            OVERLAP,
            arrays,
            kind="overwritten",
            x=shared(OVERLAP, OVERLAP.share, overwrite=True),
        ),
        plant(
            "max-pool: a winner keeps its last window only",
            OVERLAP,
            arrays,
            kind="overwritten",
            x=last_window_won,
        ),
        plant("max-pool: last row of windows missed", OVERLAP, arrays, x=last_row_missed),
        plant(
            "max-pool: winner's height and width swapped",
            OVERLAP,
            arrays,
            x=shared(OVERLAP, transposed_winner),
        ),
        plant(
            "max-pool, padded: padding not cut off",
            PADDED,
            arrays,
            kind="off by padding",
            x=padding_kept,
        ),
        plant(
            "average pool: not divided",
            PLAIN_AVERAGE,
            arrays,
            kind="factor",
            says="6",
            x=lambda dy, x: PLAIN_AVERAGE.spread(dy, x.shape),
        ),
        plant(
            "average pool: borders divided by the full window",
            AVERAGE,
            arrays,
            kind="divisor",
            x=lambda dy, x: AVERAGE.spread(dy / 6, x.shape),
        ),
        plant(
            "average pool: windows overwrite each other",
            PLAIN_AVERAGE,
            arrays,
            kind="overwritten",
            x=overwritten_average,
        ),
    ]
