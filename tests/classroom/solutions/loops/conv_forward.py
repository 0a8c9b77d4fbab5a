import numpy as np


def conv2d(x, W, b, stride, padding):
    N, H, width, _ = x.shape
    KH, KW, _, F = W.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (width + 2 * padding - KW) // stride + 1
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    y = np.zeros((N, OH, OW, F))
    for n in range(N):
        for oh in range(OH):
            for ow in range(OW):
                h, w = oh * stride, ow * stride
                window = padded[n, h : h + KH, w : w + KW]
                for f in range(F):
                    y[n, oh, ow, f] = (window * W[:, :, :, f]).sum() + b[f]
    return y
