"""Exercise conv-forward: a convolution.

Filters slide over images. Each cell of y is a filter laid over a window of an image: products of
the numbers that lie on each other, summed, and a bias. Outside the image x is 0: that is the padding.
The stride is how far a window lies from the one before.

Formula:

    y[n, oh, ow, f] = b[f] + sum over i, j, c of
                      x[n, oh*stride - padding + i, ow*stride - padding + j, c] * W[i, j, c, f]

Shapes:

    x   (N, H, W, C)     N images of H rows, W columns and C channels
    W   (KH, KW, C, F)   F filters, each of KH rows, KW columns and C channels
    b   (F,)             a bias for each filter
    y   (N, OH, OW, F)   OH = (H + 2*padding - KH) // stride + 1, and OW likewise

Example: an image of 2 x 3, a kernel of 2 x 2, a bias of 10.

    1 2 3      1 0      1*1 + 2*0 + 4*0 + 5*2 + 10 = 21
    4 5 6      0 2      2*1 + 3*0 + 5*0 + 6*2 + 10 = 24

>>> x = np.array([[1, 2, 3], [4, 5, 6]], float).reshape(1, 2, 3, 1)
>>> W = np.array([[1, 0], [0, 2]], float).reshape(2, 2, 1, 1)
>>> conv2d(x, W, np.array([10.0]), 1, 0).reshape(1, 2)
array([[21., 24.]])

Use plain Python and NumPy: loops, np.zeros, sums and products of arrays. Arrays that come in are
float64 and may not be written to. Fill in conv2d, try the example with `python -m doctest FILE`,
and have it graded with `tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "conv-forward"  # tells `tinycnn gradcheck` which exercise this is: leave it


def conv2d(x, W, b, stride, padding):
    """Give y (N, OH, OW, F), float64; stride and padding are whole numbers, the same on all sides."""
    N, H, width, _ = x.shape
    KH, KW, _, F = W.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (width + 2 * padding - KW) // stride + 1
    y = np.zeros((N, OH, OW, F))
    # For every image n, every place oh, ow and every filter f: the sum over i, j and c.
    raise NotImplementedError("fill in conv2d")
    return y
