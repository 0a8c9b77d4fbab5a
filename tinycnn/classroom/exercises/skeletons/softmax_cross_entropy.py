"""Exercise softmax-cross-entropy: from logits to a loss, and back.

A row of z holds the logits of one image, a number for each class. Softmax makes probabilities of them,
which are larger for larger logits and add up to 1. The cross-entropy is the mean over the images of
minus the logarithm of the probability that the right class, the label, was given. Logits may be large:
exp(1000) is beyond float64, and log(0) is minus infinity.

Formula:

    softmax             p[n, f] = exp(z[n, f]) / sum over g of exp(z[n, g])
    its gradient        dz[n, f] = p[n, f] * (dy[n, f] - sum over g of dy[n, g] * p[n, g])
                        where dy is the gradient of a loss by p
    cross-entropy       loss = mean over n of -log p[n, label of n]
    gradient by z       dz = (p - onehot) / N
                        where onehot[n, f] is 1 at the label of n and 0 elsewhere

Subtracting a row's largest logit first changes no p (it cancels), and the loss is better worked out as

    loss = mean over n of log(sum over g of exp(z[n, g])) - z[n, label of n]

with the largest logit of the row taken out of the logarithm.

Shapes:

    z, p, dy, dz   (N, F)   N images, F classes
    labels         (N,)     whole numbers from 0 to F - 1
    loss           a number

Example: p = 1/4, 3/4, because the logits differ by ln 3.

>>> z = np.log(np.array([[1.0, 3.0]]))
>>> softmax(z)
array([[0.25, 0.75]])
>>> softmax_backward(np.array([[16.0, 0.0]]), np.array([[0.25, 0.75]]))
array([[ 3., -3.]])
>>> loss, dz = cross_entropy(z, np.array([0]))
>>> round(float(loss), 6), dz  # the loss is ln 4
(1.386294, array([[-0.75,  0.75]]))

Use plain Python and NumPy. Arrays that come in may not be written to; z and dy are float64. Fill in
the three functions, try the example with `python -m doctest FILE`, and have them graded with
`tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "softmax-cross-entropy"  # tells `tinycnn gradcheck` which exercise this is: leave it


def softmax(z):
    """Give p (N, F): each row of z as probabilities."""
    p = np.zeros(z.shape)
    raise NotImplementedError("fill in softmax")
    return p


def softmax_backward(dy, p):
    """Give dz (N, F) from dy, the gradient by p, and p, what softmax returned."""
    dz = np.zeros(p.shape)
    raise NotImplementedError("fill in softmax_backward")
    return dz


def cross_entropy(z, labels):
    """Give the loss, a number, and dz (N, F), its gradient by z."""
    loss, dz = 0.0, np.zeros(z.shape)
    raise NotImplementedError("fill in cross_entropy")
    return loss, dz
