"""Exercise relu: the rectified linear unit, and its gradient.

ReLU passes each number that is above zero, and makes all others 0. Backward gets dy, the gradient of a
loss by y, and gives that by x: what ReLU passed gets its dy, all else gets 0, at x = 0 too.

Formula:

    forward    y[i]  = max(0, x[i])
    backward   dx[i] = dy[i] if x[i] > 0, else 0

Shapes:

    x, y, dx, dy   all the same, any: (D,), (N, D), (N, H, W, C)

Example:

    x  = -2  0   3      y  = 0  0   3
    dy =  1 10 100      dx = 0  0 100

>>> relu(np.array([-2.0, 0, 3]))
array([0., 0., 3.])
>>> relu_backward(np.array([1.0, 10, 100]), np.array([-2.0, 0, 3]))
array([  0.,   0., 100.])

Use plain Python and NumPy. Arrays that come in are float64 and may not be written to. Fill in both
functions, try the example with `python -m doctest FILE`, and have them graded with
`tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "relu"  # tells `tinycnn gradcheck` which exercise this is: leave it


def relu(x):
    """Give y, float64, in the shape of x."""
    y = np.zeros(x.shape)
    raise NotImplementedError("fill in relu")
    return y


def relu_backward(dy, x):
    """Give dx, float64, in the shape of x, which is what relu got."""
    dx = np.zeros(x.shape)
    raise NotImplementedError("fill in relu_backward")
    return dx
