"""The digits that come with the package: what is learnt from, what is held out, where they are from."""

import numpy as np
from sklearn.datasets import load_digits

from tinycnn.classroom.exercises.digits import digits, held_out


def test_nothing_that_is_held_out_is_learnt_from():
    (x, labels), (unseen, right) = digits(), held_out()
    assert x.shape == (700, 8, 8, 1) and unseen.shape == (500, 8, 8, 1)
    assert x.min() == unseen.min() == 0 and x.max() == unseen.max() == 1
    everything = np.concatenate([x, unseen]).reshape(1200, -1)
    assert len(np.unique(everything, axis=0)) == 1200
    for part in (labels, right):
        assert part.dtype == np.int64 and set(part) == set(range(10))
        assert np.bincount(part).min() > len(part) / 13  # each digit about as often as the others


def test_fewer_are_the_first_of_them():
    x, labels = digits(3)
    assert np.array_equal(x, digits()[0][:3]) and np.array_equal(labels, digits()[1][:3])


def test_they_are_those_of_scikit_learn():
    everything, numbers = load_digits(return_X_y=True)
    known = {image.tobytes(): label for image, label in zip(everything / 16, numbers, strict=True)}
    for x, labels in (digits(), held_out()):
        assert [known[image.tobytes()] for image in x] == labels.tolist()
