import numpy as np


def relu(x):
    return np.einsum("...,...->...", x, np.heaviside(x, 0))


def relu_backward(dy, x):
    return np.einsum("...,...->...", dy, np.heaviside(x, 0))
