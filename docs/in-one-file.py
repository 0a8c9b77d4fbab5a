"""A convolutional network in one file of NumPy: forward, backward and training, nothing hidden.

    python docs/in-one-file.py          # needs NumPy, and scikit-learn for its digits of 8 x 8 pixels

Images are channels last, (N, H, W, C): N images of H x W pixels with C channels. A convolution has F
filters of KH x KW cells and gives maps of OH x OW cells. L is the loss, one number; dx is dL/dx, how
much L changes for a small change of each cell of x, so it has the shape of x. Every backward answers
one question: given dy, what are dx, dW and db? By the chain rule a cell's gradient is the sum, over
all places where the cell was used, of dy there times the factor that it was multiplied with.
"""

import numpy as np


def im2col(x, KH, KW, padding):
    """Write each window of x (N, H, W, C) into a row: cols (N, OH, OW, KH * KW * C).

    The window moves by one cell (stride 1): OH = H + 2 * padding - KH + 1, and OW likewise.
    """
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))  # zeros around images
    windows = np.lib.stride_tricks.sliding_window_view(x, (KH, KW), axis=(1, 2))
    windows = windows.transpose(0, 1, 2, 4, 5, 3)  # (N, OH, OW, C, KH, KW) -> (..., KH, KW, C)
    return windows.reshape(*windows.shape[:3], -1)


def conv2d(x, W, b, padding=0):
    """y[n, oh, ow, f] = b[f] + sum over i, j, c of x[n, oh + i, ow + j, c] * W[i, j, c, f].

    x (N, H, W, C), counted from its border of zeros; W (KH, KW, C, F); b (F,); y (N, OH, OW, F).
    """
    KH, KW, C, F = W.shape
    return im2col(x, KH, KW, padding) @ W.reshape(KH * KW * C, F) + b


def conv2d_backward(dy, x, W, padding=0):
    """Give dx, dW, db. The sum y[n, oh, ow, f] holds x[n, oh + i, ow + j, c] * W[i, j, c, f], so

    dW[i, j, c, f]            = sum over n, oh, ow of dy[n, oh, ow, f] * x[n, oh + i, ow + j, c]
    dx[n, oh + i, ow + j, c] += sum over f of         dy[n, oh, ow, f] * W[i, j, c, f]
    """
    (N, H, W_in, C), (KH, KW, _, F), (_, OH, OW, _) = x.shape, W.shape, dy.shape
    rows = dy.reshape(N * OH * OW, F)
    cols = im2col(x, KH, KW, padding).reshape(N * OH * OW, KH * KW * C)
    dW = (cols.T @ rows).reshape(W.shape)
    db = rows.sum(axis=0)  # b[f] was added to every cell, with factor 1
    dcols = (rows @ W.reshape(KH * KW * C, F).T).reshape(N, OH, OW, KH, KW, C)
    dx = np.zeros((N, H + 2 * padding, W_in + 2 * padding, C))
    for i in range(KH):  # back to the cells that im2col read; windows overlap, so it adds up
        for j in range(KW):
            dx[:, i : i + OH, j : j + OW] += dcols[:, :, :, i, j]
    return dx[:, padding : padding + H, padding : padding + W_in], dW, db  # without the border


def relu(x):
    """y = max(0, x), in any shape."""
    return np.maximum(x, 0)


def relu_backward(dy, y):
    """dx = dy where y > 0 (x passed, with factor 1), else 0."""
    return np.where(y > 0, dy, 0)


def max_pool2d(x):
    """Take the largest cell of each 2 x 2 window: x (N, H, W, C) -> y and winner (N, OH, OW, C).

    OH = H // 2, OW = W // 2. A window's cells are 0 and 1, below them 2 and 3; the first maximum wins.
    """
    (_, H, W, _) = x.shape
    cells = [x[:, i : H - H % 2 : 2, j : W - W % 2 : 2] for i in (0, 1) for j in (0, 1)]
    return np.max(cells, axis=0), np.argmax(cells, axis=0)


def max_pool2d_backward(dy, winner, x_shape):
    """dx = dy at the cell that won (factor 1), and 0 at the three that lost."""
    dx, (_, OH, OW, _) = np.zeros(x_shape), dy.shape
    for cell in range(4):
        i, j = divmod(cell, 2)
        dx[:, i : 2 * OH : 2, j : 2 * OW : 2] = np.where(winner == cell, dy, 0)
    return dx


def dense(x, W, b):
    """y = x @ W + b, with x (N, ...) flattened to (N, D); W (D, F); b (F,); y (N, F)."""
    return x.reshape(len(x), -1) @ W + b


def dense_backward(dy, x, W):
    """dx = dy @ W.T;  dW = x.T @ dy;  db = sum of dy over N."""
    return (dy @ W.T).reshape(x.shape), x.reshape(len(x), -1).T @ dy, dy.sum(axis=0)


def cross_entropy(logits, labels):
    """Give the loss of logits (N, F) and labels (N,), and its backward at once, dlogits (N, F).

    p = exp(logits) / sum of exp(logits)       softmax: F probabilities for each image
    L = mean over n of -log(p[n, labels[n]])   how surprising the labels are
    dlogits = (p - onehot(labels)) / N         what p has too much
    """
    z = logits - logits.max(axis=1, keepdims=True)  # the same p, and no exp overflows
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    N, onehot = len(labels), np.eye(logits.shape[1])[labels]
    return -(onehot * log_p).sum() / N, (np.exp(log_p) - onehot) / N


