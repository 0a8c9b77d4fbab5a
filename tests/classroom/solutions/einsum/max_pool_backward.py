import numpy as np


def max_pool2d_backward(dy, x, kernel, stride):
    (N, OH, OW, C), (KH, KW) = dy.shape, kernel
    dx = np.zeros(x.shape)
    for oh in range(OH):
        for ow in range(OW):
            top, left = oh * stride[0], ow * stride[1]
            window = x[:, top : top + KH, left : left + KW].reshape(N, KH * KW, C)
            onehot = np.eye(KH * KW)[window.argmax(axis=1)]  # (N, C, KH*KW)
            share = np.einsum("nck,nc->nkc", onehot, dy[:, oh, ow])
            dx[:, top : top + KH, left : left + KW] += share.reshape(N, KH, KW, C)
    return dx
