"""Exercise dropout: cells dropped at random, and the gradient of it.

In training each cell of x is dropped, set to 0, with the probability `rate`, and what is kept is
scaled up, so that the mean stays what it was. The mask has to come from rng and from nothing else, so
that it can be drawn again; backward gets the mask that forward returned.

Formula:

    forward    y  = x * mask / (1 - rate)     where mask is True with the probability 1 - rate
    backward   dx = dy * mask / (1 - rate)    with the same mask

Shapes:

    x, y, dx, dy   (N, D)   N images, each with D numbers
    mask           (N, D)   True where a cell is kept; drawn for every cell of every image anew
    rate           a number from 0 on, and less than 1
    rng            a NumPy Generator: rng.random(shape) draws numbers from 0 to 1

Example: at rate 0.75 what is kept is multiplied by 1 / (1 - 0.75) = 4.

>>> y, mask = dropout(np.ones((1, 5)), 0.75, np.random.default_rng(0))
>>> bool((y == 4 * mask).all())
True
>>> dropout_backward(np.array([[1.0, 2.0]]), np.array([[True, False]]), 0.75)
array([[4., 0.]])

Use plain Python and NumPy. Arrays that come in may not be written to; x and dy are float64. Fill in
both functions, try the example with `python -m doctest FILE`, and have them graded with
`tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "dropout"  # tells `tinycnn gradcheck` which exercise this is: leave it


def dropout(x, rate, rng):
    """Give y (N, D), float64, and the mask (N, D), True where a cell is kept."""
    y, mask = np.zeros(x.shape), np.zeros(x.shape, bool)
    raise NotImplementedError("fill in dropout")
    return y, mask


def dropout_backward(dy, mask, rate):
    """Give dx (N, D), float64, from the mask that dropout returned."""
    dx = np.zeros(dy.shape)
    raise NotImplementedError("fill in dropout_backward")
    return dx
