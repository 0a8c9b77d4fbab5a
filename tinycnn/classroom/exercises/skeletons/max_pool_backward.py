"""Exercise max-pool-backward: the gradient of max-pooling.

Forward takes the largest number of each window, channel by channel. Backward gives each dy to the
cell that was the largest of its window; all others get nothing from it. Where windows overlap, a
cell may win several and gets the sum of their dy. Where several cells of a window are equally
large, the first in reading order (row by row, left to right) gets it all.

Formula:

    y[n, oh, ow, c] = max over i, j of x[n, oh*SH + i, ow*SW + j, c]
    dx[n, h, w, c]  = sum of dy[n, oh, ow, c] over all oh, ow whose window has its maximum at h, w

Shapes:

    x, dx    (N, H, W, C)     N images of H rows, W columns and C channels
    kernel   (KH, KW)         rows and columns of a window
    stride   (SH, SW)         rows and columns from one window to the next
    dy       (N, OH, OW, C)   OH = (H - KH) // SH + 1, OW = (W - KW) // SW + 1

Example: one row of four cells, windows of 1 x 2, stride 1: the 9 wins two windows.

    x = 1 9 2 5   windows 1 9, 9 2, 2 5   dy = 1 10 100
    dx = 0, 1 + 10, 0, 100

>>> x = np.array([1.0, 9, 2, 5]).reshape(1, 1, 4, 1)
>>> dy = np.array([1.0, 10, 100]).reshape(1, 1, 3, 1)
>>> max_pool2d_backward(dy, x, (1, 2), (1, 1)).ravel()
array([  0.,  11.,   0., 100.])

Use plain Python and NumPy: loops, np.zeros, argmax and the like. Arrays that come in are float64
and may not be written to. Fill in max_pool2d_backward, try the example with
`python -m doctest FILE`, and have it graded with `tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "max-pool-backward"  # tells `tinycnn gradcheck` which exercise this is: leave it


def max_pool2d_backward(dy, x, kernel, stride):
    """Give dx, float64, in the shape of x; kernel and stride are pairs (rows, columns)."""
    dx = np.zeros(x.shape)
    # For every cell of dy: find the winner of its window, and add.
    raise NotImplementedError("fill in max_pool2d_backward")
    return dx
