"""Batches: the same bits whatever prepares them, each image once an epoch, and gone on with anywhere."""

from itertools import chain

import numpy as np
import pytest
from interrupts import at_each_point
from running_threads import running, wait_for_others

import tinycnn as tc
from tinycnn.data import Mirror, RandomCrop, Standardize
from tinycnn.errors import ArgumentError, DamagedPictureWarning, DataError, ShapeError

IMAGES = np.random.default_rng(0).integers(0, 256, (23, 6, 7, 2), np.uint8)
DATA = tc.data.Dataset(IMAGES, np.arange(23) % 3)
AUGMENT = (RandomCrop((4, 5)), Mirror(), Standardize.of(DATA))


def epochs(count=2, data=DATA, size=5, **settings):
    """All batches of some epochs."""
    every = tc.data.batches(data, size, **{"augment": AUGMENT, **settings})
    return [batch for _ in range(count) for batch in every]


def same(found, expected):
    assert len(found) == len(expected)
    for (x, labels), (others, others_labels) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(x, others)
        np.testing.assert_array_equal(labels, others_labels)


def test_a_batch_is_what_its_formula_says():
    """The order, the numbers of each image, and the steps, written out."""
    order = np.random.default_rng([7, 1, 0]).permutation(23)
    numbers = np.random.default_rng([7, 1, 1]).random((23, 3))
    found = epochs(rng=7)[5:]  # of the second epoch
    for number, (x, labels) in enumerate(found):
        chosen = order[5 * number : 5 * number + 5]
        for image, place in zip(x, chosen, strict=True):
            top, left = int(numbers[place, 0] * 3), int(numbers[place, 1] * 3)
            cut = IMAGES[place, top : top + 4, left : left + 5]
            cut = cut[:, ::-1] if numbers[place, 2] < 0.5 else cut
            np.testing.assert_allclose(image, AUGMENT[2](cut), rtol=1e-6)
        np.testing.assert_array_equal(labels, DATA.labels[chosen])
        assert x.dtype == np.float32 and x.flags.c_contiguous


@pytest.mark.parametrize(("threads", "prefetch"), [(1, 1), (2, 1), (2, 4), (5, 3), (3, 99)])
def test_the_same_bits_for_any_number_of_threads(threads, prefetch):
    same(epochs(threads=threads, prefetch=prefetch), epochs(prefetch=0))


def test_a_step_that_draws_from_elsewhere_would_be_found():
    """What the test before is worth: a step with a state of its own gives other bits."""
    rng = np.random.default_rng(0)

    def step(images):
        return images + rng.random()

    with pytest.raises(AssertionError):
        same(epochs(augment=step, prefetch=0), epochs(augment=step, prefetch=0))


def test_what_an_image_draws_does_not_depend_on_the_split_into_batches():
    small, large = epochs(1, size=1), epochs(1, size=23)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in small]), large[0][0])


def test_each_epoch_has_each_image_once_in_an_order_of_its_own():
    numbered = tc.data.Dataset(np.arange(23).reshape(23, 1, 1, 1), np.zeros(23))
    found = [x.ravel().tolist() for x, _ in epochs(3, numbered, augment=())]
    each = [list(chain(*found[5 * e : 5 * e + 5])) for e in range(3)]
    assert [sorted(order) for order in each] == 3 * [list(range(23))]
    assert len(set(map(tuple, each))) == 3
    assert [len(x) for x in found[:5]] == [5, 5, 5, 5, 3]
    in_order = [x.ravel().tolist() for x, _ in epochs(1, numbered, augment=(), shuffle=False)]
    assert list(chain(*in_order)) == list(range(23))
    dropped = epochs(1, numbered, augment=(), drop_last=True)
    assert [x.ravel().tolist() for x, _ in dropped] == found[:4]


def test_seeds():
    same(epochs(rng=3), epochs(rng=3))
    for other in (epochs(rng=4), epochs(rng=np.random.default_rng(3))):
        with pytest.raises(AssertionError):
            same(epochs(rng=3), other)
    same(epochs(rng=np.random.default_rng(3)), epochs(rng=np.random.default_rng(3)))


@pytest.mark.parametrize("position", [(0, 0), (0, 3), (1, 0), (1, 4)])
def test_it_goes_on_from_any_position(position):
    epoch, batch = position
    whole, rest = epochs(), epochs(2 - epoch, position=position)
    same(rest, whole[5 * epoch + batch :])


