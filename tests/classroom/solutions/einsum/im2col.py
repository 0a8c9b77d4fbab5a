import numpy as np


def selection(cells, kernel, stride, padding):
    """Where each cell of each window comes from along one axis: (windows, kernel, cells)."""
    windows = (cells + 2 * padding - kernel) // stride + 1
    place = stride * np.arange(windows)[:, None] - padding + np.arange(kernel)[None, :]
    return (place[:, :, None] == np.arange(cells)).astype(float)


def selections(shape, kernel, stride, padding):
    return [selection(*axis) for axis in zip(shape[1:3], kernel, stride, padding, strict=True)]


def im2col(x, kernel, stride, padding):
    rows, columns = selections(x.shape, kernel, stride, padding)
    cols = np.einsum("aih,bjw,nhwc->nabijc", rows, columns, x)
    return cols.reshape(-1, kernel[0] * kernel[1] * x.shape[3])


def col2im(cols, x_shape, kernel, stride, padding):
    rows, columns = selections(x_shape, kernel, stride, padding)
    windows = cols.reshape(x_shape[0], len(rows), len(columns), *kernel, x_shape[3])
    return np.einsum("aih,bjw,nabijc->nhwc", rows, columns, windows)


def conv2d(x, W, b, stride, padding):
    cols = im2col(x, W.shape[:2], stride, padding)
    y = np.einsum("rk,kf->rf", cols, W.reshape(-1, W.shape[3])) + b
    rows, columns = selections(x.shape, W.shape[:2], stride, padding)
    return y.reshape(len(x), len(rows), len(columns), W.shape[3])
