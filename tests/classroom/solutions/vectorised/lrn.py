import numpy as np


def energy(x, size, alpha, k):
    C, half = x.shape[3], size // 2
    s = np.zeros(x.shape)
    for c in range(C):
        window = x[..., max(0, c - half) : c + half + 1]
        s[..., c] = k + alpha * (window**2).sum(axis=-1)
    return s


def lrn(x, size, alpha, beta, k):
    return x / energy(x, size, alpha, k) ** beta


def lrn_backward(dy, x, size, alpha, beta, k):
    C, half = x.shape[3], size // 2
    s = energy(x, size, alpha, k)
    dx = dy / s**beta
    ratio = dy * x / s ** (beta + 1)
    for c in range(C):
        shares = ratio[..., max(0, c - half) : c + half + 1].sum(axis=-1)
        dx[..., c] -= 2 * alpha * beta * x[..., c] * shares
    return dx
