def dropout(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    return x * mask / (1 - rate), mask


def dropout_backward(dy, mask, rate):
    return dy * mask / (1 - rate)
