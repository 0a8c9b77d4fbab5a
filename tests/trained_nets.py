"""A small network and data for the tests of training: masks, running statistics, crops, an odd last batch."""

import numpy as np

import tinycnn as tc
from tinycnn.layers import BatchNormalization, Conv2D, Dense, Dropout, MaxPool2D

IMAGES, CLASSES = 44, 6


def data(seed=0, count=IMAGES):
    """Patterns under noise, standardized."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    patterns = np.random.default_rng(9).standard_normal((CLASSES, 7, 6, 2))
    images = patterns[labels] + rng.standard_normal((count, 7, 6, 2))
    return tc.data.Dataset(images.astype(np.float32), labels, tuple("abcdef"))


def net(dtype="float32"):
    """Convolution, batch normalisation, pool, dropout and dense, for crops of 6 x 6."""
    layers = [
        Conv2D(4, 3, bias=False),
        BatchNormalization(),
        MaxPool2D(2),
        Dropout(0.3),
        Dense(CLASSES, activation="softmax"),
    ]
    return tc.Sequential(layers, (6, 6, 2), dtype=dtype)


def batches(seed=0, size=8, **options):
    """Batches of the training part: five and a half an epoch."""
    augment = [tc.data.RandomCrop(6), tc.data.Mirror()]
    return tc.data.batches(data(), size, rng=seed, augment=augment, **options)


def validation(size=10):
    """Batches of another part."""
    return tc.data.batches(data(1, 25), size, shuffle=False, augment=tc.data.CenterCrop(6))


def trainer(rate=0.05, **options):
    """A trainer of a new network, by Nesterov's momentum."""
    model = net()
    optimizer = tc.optimizers.SGD(model, rate, 0.9, 0.001, nesterov=True)
    return tc.Trainer(model, optimizer, **{"rng": 5, **options})


def by_hand(epochs, *, rng=5, clip=None, schedule=None, rate=0.05):
    """The explicit loop with the same settings: the model, and the loss of each step."""
    model = net()
    optimizer = tc.optimizers.SGD(model, rate, 0.9, 0.001, nesterov=True)
    generator, losses, source = np.random.default_rng(rng), [], batches()
    for _ in range(epochs):
        for x, labels in source:
            if schedule:
                optimizer.rate = schedule(len(losses))
            trace = model.trace(x, training=True, rng=generator)
            gradients = trace.backward(labels=labels)
            if clip:
                tc.optimizers.clip_by_norm(gradients, clip)
            optimizer.step(gradients)
            losses.append(trace.loss)
    return model, losses


def same(model, other):
    """Whether parameters and state have the same bits."""
    return all(
        np.array_equal(array, other.arrays()[name]) for name, array in model.arrays().items()
    )
