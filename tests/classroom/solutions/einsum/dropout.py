import numpy as np


def dropout(x, rate, rng):
    mask = rng.binomial(1, 1 - rate, x.shape).astype(bool)
    return np.einsum("nd,nd,->nd", x, mask, 1 / (1 - rate)), mask


def dropout_backward(dy, mask, rate):
    return np.einsum("nd,nd,->nd", dy, mask, 1 / (1 - rate))
