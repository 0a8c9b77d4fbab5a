"""Exercise lrn: local response normalisation, and its gradient.

Each number is divided by the energy of its neighbours in the channels beside it, at the same row
and column. With half = size // 2 (size is odd), channel c's neighbours are the channels from
c - half to c + half, those that exist, c itself included. Backward gets dy, the gradient of a
loss by y, and gives that by x.

Formula:

    s[c]  = k + alpha * sum over e, the neighbours of c, of x[e]**2
    y[c]  = x[c] / s[c]**beta

x[c] stands in y[c] itself and in the s of all its neighbours. So

    dx[c] = dy[c] / s[c]**beta
            - 2 * alpha * beta * x[c] * sum over e, the neighbours of c, of
                                        dy[e] * x[e] / s[e]**(beta + 1)

Shapes:

    x, y, dx, dy           (N, H, W, C)   N images of H rows, W columns and C channels
    size                   a whole number, odd
    alpha, beta, k         numbers

Example: three channels, size 3, alpha = beta = k = 1. The middle channel has two neighbours.

    x = 1 2 3   s = 1 + 1 + 4, 1 + 1 + 4 + 9, 1 + 4 + 9 = 6, 15, 14
    y = 1/6, 2/15, 3/14

>>> x = np.array([1.0, 2, 3]).reshape(1, 1, 1, 3)
>>> lrn(x, 3, 1.0, 1.0, 1.0).ravel().round(6)
array([0.166667, 0.133333, 0.214286])
>>> dy = np.array([36.0, 0, 0]).reshape(1, 1, 1, 3)  # dx = 36/6 - 2*1*36*1/36, -2*2*36*1/36, 0
>>> lrn_backward(dy, x, 3, 1.0, 1.0, 1.0).ravel().round(6) + 0.0
array([ 4., -4.,  0.])

Use plain Python and NumPy. Arrays that come in are float64 and may not be written to. Fill in both
functions, try the example with `python -m doctest FILE`, and have them graded with
`tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "lrn"  # tells `tinycnn gradcheck` which exercise this is: leave it


def lrn(x, size, alpha, beta, k):
    """Give y (N, H, W, C), float64."""
    y = np.zeros(x.shape)
    raise NotImplementedError("fill in lrn")
    return y


def lrn_backward(dy, x, size, alpha, beta, k):
    """Give dx (N, H, W, C), float64."""
    dx = np.zeros(x.shape)
    raise NotImplementedError("fill in lrn_backward")
    return dx
