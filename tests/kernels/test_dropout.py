import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels import reference
from tinycnn.kernels.dropout import dropout_mask, scale_kept
from tinycnn.testing.strategies import dtypes, generators

keys = st.integers(0, 2**64 - 1).map(np.uint64)
layers = st.integers(0, 2**32 - 1)
samples = st.integers(0, 2**40)  # beyond 32 bits: the counter has two words for them
thresholds = st.sampled_from([0, 1, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1)

# The known answers of Random123, the authors' own library: counter, key, words.
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([2**32 - 1] * 4, [2**32 - 1] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_known_answers(counter, key, words):
    assert list(reference.philox(tuple(counter), tuple(key))) == words


def test_a_cell_is_kept_when_its_word_reaches_the_threshold():
    for d, word in enumerate(KNOWN[0][2]):
        for threshold, kept in [(word - 1, True), (word, True), (word + 1, False)]:
            mask = np.zeros((1, 4), np.bool_)
            dropout_mask(np.uint64(0), 0, 0, 0, 1, threshold, mask)
            assert mask[0, d] == kept


@given(st.data(), keys, layers, samples, thresholds)
def test_dropout_mask_is_its_twin(data, key, layer, first_sample, threshold):
    rows, D = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 9))
    first, last = data.draw(ranges(rows))
    mask = np.array(data.draw(st.booleans())).repeat(rows * D).reshape(rows, D)
    against_twin(dropout_mask, key, layer, first_sample, first, last, threshold, mask)


@given(st.data(), keys, layers, samples)
def test_a_mask_does_not_depend_on_ranges_or_batches(data, key, layer, first_sample):
    rows, threshold = data.draw(st.integers(1, 6)), 2**31
    cut = data.draw(st.integers(0, rows))
    at_once, by_ranges = np.empty((2, rows, 7), np.bool_)
    by_batches = np.empty((cut, 7), np.bool_), np.empty((rows - cut, 7), np.bool_)
    dropout_mask(key, layer, first_sample, 0, rows, threshold, at_once)
    dropout_mask(key, layer, first_sample, cut, rows, threshold, by_ranges)
    dropout_mask(key, layer, first_sample, 0, cut, threshold, by_ranges)
    dropout_mask(key, layer, first_sample, 0, cut, threshold, by_batches[0])
    dropout_mask(key, layer, first_sample + cut, 0, rows - cut, threshold, by_batches[1])
    np.testing.assert_array_equal(at_once, by_ranges)
    np.testing.assert_array_equal(at_once, np.concatenate(by_batches))


def test_layers_samples_and_keys_draw_masks_of_their_own():
    def mask(key, layer, sample):
        result = np.empty((1, 64), np.bool_)
        dropout_mask(np.uint64(key), layer, sample, 0, 1, 2**31, result)
        return result.tobytes()

    drawn = [mask(0, 0, 0), mask(1, 0, 0), mask(2**32, 0, 0), mask(0, 1, 0), mask(0, 0, 1)]
    assert len({*drawn, mask(0, 0, 2**32)}) == 6


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_rate_is_the_share_dropped(rate):
    mask = np.empty((4, 1000), np.bool_)
    dropout_mask(np.uint64(7), 0, 0, 0, 4, round(rate * 2**32), mask)
    five_sigma = 5 * np.sqrt(rate * (1 - rate) / mask.size)
    assert abs(1 - mask.mean() - rate) < five_sigma


@given(st.data(), dtypes, generators, st.sampled_from([1.0, 2.0, 10.0]))
def test_scale_kept_is_its_twin(data, dtype, rng, scale):
    cells = data.draw(st.integers(0, 90))
    first, last = data.draw(ranges(cells))
    x, mask = whole(rng, cells, dtype), rng.random(cells) < 0.5
    x[rng.random(cells) < 0.1] = rng.choice([np.nan, np.inf, -np.inf])
    y = np.full(cells, 77, dtype)
    against_twin(scale_kept, x, mask, dtype(scale), first, last, y)


def test_what_is_dropped_is_zero_whatever_it_was():
    x, y = np.array([np.nan, np.inf, -np.inf, 3.0]), np.full(4, 77.0)
    scale_kept(x, np.array([False, False, False, True]), 2.0, 0, 4, y)
    np.testing.assert_array_equal(y, [0, 0, 0, 6])
