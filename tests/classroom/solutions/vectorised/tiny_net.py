import numpy as np


def conv2d(x, W, b):
    OH, OW = x.shape[1] - W.shape[0] + 1, x.shape[2] - W.shape[1] + 1
    places = np.ndindex(W.shape[:2])
    return b + sum(x[:, i : i + OH, j : j + OW] @ W[i, j] for i, j in places)


def windows(y):
    """(N, OH, OW, F) as (N, h, w, F, 4): what each window of the pool sees, in reading order."""
    N, OH, OW, F = y.shape
    even = y[:, : OH // 2 * 2, : OW // 2 * 2].reshape(N, OH // 2, 2, OW // 2, 2, F)
    return even.transpose(0, 1, 3, 5, 2, 4).reshape(N, OH // 2, OW // 2, F, 4)


def logits(x, W1, b1, W2, b2):
    pooled = windows(np.maximum(conv2d(x, W1, b1), 0)).max(axis=-1)
    return pooled.reshape(len(x), -1) @ W2 + b2


def loss_and_gradients(x, labels, W1, b1, W2, b2):
    N, rows = len(x), np.arange(len(x))
    y1 = np.maximum(conv2d(x, W1, b1), 0)
    seen = windows(y1)
    pooled, winner = seen.max(axis=-1), seen.argmax(axis=-1)
    z = pooled.reshape(N, -1) @ W2 + b2
    logs = z - z.max(axis=1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    dz = np.exp(logs)
    dz[rows, labels] -= 1
    dz /= N
    dy1 = np.zeros(y1.shape)
    n, h, w, f = np.indices(pooled.shape)
    dy1[n, 2 * h + winner // 2, 2 * w + winner % 2, f] = (dz @ W2.T).reshape(pooled.shape)
    dz1 = dy1 * (y1 > 0)
    dW1 = np.zeros(W1.shape)
    for i, j in np.ndindex(W1.shape[:2]):
        cells = x[:, i : i + dz1.shape[1], j : j + dz1.shape[2]]
        dW1[i, j] = np.tensordot(cells, dz1, axes=((0, 1, 2), (0, 1, 2)))
    dW2, db2 = pooled.reshape(N, -1).T @ dz, dz.sum(axis=0)
    return -logs[rows, labels].mean(), dW1, dz1.sum(axis=(0, 1, 2)), dW2, db2


def train(x, labels, *weights_and_rng):
    *weights, rng = weights_and_rng
    weights = [w.copy() for w in weights]
    velocities = [np.zeros_like(w) for w in weights]
    for _ in range(10):
        for batch in np.array_split(rng.permutation(len(x)), max(1, len(x) // 20)):
            gradients = loss_and_gradients(x[batch], labels[batch], *weights)[1:]
            for k, gradient in enumerate(gradients):
                velocities[k] = 0.9 * velocities[k] - 0.05 * gradient
                weights[k] += velocities[k]
    return weights
