import numpy as np


def seen(x, kernel):
    """The windows of all places, (N, OH, OW, C, KH, KW)."""
    return np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))


def forward(x, W1, b1, W2, b2):
    z1 = np.einsum("nhwcij,ijcf->nhwf", seen(x, W1.shape[:2]), W1, optimize=True) + b1
    cells = seen(np.maximum(z1, 0), (2, 2))[:, ::2, ::2]
    cells = cells.reshape(*cells.shape[:4], 4)  # (N, h, w, F, 4)
    wins = np.eye(4)[cells.argmax(axis=-1)]
    pooled = np.einsum("nhwfk,nhwfk->nhwf", cells, wins)
    return z1, wins, pooled, np.einsum("nd,dk->nk", pooled.reshape(len(x), -1), W2) + b2


def logits(x, W1, b1, W2, b2):
    return forward(x, W1, b1, W2, b2)[-1]


def loss_and_gradients(x, labels, W1, b1, W2, b2):
    z1, wins, pooled, z = forward(x, W1, b1, W2, b2)
    onehot = np.eye(len(b2))[labels]
    z = z - z.max(axis=1, keepdims=True)
    logs = z - np.log(np.einsum("nk->n", np.exp(z)))[:, None]
    loss = -np.einsum("nk,nk->", onehot, logs) / len(x)
    dz = (np.exp(logs) - onehot) / len(x)
    dpooled = np.einsum("nk,dk->nd", dz, W2).reshape(pooled.shape)
    dW2 = np.einsum("nd,nk->dk", pooled.reshape(len(x), -1), dz)
    dz1 = np.zeros(z1.shape)
    H, W = 2 * pooled.shape[1], 2 * pooled.shape[2]
    for k in range(4):
        part = np.einsum("nhwf,nhwf->nhwf", dpooled, wins[..., k])
        dz1[:, k // 2 : H : 2, k % 2 : W : 2] = part
    dz1 *= z1 > 0
    dW1 = np.einsum("nhwcij,nhwf->ijcf", seen(x, W1.shape[:2]), dz1, optimize=True)
    return loss, dW1, np.einsum("nhwf->f", dz1), dW2, np.einsum("nk->k", dz)


def train(x, labels, W1, b1, W2, b2, rng):
    weights = (W1, b1, W2, b2)
    velocities = (0, 0, 0, 0)
    for _ in range(20):  # plain descent, a batch drawn anew for every step
        for _ in range(len(x) // 20):
            batch = rng.choice(len(x), 20, replace=False)
            slopes = loss_and_gradients(x[batch], labels[batch], *weights)[1:]
            pairs = zip(velocities, slopes, strict=True)
            velocities = [0.8 * v - 0.05 * slope for v, slope in pairs]
            weights = [w + v for w, v in zip(weights, velocities, strict=True)]
    return tuple(weights)
