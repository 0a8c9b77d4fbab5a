import numpy as np


def conv2d_backward(dy, x, W, stride, padding):
    dx, dW, db = np.zeros(x.shape), np.zeros(W.shape), np.zeros(W.shape[3])
    N, OH, OW, F = dy.shape
    KH, KW, _, _ = W.shape
    for n in range(N):
        for oh in range(OH):
            for ow in range(OW):
                for i in range(KH):
                    for j in range(KW):
                        h, w = oh * stride - padding + i, ow * stride - padding + j
                        if 0 <= h < x.shape[1] and 0 <= w < x.shape[2]:
                            for f in range(F):
                                dx[n, h, w] += dy[n, oh, ow, f] * W[i, j, :, f]
                                dW[i, j, :, f] += dy[n, oh, ow, f] * x[n, h, w]
                for f in range(F):
                    db[f] += dy[n, oh, ow, f]
    return dx, dW, db
