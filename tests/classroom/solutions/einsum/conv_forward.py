import numpy as np


def conv2d(x, W, b, stride, padding):
    p = (padding, padding)
    padded = np.pad(x, ((0, 0), p, p, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, W.shape[:2], axis=(1, 2))
    return np.einsum("nhwcij,ijcf->nhwf", windows[:, ::stride, ::stride], W) + b
