import numpy as np


def conv2d_backward(dy, x, W, stride, padding):
    KH, KW, C, F = W.shape
    _, OH, OW, _ = dy.shape
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    dpadded, dW = np.zeros(padded.shape), np.zeros(W.shape)
    for i in range(KH):
        for j in range(KW):
            rows = slice(i, i + stride * OH, stride)
            columns = slice(j, j + stride * OW, stride)
            dpadded[:, rows, columns] += dy @ W[i, j].T
            dW[i, j] = padded[:, rows, columns].reshape(-1, C).T @ dy.reshape(-1, F)
    dx = dpadded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]
    return dx, dW, dy.sum(axis=(0, 1, 2))
