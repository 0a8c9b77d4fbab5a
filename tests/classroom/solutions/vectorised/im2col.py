import numpy as np


def im2col(x, kernel, stride, padding):
    (SH, SW), (PH, PW) = stride, padding
    padded = np.pad(x, ((0, 0), (PH, PH), (PW, PW), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
    windows = windows[:, ::SH, ::SW].transpose(0, 1, 2, 4, 5, 3)  # (N, OH, OW, KH, KW, C)
    return windows.reshape(-1, kernel[0] * kernel[1] * x.shape[3])


def col2im(cols, x_shape, kernel, stride, padding):
    (N, H, W, C), (KH, KW), (SH, SW), (PH, PW) = x_shape, kernel, stride, padding
    padded = np.zeros((N, H + 2 * PH, W + 2 * PW, C))
    OH, OW = (H + 2 * PH - KH) // SH + 1, (W + 2 * PW - KW) // SW + 1
    windows = cols.reshape(N, OH, OW, KH, KW, C)
    for i in range(KH):
        for j in range(KW):
            padded[:, i : i + SH * OH : SH, j : j + SW * OW : SW] += windows[:, :, :, i, j]
    return padded[:, PH : PH + H, PW : PW + W]


def conv2d(x, W, b, stride, padding):
    KH, KW, _, F = W.shape
    y = im2col(x, (KH, KW), stride, padding) @ W.reshape(-1, F) + b
    OH = (x.shape[1] + 2 * padding[0] - KH) // stride[0] + 1
    return y.reshape(len(x), OH, -1, F)
