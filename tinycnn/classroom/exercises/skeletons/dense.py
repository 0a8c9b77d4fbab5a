"""Exercise dense: a fully connected layer, and its gradients.

Each output is a sum of all inputs of its row, each times a weight of its own, and a bias. Backward gets
dy, the gradient of a loss by y, and gives those by x, W and b. Ask of each number: where was it used,
and times what?

Formula:

    y[n, f]  = b[f] + sum over d of x[n, d] * W[d, f]

    dx[n, d] = sum over f of dy[n, f] * W[d, f]
    dW[d, f] = sum over n of dy[n, f] * x[n, d]
    db[f]    = sum over n of dy[n, f]

Shapes:

    x, dx   (N, D)   N images, each with D numbers
    W, dW   (D, F)   F outputs, each with D weights: W[:, f]
    b, db   (F,)     a bias for each output
    y, dy   (N, F)

Example: one image of two numbers, two outputs.

    x = 2 3   W = 1 10   b = 1000 0   y = 2*1 + 3*100 + 1000, 2*10 + 3*0 = 1302, 20
                  100 0
    dy = 1 2  dx = 1*1 + 2*10, 1*100 + 2*0 = 21, 100   dW = 2*1 2*2   db = 1 2
                                                            3*1 3*2

>>> x, W = np.array([[2.0, 3]]), np.array([[1.0, 10], [100, 0]])
>>> dense(x, W, np.array([1000.0, 0]))
array([[1302.,   20.]])
>>> dx, dW, db = dense_backward(np.array([[1.0, 2]]), x, W)
>>> dx, dW.ravel(), db
(array([[ 21., 100.]]), array([2., 4., 3., 6.]), array([1., 2.]))

Use plain Python and NumPy. Arrays that come in are float64 and may not be written to. Fill in both
functions, try the example with `python -m doctest FILE`, and have them graded with
`tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "dense"  # tells `tinycnn gradcheck` which exercise this is: leave it


def dense(x, W, b):
    """Give y (N, F), float64."""
    y = np.zeros((x.shape[0], W.shape[1]))
    raise NotImplementedError("fill in dense")
    return y


def dense_backward(dy, x, W):
    """Give dx, dW and db, float64, in the shapes of x, W and b."""
    dx, dW, db = np.zeros(x.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    raise NotImplementedError("fill in dense_backward")
    return dx, dW, db
