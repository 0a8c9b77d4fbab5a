import numpy as np


def energies(x, size, alpha, k):
    s = np.zeros(x.shape)
    for n, h, w, c in np.ndindex(x.shape):
        s[n, h, w, c] = k
        for e in neighbours(c, size, x.shape[3]):
            s[n, h, w, c] += alpha * x[n, h, w, e] ** 2
    return s


def neighbours(c, size, channels):
    return [e for e in range(c - size // 2, c + size // 2 + 1) if 0 <= e < channels]


def lrn(x, size, alpha, beta, k):
    y, s = np.zeros(x.shape), energies(x, size, alpha, k)
    for place in np.ndindex(x.shape):
        y[place] = x[place] / s[place] ** beta
    return y


def lrn_backward(dy, x, size, alpha, beta, k):
    dx, s = np.zeros(x.shape), energies(x, size, alpha, k)
    for n, h, w, c in np.ndindex(x.shape):
        dx[n, h, w, c] += dy[n, h, w, c] / s[n, h, w, c] ** beta
        for e in neighbours(c, size, x.shape[3]):  # y[c] hangs on x[e] through s[c]
            power = s[n, h, w, c] ** (-beta - 1)
            slope = -2 * alpha * beta * x[n, h, w, c] * x[n, h, w, e] * power
            dx[n, h, w, e] += dy[n, h, w, c] * slope
    return dx
