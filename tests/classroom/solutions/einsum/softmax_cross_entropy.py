import numpy as np


def softmax(z):
    e = np.exp(z - np.max(z, axis=1)[:, None])
    return np.einsum("nf,n->nf", e, 1 / np.einsum("nf->n", e))


def softmax_backward(dy, p):
    jacobians = np.einsum("nf,fg->nfg", p, np.eye(p.shape[1])) - np.einsum("nf,ng->nfg", p, p)
    return np.einsum("nf,nfg->ng", dy, jacobians)


def cross_entropy(z, labels):
    onehot = np.eye(z.shape[1])[labels]
    shifted = z - z.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -np.einsum("nf,nf->", onehot, logs) / len(z)
    return loss, (np.exp(logs) - onehot) / len(z)
