import numpy as np


def max_pool2d_backward(dy, x, kernel, stride):
    N, OH, OW, C = dy.shape
    KH, KW = kernel
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    windows = windows[:, :: stride[0], :: stride[1]]  # (N, OH, OW, C, KH, KW)
    i, j = np.divmod(windows.reshape(N, OH, OW, C, KH * KW).argmax(axis=-1), KW)
    n, oh, ow, c = np.indices(dy.shape)
    dx = np.zeros(x.shape)
    np.add.at(dx, (n, oh * stride[0] + i, ow * stride[1] + j, c), dy)
    return dx
