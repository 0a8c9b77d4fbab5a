"""Work cut into ranges."""

from hypothesis import given
from hypothesis import strategies as st

from tinycnn.runtime.ranges import split_range


@given(st.integers(0, 5000), st.integers(-1, 600), st.integers(1, 40))
def test_a_cut_covers_the_range_in_near_equal_parts(total, size, least):
    ranges = split_range(total, size, least=least)
    assert [i for first, last in ranges for i in range(first, last)] == list(range(total))
    lengths = [last - first for first, last in ranges]
    assert all(lengths)
    if len(ranges) > 1:
        assert max(lengths) - min(lengths) <= 1
        assert min(lengths) >= least
    elif total:
        # One part, because it is small enough or because two would be too small.
        assert total <= max(size, 1) or total < 2 * least


@given(st.integers(1, 5000), st.integers(1, 600))
def test_parts_are_no_larger_than_asked_where_nothing_forbids_it(total, size):
    ranges = split_range(total, size)
    assert max(last - first for first, last in ranges) <= size
    assert len(ranges) == -(-total // size)


def test_cuts_by_hand():
    assert split_range(0, 5) == []
    assert split_range(10, 4) == [(0, 3), (3, 6), (6, 10)]
    assert split_range(40, 4, least=16) == [(0, 20), (20, 40)]
    assert split_range(15, 4, least=16) == [(0, 15)]
