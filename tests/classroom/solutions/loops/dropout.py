import numpy as np


def dropout(x, rate, rng):
    y, mask = np.zeros(x.shape), np.zeros(x.shape, bool)
    for place in np.ndindex(x.shape):
        if rng.random() >= rate:
            mask[place] = True
            y[place] = x[place] / (1 - rate)
    return y, mask


def dropout_backward(dy, mask, rate):
    dx = np.zeros(dy.shape)
    for place in np.ndindex(dy.shape):
        if mask[place]:
            dx[place] = dy[place] / (1 - rate)
    return dx
