import numpy as np


def dense(x, W, b):
    (N, D), F = x.shape, W.shape[1]
    y = np.zeros((N, F))
    for n in range(N):
        for f in range(F):
            y[n, f] = b[f]
            for d in range(D):
                y[n, f] += x[n, d] * W[d, f]
    return y


def dense_backward(dy, x, W):
    dx, dW, db = np.zeros(x.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    N, F = dy.shape
    for n in range(N):
        for f in range(F):
            for d in range(x.shape[1]):
                dx[n, d] += dy[n, f] * W[d, f]
                dW[d, f] += dy[n, f] * x[n, d]
            db[f] += dy[n, f]
    return dx, dW, db