def test_a_loop_that_was_left_is_gone_on_with():
    every, found, positions = tc.data.batches(DATA, 5, augment=AUGMENT), [], []
    while len(found) < 10:
        for batch in every:
            found.append(batch)
            positions.append(every.position)
            if len(found) % 2 == 0:
                break
    same(found, epochs())
    assert positions == [
        (0, 1),
        (0, 2),
        (0, 3),
        (0, 4),
        (1, 0),
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
        (2, 0),
    ]


def test_the_position_may_be_set():
    every = tc.data.batches(DATA, 5, augment=AUGMENT)
    list(every)
    every.position = 0, 2
    same(list(every), epochs(1)[2:])
    with pytest.raises(ArgumentError, match="position's batch must be at most 4, got 5"):
        every.position = 0, 5


def test_float64_and_what_is_stored():
    ((x, _),) = epochs(1, size=23, augment=(), dtype="float64", shuffle=False)
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x, IMAGES)
    assert DATA.images.dtype == np.uint8


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_images_that_hold_nan(on_error):
    images = IMAGES.astype(np.float32)
    images[4, 1, 1, 1], images[9, 0, 0, 0] = np.nan, np.inf
    data = tc.data.Dataset(images, DATA.labels)
    if on_error == "raise":
        with pytest.raises(DataError, match="image 4 holds NaN or infinity"):
            epochs(1, data, shuffle=False)
        return
    with pytest.warns(DamagedPictureWarning, match="left out: image [49] holds NaN"):
        found = epochs(1, data, shuffle=False, augment=(), on_error="skip")
    kept = np.delete(images, [4, 9], axis=0)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in found]), kept)


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"batch_size": 0}, ArgumentError, "batch_size must be at least 1"),
        ({"batch_size": 24, "drop_last": True}, ArgumentError, "at most the 23 images"),
        ({"on_error": "ignore"}, ArgumentError, "on_error must be one of 'raise', 'skip'"),
        ({"dtype": "float16"}, ArgumentError, "dtype must be one of"),
        ({"rng": -1}, ArgumentError, "rng must be None"),
        ({"augment": 3}, ArgumentError, "augment must be a step or several"),
        ({"augment": [Mirror, 3]}, ArgumentError, "augment must be a step or several"),
        ({"position": (0, 5)}, ArgumentError, "position's batch must be at most 4"),
        ({"position": 3}, ArgumentError, r"position must be \(epoch, batch\), got 3"),
        ({"threads": 0}, ArgumentError, "threads must be at least 1"),
        ({"prefetch": -1}, ArgumentError, "prefetch must be at least 0"),
    ],
)
def test_arguments_out_of_range(settings, kind, words):
    with pytest.raises(kind, match=words):
        tc.data.batches(DATA, **{"batch_size": 5, **settings})


@pytest.mark.parametrize("prefetch", [0, 4])
def test_an_error_of_a_step_is_raised_as_it_is(prefetch):
    with pytest.raises(ShapeError, match="9 x 9 does not fit into images of 6 x 7"):
        epochs(augment=RandomCrop(9), prefetch=prefetch)
    with pytest.raises(ShapeError, match="as many images as it is given, 5, got shape"):
        epochs(augment=lambda images: images[1:], prefetch=prefetch)


def test_no_thread_is_left_behind():
    before = running()
    every = tc.data.batches(DATA, 2, threads=3)
    for _ in every:
        break
    wait_for_others(before)
    with pytest.raises(ZeroDivisionError):
        for _ in every:
            1 / 0  # noqa: B018
    wait_for_others(before)
    with iter(every) as batches:
        next(batches)
    wait_for_others(before)
    list(every)
    wait_for_others(before)


def test_an_interrupt_at_any_point_leaves_it_usable():
    before, states = running(), []
    expected = epochs(1, size=12)

    def work():
        states[:] = [tc.data.batches(DATA, 12, augment=AUGMENT, threads=2), []]
        for batch in states[0]:
            states[1].append(batch)

    def after():
        wait_for_others(before)
        every, done = states
        if every.position[0] == 0:  # the rest, or the batch again that was on its way
            rest = list(every)
            same(rest, expected[-len(rest) :])
            assert len(done) + len(rest) >= 1

    assert at_each_point(work, after, step=3) > 20
