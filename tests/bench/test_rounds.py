import pytest

from tinycnn.bench.rounds import Spread, fastest, geometric_mean, plain, ratio


def test_a_spread_is_the_median_and_the_quartiles():
    assert Spread.of([4, 1, 3, 2, 5]) == Spread(3, 2, 4)
    assert Spread.of([7.0]) == Spread(7, 7, 7)
    assert Spread(3, 2, 4).times(10) == Spread(30, 20, 40)


def test_a_ratio_is_taken_within_the_rounds():
    # The second round met a machine that was ten times slower: for both.
    rounds = {"a": [2.0, 20.0, 4.0], "b": [1.0, 10.0, 1.0]}
    assert ratio(rounds, "a", "b") == Spread(2, 2, 3)


def test_the_fastest_has_the_least_median():
    rounds = {"a": [1.0, 9.0, 9.0], "b": [5.0, 5.0, 5.0]}
    assert fastest(rounds, ["a", "b"]) == "b"
    assert fastest(rounds, ["a", "c"]) == "a"
    assert fastest(rounds, ["c"]) is None


def test_the_geometric_mean_treats_twice_and_half_alike():
    assert geometric_mean([2, 0.5]) == pytest.approx(1)
    assert geometric_mean([1, 10, 100]) == pytest.approx(10)


def test_plain_numbers_for_json():
    assert plain({"a": Spread(2, 1, 3), "b": "text"}) == {
        "a": {"median": 2, "low": 1, "high": 3},
        "b": "text",
    }
