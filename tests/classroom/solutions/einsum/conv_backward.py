import numpy as np


def conv2d_backward(dy, x, W, stride, padding):
    p = (padding, padding)
    padded = np.pad(x, ((0, 0), p, p, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, W.shape[:2], axis=(1, 2))
    dW = np.einsum("nhwcij,nhwf->ijcf", windows[:, ::stride, ::stride], dy)
    # dx: dy with stride - 1 zeros between its cells, in a full convolution with W turned round.
    (KH, KW), (N, OH, OW, F) = W.shape[:2], dy.shape
    spread = np.zeros((N, padded.shape[1] + KH - 1, padded.shape[2] + KW - 1, F))
    spread[:, KH - 1 : KH - 1 + OH * stride : stride, KW - 1 : KW - 1 + OW * stride : stride] = dy
    windows = np.lib.stride_tricks.sliding_window_view(spread, (KH, KW), axis=(1, 2))
    dpadded = np.einsum("nhwfij,ijcf->nhwc", windows, W[::-1, ::-1])
    dx = dpadded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]
    return dx, dW, np.einsum("nhwf->f", dy)
