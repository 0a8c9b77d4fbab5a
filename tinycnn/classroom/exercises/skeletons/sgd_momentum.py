"""Exercise sgd-momentum: how AlexNet learns, stochastic gradient descent with momentum and weight decay.

A step moves each weight by its velocity. The velocity remembers: a part of it, the momentum, is left of
all steps before, and the new gradient pushes it downhill. Weight decay pulls each weight towards zero, as
if the gradient were larger by weight_decay * w, and goes into the velocity with it. So it is written in
the paper (Krizhevsky, Sutskever and Hinton, 2012), where momentum is 0.9 and weight decay 0.0005.

Formula:

    new_v = momentum * v - rate * (g + weight_decay * w)
    new_w = w + new_v

Shapes:

    w, v, g        all the same, any: weights, their velocities, their gradients
    rate, momentum, weight_decay     numbers

    gradients      (T, ...)   the gradients of T steps, one after the other, each of w's shape
    rates          (T,)       the rate of each step
    ws             (T, ...)   the weights after each step; the velocity before the first is 0

Example: a weight of 1, its gradient 4, rate 0.25, momentum 0.5, weight decay 0.5, a velocity of 2.

    new_v = 0.5*2 - 0.25*(4 + 0.5*1) = 1 - 1.125 = -0.125
    new_w = 1 - 0.125                            =  0.875

>>> w, v, g = np.array([1.0]), np.array([2.0]), np.array([4.0])
>>> sgd_step(w, v, g, 0.25, 0.5, 0.5)
(array([0.875]), array([-0.125]))
>>> sgd_steps(w, np.array([[4.0], [0.0]]), np.array([0.25, 0.5]), 0.5, 0.0)  # v: -1, then -0.5
array([[ 0. ],
       [-0.5]])

Use plain Python and NumPy. Arrays that come in are float64 and may not be written to: make new ones.
Fill in both functions, try the example with `python -m doctest FILE`, and have them graded with
`tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "sgd-momentum"  # tells `tinycnn gradcheck` which exercise this is: leave it


def sgd_step(w, v, g, rate, momentum, weight_decay):
    """Give new_w and new_v, float64, in the shape of w."""
    new_w, new_v = np.zeros(w.shape), np.zeros(w.shape)
    raise NotImplementedError("fill in sgd_step")
    return new_w, new_v


def sgd_steps(w, gradients, rates, momentum, weight_decay):
    """Give the weights after each step, (T, ...), float64; the velocity begins at 0."""
    ws = np.zeros(gradients.shape)
    raise NotImplementedError("fill in sgd_steps")
    return ws
