import math

import numpy as np


def softmax(z):
    p = np.zeros(z.shape)
    for n, row in enumerate(z):
        largest = max(row)
        powers = [math.exp(logit - largest) for logit in row]
        for f, power in enumerate(powers):
            p[n, f] = power / sum(powers)
    return p


def softmax_backward(dy, p):
    dz = np.zeros(p.shape)
    for n in range(len(p)):
        inner = sum(dy[n, g] * p[n, g] for g in range(p.shape[1]))
        for f in range(p.shape[1]):
            dz[n, f] = p[n, f] * (dy[n, f] - inner)
    return dz


def cross_entropy(z, labels):
    loss, dz = 0.0, softmax(z)
    for n, label in enumerate(labels):
        largest = max(z[n])
        total = sum(math.exp(logit - largest) for logit in z[n])
        loss += (math.log(total) + largest - z[n, label]) / len(z)
        dz[n, label] -= 1
        dz[n] /= len(z)
    return loss, dz
