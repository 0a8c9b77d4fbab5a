import numpy as np


def sgd_step(w, v, g, rate, momentum, weight_decay):
    w, v = w.copy(), v.copy()
    for place in np.ndindex(w.shape):
        v[place] = momentum * v[place] - rate * (g[place] + weight_decay * w[place])
        w[place] += v[place]
    return w, v


def sgd_steps(w, gradients, rates, momentum, weight_decay):
    v, ws = np.zeros(w.shape), np.zeros(gradients.shape)
    for t in range(len(rates)):
        w, v = sgd_step(w, v, gradients[t], rates[t], momentum, weight_decay)
        ws[t] = w
    return ws
