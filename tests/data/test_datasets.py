"""Data sets as values: what fits together, and parts drawn by a seed."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn as tc
from tinycnn.errors import ArgumentError, DataError, ShapeError


def numbered(labels):
    """Images whose one pixel is their place."""
    return tc.data.Dataset(np.arange(len(labels)).reshape(-1, 1, 1, 1), labels)


def places(dataset):
    return dataset.images.ravel().tolist()


@given(
    # Of the first class so many that the smallest share, 1 of 28, is an image at least.
    counts=st.lists(st.integers(4, 40), max_size=5).map(lambda more: [28, *more]),
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    seed=st.integers(0, 5),
)
def test_a_stratified_split_gives_each_part_its_share_of_each_class(counts, weights, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    shares = [weight / sum(weights) for weight in weights]
    parts = numbered(labels).split(*shares, rng=seed)
    assert sorted(chain(*map(places, parts))) == list(range(len(labels)))
    for number, (part, share) in enumerate(zip(parts, shares, strict=True)):
        assert abs(len(part) - share * len(labels)) < 1 + 1e-9
        assert places(part) == sorted(places(part))
        np.testing.assert_array_equal(part.labels, labels[places(part)])
        off = np.abs(np.bincount(part.labels, minlength=len(counts)) - share * np.array(counts))
        # A class is a run of the row, of which every so-maniest is taken: one more or less. The part's size
        # was rounded by less than one image, of which a class has its share; so was what others left before.
        assert (off < 1 + 1e-9 + np.array(counts) / len(labels) + 1.5 * number).all()


def test_parts_are_drawn_by_the_seed():
    data = numbered(np.arange(60) % 3)
    first = [places(part) for part in data.split(0.5, 0.3, 0.2, rng=1)]
    assert first == [places(part) for part in data.split(30, 18, 12, rng=1)]
    assert first != [places(part) for part in data.split(0.5, 0.3, 0.2, rng=2)]
    generator = np.random.default_rng(1)
    assert first == [places(part) for part in data.split(0.5, 0.3, 0.2, rng=generator)]


def test_without_strata_classes_fall_as_chance_has_them():
    data = numbered(np.arange(2000) % 2)
    ones = [
        int(data.split(0.1, 0.9, rng=seed, stratified=False)[0].labels.sum()) for seed in range(200)
    ]
    # Hypergeometric: of 2,000 with 1,000 ones, 200 drawn. Mean 100, variance 200/4 * 1800/1999.
    assert abs(np.mean(ones) - 100) < 4 * np.sqrt(45.02 / 200)
    assert 0.6 * 45.02 < np.var(ones) < 1.5 * 45.02
    assert {int(data.split(0.1, 0.9, rng=seed)[0].labels.sum()) for seed in range(20)} == {100}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((), "got none"),
        ((0.8, 0.3), r"got 0\.8 \+ 0\.3 = 1\.1"),
        ((50, 11), "or to 60 as numbers of images, got 50 \\+ 11 = 61"),
        ((1.5, -0.5), "parts must be shares that add up to 1"),
        (("a", "b"), "parts must be shares that add up to 1"),
        ((0.999, 0.001), "of 60 images a part of 0.001 is empty"),
    ],
)
def test_parts_that_do_not_add_up(parts, words):
    with pytest.raises(ArgumentError, match=words):
        numbered(np.arange(60) % 3).split(*parts)


def test_a_class_with_too_few_images_has_no_share():
    data = numbered([0, 0, 0, 1])
    with pytest.raises(ArgumentError, match="class 1 has 1 image, fewer than the 2 parts"):
        data.split(0.5, 0.5)
    assert [len(part) for part in data.split(0.5, 0.5, stratified=False)] == [2, 2]


def test_what_a_data_set_says_of_itself():
    data = tc.data.Dataset(np.zeros((3, 4, 5)), [2, 0, 2], ("a", "b", "c"), "three")
    assert repr(data) == "<three: 3 images of 4 x 5 x 1 float64, 3 classes>"
    assert (len(data), data.image_shape) == (3, (4, 5, 1))
    assert data.counts == {"a": 1, "b": 0, "c": 2}
    assert not data.images.flags.writeable and not data.labels.flags.writeable


@pytest.mark.parametrize("wrong", [[], [-1], [3], [[0]], [0.5], "a"])
def test_places_that_there_are_not(wrong):
    with pytest.raises(ArgumentError, match="places must be"):
        numbered([0, 1, 2]).select(wrong)


def test_images_and_labels_of_other_shapes():
    with pytest.raises(ShapeError, match="images must have the axes"):
        tc.data.Dataset(np.zeros((0, 2, 2, 1)), [])
    with pytest.raises(
        DataError, match="each image needs a label: data set has 2 images and 1 label"
    ):
        tc.data.Dataset(np.zeros((2, 2, 2, 1)), [0])
    with pytest.raises(DataError, match="must be below 1, the number of classes"):
        tc.data.Dataset(np.zeros((2, 2, 2, 1)), [0, 1], ["only"])


def test_labels_that_are_names():
    names = ["cat", "dog", "cat"]
    with pytest.raises(DataError, match=r"np\.unique\(names, return_inverse=True\)"):
        tc.data.Dataset(np.zeros((3, 1, 1)), names)
    classes, labels = np.unique(names, return_inverse=True)
    assert tc.data.Dataset(np.zeros((3, 1, 1)), labels, classes).counts == {"cat": 2, "dog": 1}


class Squares(tc.data.LazyImages):
    """A source of one's own: image i is i * i everywhere."""

    shape, dtype = (5, 2, 2, 1), np.dtype(np.int32)

    def read(self, index):
        return np.full((2, 2, 1), index * index, np.int32)


def test_a_source_of_ones_own():
    data = tc.data.Dataset(Squares(), [0, 1, 0, 1, 0])
    part = data.select([4, 1]).select([1, 0, 0])
    assert len(part.images) == 3 and part.images.name(1) == "image 4"
    assert part.loaded().images[:, 0, 0, 0].tolist() == [1, 16, 16]
    with pytest.raises(IndexError):
        part.images[3]
    assert [x.mean() for x, _ in tc.data.batches(data, 2, shuffle=False)] == [0.5, 6.5, 16]
