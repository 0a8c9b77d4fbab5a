"""Exercise conv-backward: the gradients of a convolution.

Forward is the convolution of the exercise conv-forward: y is made of x, W and b. dy is the gradient of a
loss by y; wanted are those by x, W and b. Ask of each number: where was it used, and times what? What
falls into the padding belongs to no cell of x.

Formula:

    y[n, oh, ow, f] = b[f] + sum over i, j, c of
                      x[n, oh*stride - padding + i, ow*stride - padding + j, c] * W[i, j, c, f]

where x is 0 outside the image. With h = oh*stride - padding + i and w = ow*stride - padding + j,

    dx[n, h, w, c]  = sum of dy[n, oh, ow, f] * W[i, j, c, f] over all oh, ow, i, j, f that read it
    dW[i, j, c, f]  = sum over n, oh, ow of dy[n, oh, ow, f] * x[n, h, w, c]
    db[f]           = sum over n, oh, ow of dy[n, oh, ow, f]

Shapes:

    dy          (N, OH, OW, F)   OH = (H + 2*padding - KH) // stride + 1, and OW likewise
    x, dx       (N, H, W, C)     N images of H rows, W columns and C channels
    W, dW       (KH, KW, C, F)   F filters
    db          (F,)

Example: an image of 1 x 3, a kernel of 1 x 2. Two windows see the middle cell.

    x = 1 2 3   W = 1 10   dy = 1 100
    dx = 1*1, 1*10 + 100*1, 100*10         = 1, 110, 1000
    dW = 1*1 + 100*2, 1*2 + 100*3          = 201, 302
    db = 1 + 100                           = 101

>>> x = np.array([1.0, 2, 3]).reshape(1, 1, 3, 1)
>>> W = np.array([1.0, 10]).reshape(1, 2, 1, 1)
>>> dx, dW, db = conv2d_backward(np.array([1.0, 100]).reshape(1, 1, 2, 1), x, W, 1, 0)
>>> dx.ravel(), dW.ravel(), db
(array([   1.,  110., 1000.]), array([201., 302.]), array([101.]))

Use plain Python and NumPy: loops, np.zeros, sums and products of arrays. Arrays that come in are
float64 and may not be written to. Fill in conv2d_backward, try the example with
`python -m doctest FILE`, and have it graded with `tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "conv-backward"  # tells `tinycnn gradcheck` which exercise this is: leave it


def conv2d_backward(dy, x, W, stride, padding):
    """Give dx, dW and db, float64, in the shapes of x, W and b; stride and padding are whole numbers."""
    dx, dW, db = np.zeros(x.shape), np.zeros(W.shape), np.zeros(W.shape[3])
    # For every cell of dy: its share of dx, dW and db.
    raise NotImplementedError("fill in conv2d_backward")
    return dx, dW, db
