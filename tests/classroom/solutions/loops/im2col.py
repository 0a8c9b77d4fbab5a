import numpy as np


def im2col(x, kernel, stride, padding):
    N, H, width, C = x.shape
    OH = (H + 2 * padding[0] - kernel[0]) // stride[0] + 1
    OW = (width + 2 * padding[1] - kernel[1]) // stride[1] + 1
    cols = np.zeros((N * OH * OW, kernel[0] * kernel[1] * C))
    for n, oh, ow, i, j, c in np.ndindex(N, OH, OW, kernel[0], kernel[1], C):
        h, w = oh * stride[0] - padding[0] + i, ow * stride[1] - padding[1] + j
        if 0 <= h < H and 0 <= w < width:
            cols[(n * OH + oh) * OW + ow, (i * kernel[1] + j) * C + c] = x[n, h, w, c]
    return cols


def col2im(cols, x_shape, kernel, stride, padding):
    x = np.zeros(x_shape)
    N, H, width, C = x_shape
    OH = (H + 2 * padding[0] - kernel[0]) // stride[0] + 1
    OW = (width + 2 * padding[1] - kernel[1]) // stride[1] + 1
    for n, oh, ow, i, j, c in np.ndindex(N, OH, OW, kernel[0], kernel[1], C):
        h, w = oh * stride[0] - padding[0] + i, ow * stride[1] - padding[1] + j
        if 0 <= h < H and 0 <= w < width:
            x[n, h, w, c] += cols[(n * OH + oh) * OW + ow, (i * kernel[1] + j) * C + c]
    return x


def conv2d(x, W, b, stride, padding):
    N, H, width, C = x.shape
    KH, KW, _, F = W.shape
    OH = (H + 2 * padding[0] - KH) // stride[0] + 1
    OW = (width + 2 * padding[1] - KW) // stride[1] + 1
    cols = im2col(x, (KH, KW), stride, padding)
    filters = W.reshape(KH * KW * C, F)
    y = np.zeros((len(cols), F))
    for row in range(len(cols)):
        for f in range(F):
            y[row, f] = b[f] + sum(cols[row, k] * filters[k, f] for k in range(len(filters)))
    return y.reshape(N, OH, OW, F)