def initial_weights(rng):
    """Draw each W with variance 2 / (terms of a sum), so that maps keep their size (He et al. 2015)."""
    w = {}
    for name, shape in ("conv1", (3, 3, 1, 8)), ("conv2", (3, 3, 8, 16)), ("dense1", (64, 10)):
        w[f"{name}.W"] = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))
        w[f"{name}.b"] = np.zeros(shape[-1])
    return w


def forward(x, w):
    """Give the logits (N, 10) of images x (N, 8, 8, 1), and what backward will need."""
    y1 = relu(conv2d(x, w["conv1.W"], w["conv1.b"], padding=1))  # (N, 8, 8, 8)
    p1, winner1 = max_pool2d(y1)  # (N, 4, 4, 8)
    y2 = relu(conv2d(p1, w["conv2.W"], w["conv2.b"], padding=1))  # (N, 4, 4, 16)
    p2, winner2 = max_pool2d(y2)  # (N, 2, 2, 16)
    return dense(p2, w["dense1.W"], w["dense1.b"]), (x, y1, winner1, p1, y2, winner2, p2)


def backward(dlogits, saved, w):
    """Give all gradients by name: the lines of forward from last to first, each turned round."""
    (x, y1, winner1, p1, y2, winner2, p2), g = saved, {}
    dp2, g["dense1.W"], g["dense1.b"] = dense_backward(dlogits, p2, w["dense1.W"])
    dz2 = relu_backward(max_pool2d_backward(dp2, winner2, y2.shape), y2)
    dp1, g["conv2.W"], g["conv2.b"] = conv2d_backward(dz2, p1, w["conv2.W"], padding=1)
    dz1 = relu_backward(max_pool2d_backward(dp1, winner1, y1.shape), y1)
    g["x"], g["conv1.W"], g["conv1.b"] = conv2d_backward(dz1, x, w["conv1.W"], padding=1)
    return g


def loss_and_gradients(x, labels, w):
    """There and back: the loss of images and labels, and its gradients."""
    logits, saved = forward(x, w)
    loss, dlogits = cross_entropy(logits, labels)
    return loss, backward(dlogits, saved, w)


def sgd_step(w, g, velocity, rate=0.05, momentum=0.9):
    """v = momentum * v - rate * g;  w = w + v: downhill, with some of the last steps' speed."""
    for name in w:
        velocity[name] = momentum * velocity.get(name, 0) - rate * g[name]
        w[name] = w[name] + velocity[name]


def accuracy(x, labels, w):
    """Share of the images whose largest logit is their label's."""
    return (forward(x, w)[0].argmax(axis=1) == labels).mean()


def train(x, labels, held_out, w, rng, epochs=12, batch=32):
    """Improve w in place; after each epoch print the mean loss, and the accuracy on ``held_out``."""
    velocity = {}
    for epoch in range(1, epochs + 1):
        losses = []
        for n in np.split(rng.permutation(len(x)), range(batch, len(x), batch)):
            loss, g = loss_and_gradients(x[n], labels[n], w)
            sgd_step(w, g, velocity)
            losses.append(loss)
        right = accuracy(*held_out, w)
        print(f"epoch {epoch:2}  loss {np.mean(losses):.4f}  held out: {right:6.1%} right")


def check_a_gradient(x, labels, w, name="conv1.W", step=1e-5):
    """Print one cell of dW beside (L(W + step) - L(W - step)) / (2 * step), made without backward."""
    dW = loss_and_gradients(x, labels, w)[1][name]
    at = np.unravel_index(np.abs(dW).argmax(), dW.shape)  # its largest cell, so surely not 0
    nudge = np.zeros(dW.shape)
    nudge[at] = step
    up, down = ({**w, name: w[name] + change} for change in (nudge, -nudge))
    L_up, L_down = (loss_and_gradients(x, labels, changed)[0] for changed in (up, down))
    place = ", ".join(map(str, at))
    slope = (L_up - L_down) / (2 * step)
    print(f"dL / d {name}[{place}]: backward {dW[at]:.9f}, differences of L {slope:.9f}")


def main():
    """Train on four fifths of the 1,797 digits, hold out the rest, and check a gradient."""
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error}; the digits need: pip install scikit-learn") from None
    rng = np.random.default_rng(0)
    images, labels = load_digits(return_X_y=True)
    x = images.reshape(-1, 8, 8, 1) / 16  # shades 0 to 16 become 0 to 1
    held_out, rest = np.split(rng.permutation(len(x)), [360])
    w = initial_weights(rng)
    train(x[rest], labels[rest], (x[held_out], labels[held_out]), w, rng)
    check_a_gradient(x[held_out], labels[held_out], w)
    some = x[held_out[:5]]
    for row in some[..., 0].transpose(1, 0, 2).reshape(8, 5 * 8):
        print("".join(2 * " .:-=+*%@"[int(8 * shade)] for shade in row))
    print("".join(f"{digit:^16}" for digit in forward(some, w)[0].argmax(axis=1)))


if __name__ == "__main__":
    main()
