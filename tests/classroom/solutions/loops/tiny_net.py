import numpy as np


def forward(x, W1, b1, W2, b2):
    KH, KW, _, F = W1.shape
    N, OH, OW = len(x), x.shape[1] - KH + 1, x.shape[2] - KW + 1
    filters = W1.reshape(-1, F)
    z1 = np.zeros((N, OH, OW, F))
    for oh in range(OH):
        for ow in range(OW):
            z1[:, oh, ow] = x[:, oh : oh + KH, ow : ow + KW].reshape(N, -1) @ filters + b1
    y1 = np.maximum(z1, 0)
    pooled = np.zeros((N, OH // 2, OW // 2, F))
    for n in range(N):
        for h in range(OH // 2):
            for w in range(OW // 2):
                pooled[n, h, w] = y1[n, 2 * h : 2 * h + 2, 2 * w : 2 * w + 2].max(axis=(0, 1))
    return z1, y1, pooled, pooled.reshape(N, -1) @ W2 + b2


def logits(x, W1, b1, W2, b2):
    return forward(x, W1, b1, W2, b2)[-1]


def loss_and_gradients(x, labels, W1, b1, W2, b2):
    z1, y1, pooled, z = forward(x, W1, b1, W2, b2)
    N = len(x)
    loss, dz = 0.0, np.zeros(z.shape)
    for n in range(N):
        powers = np.exp(z[n] - z[n].max())
        loss += (np.log(powers.sum()) + z[n].max() - z[n, labels[n]]) / N
        dz[n] = powers / powers.sum() / N
        dz[n, labels[n]] -= 1 / N
    dW2, db2 = pooled.reshape(N, -1).T @ dz, dz.sum(axis=0)
    dpooled = (dz @ W2.T).reshape(pooled.shape)
    dz1 = np.zeros(z1.shape)
    for n, h, w, f in np.ndindex(pooled.shape):
        i, j = divmod(y1[n, 2 * h : 2 * h + 2, 2 * w : 2 * w + 2, f].argmax(), 2)
        if z1[n, 2 * h + i, 2 * w + j, f] > 0:
            dz1[n, 2 * h + i, 2 * w + j, f] = dpooled[n, h, w, f]
    dW1 = np.zeros(W1.shape)
    for i in range(W1.shape[0]):
        for j in range(W1.shape[1]):
            cells = x[:, i : i + z1.shape[1], j : j + z1.shape[2]]
            dW1[i, j] = cells.reshape(-1, x.shape[3]).T @ dz1.reshape(-1, z1.shape[3])
    return loss, dW1, dz1.sum(axis=(0, 1, 2)), dW2, db2


def train(x, labels, W1, b1, W2, b2, rng):
    weights = [W1.copy(), b1.copy(), W2.copy(), b2.copy()]
    velocities = [np.zeros(w.shape) for w in weights]
    for _ in range(7):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 20):
            batch = order[start : start + 20]
            _, *gradients = loss_and_gradients(x[batch], labels[batch], *weights)
            for w, v, g in zip(weights, velocities, gradients, strict=True):
                v[...] = 0.9 * v - 0.05 * g
                w += v
    return tuple(weights)
