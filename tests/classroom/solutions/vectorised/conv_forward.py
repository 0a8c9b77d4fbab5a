import numpy as np


def conv2d(x, W, b, stride, padding):
    KH, KW, _, _ = W.shape
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    OH = (padded.shape[1] - KH) // stride + 1
    OW = (padded.shape[2] - KW) // stride + 1
    y = np.zeros((len(x), OH, OW, W.shape[3])) + b
    for i in range(KH):
        for j in range(KW):
            cells = padded[:, i : i + stride * OH : stride, j : j + stride * OW : stride]
            y += cells @ W[i, j]
    return y
