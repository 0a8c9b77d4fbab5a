import numpy as np


def max_pool2d_backward(dy, x, kernel, stride):
    dx = np.zeros(x.shape)
    N, OH, OW, C = dy.shape
    for n in range(N):
        for oh in range(OH):
            for ow in range(OW):
                for c in range(C):
                    top, left = oh * stride[0], ow * stride[1]
                    best = -np.inf
                    for i in range(kernel[0]):
                        for j in range(kernel[1]):
                            if x[n, top + i, left + j, c] > best:
                                best = x[n, top + i, left + j, c]
                                winner = top + i, left + j
                    dx[n, winner[0], winner[1], c] += dy[n, oh, ow, c]
    return dx
