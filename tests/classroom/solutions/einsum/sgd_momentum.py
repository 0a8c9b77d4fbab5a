import numpy as np


def sgd_step(w, v, g, rate, momentum, weight_decay):
    push = np.stack([v, g, w])
    v = np.einsum("k...,k->...", push, [momentum, -rate, -rate * weight_decay])
    return np.add(w, v), v


def sgd_steps(w, gradients, rates, momentum, weight_decay):
    ws, v = np.empty_like(gradients), 0 * w
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True)):
        w, v = sgd_step(w, v, g, rate, momentum, weight_decay)
        ws[t] = w
    return ws
