"""Tiles cover an axis without a gap and without an overlap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.ops.convolution.winograd.tiling import tiling

lengths = st.integers(1, 300)
# (kernel, the smallest tile, the largest tile asked for)
kinds = st.sampled_from(
    [(3, 2, 6), (3, 2, 5), (3, 2, 4), (3, 2, 3), (5, 3, 4), (5, 3, 3), (2, 3, 4)]
)


def sizes(cut):
    return [cut.outputs] * cut.big + [cut.outputs - 1] * cut.small


def is_covered(case):
    """Whether the fewest tiles that could do are, each of the smallest size, no longer than the axis."""
    length, (_, least, largest) = case
    return least * -(-length // largest) <= length


@given(lengths, kinds)
def test_tiles_cover_the_axis(length, kind):
    kernel, least, largest = kind
    cut = tiling(length, kernel, largest=largest)
    fewest = -(-length // largest)
    assert (cut is None) == (not is_covered((length, kind)))
    if cut is None:
        return
    assert sum(sizes(cut)) == cut.length == length
    assert cut.count == len(sizes(cut)) == fewest
    assert least <= min(sizes(cut)) <= max(sizes(cut)) <= largest
    assert cut.frequencies == cut.outputs + kernel - 1
    assert [cut.start(t) for t in range(cut.count + 1)] == [
        sum(sizes(cut)[:t]) for t in range(cut.count + 1)
    ]


@given(st.tuples(lengths, kinds).filter(is_covered), st.data())
def test_some_of_the_tiles_are_a_tiling_too(case, data):
    length, (kernel, _, largest) = case
    cut = tiling(length, kernel, largest=largest)
    first = data.draw(st.integers(0, cut.count))
    last = data.draw(st.integers(first, cut.count))
    assert sizes(cut.select(first, last)) == sizes(cut)[first:last]


@pytest.mark.parametrize(
    ("length", "kernel", "largest", "expected"),
    [
        (13, 3, None, [5, 4, 4]),
        (13, 3, 3, [3, 3, 3, 2, 2]),
        (55, 3, 5, [5] * 11),
        (28, 3, None, [6, 6, 6, 5, 5]),
        (12, 3, None, [6, 6]),
        (27, 5, None, [4] * 6 + [3]),
        (2, 3, None, [2]),
        (6, 5, None, [3, 3]),
        (14, 2, None, [4, 4, 3, 3]),
    ],
)
def test_examples(length, kernel, largest, expected):
    assert sizes(tiling(length, kernel, largest=largest)) == expected


@pytest.mark.parametrize(
    ("length", "kernel"), [(1, 3), (0, 3), (1, 5), (2, 5), (5, 5), (2, 2), (5, 2), (9, 4), (9, 7)]
)
def test_what_no_tiles_fit(length, kernel):
    assert tiling(length, kernel) is None
