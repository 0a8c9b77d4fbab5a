"""Exercise tiny-net: a network of your own, which learns to read digits.

Chain what the other exercises built: a convolution without padding and with stride 1, ReLU, max-pooling of
2 x 2 windows side by side (an odd last row or column is left out), a dense layer, softmax and the
cross-entropy. Then train: take the images in small batches, in an order that rng draws anew each time, and
make a step downhill for each batch, all the images several times over.

Where several cells of a window are equally large, the first in reading order gets the gradient. Copy freely
from your other files; sums over a whole batch at once are many times as fast as loops over its images.

Formula:

    z1 = conv2d(x, W1, b1)    y1 = max(0, z1)    pooled = max_pool2d(y1)
    z  = pooled.reshape(N, D) @ W2 + b2
    loss = mean over n of -log softmax(z)[n, label of n]

    dz = (softmax(z) - onehot) / N      and from there back, through each step's own gradient

    a step of training: v = momentum * v - rate * dW, W = W + v, for each of the four parameters.
    Rate 0.05, momentum 0.9, batches of 20 and 10 rounds will do.

Shapes:

    x        (N, H, W, C)    N images: of the digits 8 x 8 x 1, with numbers from 0 to 1
    labels   (N,)            whole numbers from 0 to K - 1
    W1, b1   (KH, KW, C, F), (F,)    a convolution with F filters
    W2, b2   (D, K), (K,)            D = ((H-KH+1) // 2) * ((W-KW+1) // 2) * F, K classes
    z        (N, K)          logits
    rng      a NumPy Generator: rng.permutation(N) draws an order

Example: an image of 2 x 2, a filter of 1 x 1, two classes. The largest of 2*x + 1 is 9.

    x = 1 2   z1 = 3 5   pooled = 9   z = 9*1 + 0, 9*0 + 9 = 9, 9   p = 1/2, 1/2   loss = ln 2
        3 4        7 9
    label 0: dz = -1/2, 1/2   dW2 = -9/2 9/2   back: -1/2*1 + 1/2*0 = -1/2   dW1 = -1/2*4 = -2

>>> x, W1 = np.array([[1.0, 2], [3, 4]]).reshape(1, 2, 2, 1), np.full((1, 1, 1, 1), 2.0)
>>> rest = np.array([1.0]), np.array([[1.0, 0]]), np.array([0.0, 9])
>>> logits(x, W1, *rest)
array([[9., 9.]])
>>> loss, dW1, db1, dW2, db2 = loss_and_gradients(x, np.array([0]), W1, *rest)
>>> round(float(loss), 6), dW1.ravel(), db1, dW2, db2
(0.693147, array([-2.]), array([-0.5]), array([[-4.5,  4.5]]), array([-0.5,  0.5]))

Use plain Python and NumPy. Arrays that come in may not be written to: train begins with copies. To try
train at home, take sklearn.datasets.load_digits(), its pixels divided by 16. Fill in the three functions,
try the example with `python -m doctest FILE`, and have them graded with `tinycnn gradcheck FILE`: train gets
700 digits, has ten seconds for them, and should then know 90 % of others that it has not seen.
"""

import numpy as np

EXERCISE = "tiny-net"  # tells `tinycnn gradcheck` which exercise this is: leave it


def logits(x, W1, b1, W2, b2):
    """Give z (N, K), float64."""
    z = np.zeros((x.shape[0], W2.shape[1]))
    raise NotImplementedError("fill in logits")
    return z


def loss_and_gradients(x, labels, W1, b1, W2, b2):
    """Give the loss, a number, and its gradients dW1, db1, dW2 and db2, float64."""
    loss, dW1, db1 = 0.0, np.zeros(W1.shape), np.zeros(b1.shape)
    dW2, db2 = np.zeros(W2.shape), np.zeros(b2.shape)
    raise NotImplementedError("fill in loss_and_gradients")
    return loss, dW1, db1, dW2, db2


def train(x, labels, W1, b1, W2, b2, rng):
    """Give the four parameters after training, in the shapes in which they came."""
    W1, b1, W2, b2 = W1.copy(), b1.copy(), W2.copy(), b2.copy()
    raise NotImplementedError("fill in train")
    return W1, b1, W2, b2
