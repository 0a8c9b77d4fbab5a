"""A data set and networks small enough to be trained in a moment, as files for the command line."""

import numpy as np

CLASSES = ("bars", "columns", "corner")

NETWORKS = """
import signal
from pathlib import Path

import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, Dropout, Layer, MaxPool2D

def network(*extra, classes=3):
    return tc.Sequential(
        [Conv2D(4, 3, padding=1, activation="relu", name="c1"), MaxPool2D(2), *extra, Dropout(0.2),
         Dense(classes, activation="softmax", name="d1")], (6, 6, 1), rng=1)

net = network()
four = network(classes=4)
coloured = tc.Sequential([Conv2D(2, 3), Dense(3, activation="softmax")], (8, 8, 3))
rows = tc.Sequential([Dense(3, activation="softmax")], (36,))
maps = tc.Sequential([Conv2D(3, 3)], (6, 6, 1))

class Same(Layer):
    "Passes everything on; at its pass number `at`, validations counted, a signal comes, once."
    at, signal, times, passes = None, signal.SIGINT, 1, 0

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        Same.passes += 1
        if Same.passes == Same.at and not Path("signalled").exists():
            Path("signalled").touch()
            for _ in range(Same.times):
                signal.raise_signal(Same.signal)
        return x, None

    def backward(self, params, dy, saved, context):
        return dy, {}

own = network(Same())

def interrupted():
    Same.at = 12
    return network(Same())

def interrupted_twice():
    Same.at, Same.times = 12, 2
    return network(Same())

def terminated():
    Same.at, Same.signal = 12, signal.SIGTERM
    return network(Same())
"""


def write_data(path, count=90, seed=0):
    """Images 6 x 6 of three kinds, each with its noise, in an .npz file; gives its path as text."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.integers(0, 60, (count, 6, 6)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        if label == 0:
            image[1::2] += 190
        elif label == 1:
            image[:, 1::2] += 190
        else:
            image[:3, :3] += 190
    test = slice(0, 30)
    np.savez(
        path, x_train=images[30:], y_train=labels[30:], x_test=images[test], y_test=labels[test],
        classes=CLASSES,
    )  # fmt: skip
    return str(path)


def write_networks(path):
    """The file that FILE.py:NAME names."""
    path.write_text(NETWORKS)
    return str(path)
