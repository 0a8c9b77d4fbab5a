import numpy as np


def sgd_step(w, v, g, rate, momentum, weight_decay):
    v = momentum * v - rate * (g + weight_decay * w)
    return w + v, v


def sgd_steps(w, gradients, rates, momentum, weight_decay):
    v, ws = np.zeros_like(w), []
    for g, rate in zip(gradients, rates, strict=True):
        w, v = sgd_step(w, v, g, rate, momentum, weight_decay)
        ws.append(w)
    return np.stack(ws)
