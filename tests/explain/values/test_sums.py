"""Printed sums: what is printed adds up, and the gap to the unrounded number is named."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.explain.values.printing import factor, number, printed
from tinycnn.explain.values.sums import MOST, Product, Sum, Term, add, grouped, mapped

floats = st.floats(-1e4, 1e4, allow_nan=False, width=32)


def leaves(values):
    return [Product(f"p{i}", value, 1.0) for i, value in enumerate(values)]


@given(st.lists(floats, min_size=1, max_size=MOST), st.integers(-40, 4))
def test_printed_parts_add_up_to_the_printed_total(values, exponent):
    values = [value * 10.0**exponent for value in values]
    total = add("sum", leaves(values))
    shown = printed(total)
    assert sum(map(Decimal, shown.parts)) == Decimal(shown.total)
    assert Decimal(shown.total) + Decimal(shown.gap or "0") == Decimal(shown.value)
    assert shown.gap is None or Decimal(shown.gap) != 0
    unit = Decimal(10) ** (shown.exponent - shown.places)
    with localcontext(prec=2000):
        for text, value in zip((*shown.parts, shown.value), (*values, total.value), strict=True):
            assert abs(Decimal(text).scaleb(shown.exponent) - Decimal(value)) <= unit / 2
    assert all(len(text) <= 13 for text in shown.parts)


@given(floats, floats, st.integers(-30, 3))
def test_printed_factors_make_the_printed_product(a, b, exponent):
    a *= 10.0**exponent
    shown = printed(add("sum", [Product("p", a, b)]))
    unit = Decimal(10) ** (shown.exponent - shown.places)
    with localcontext(prec=2000):
        redone = Decimal(factor(a, b, shown)) * Decimal(factor(b, a, shown))
        given = Decimal(shown.parts[0]).scaleb(shown.exponent)
        assert abs(redone - given) <= Decimal("0.75") * unit


@given(st.integers(1, 60), st.integers(1, 60))
def test_map_is_summed_up_by_at_most_25_regions_a_level(height, width):
    seen = set()

    def leaf(i, j):
        seen.add((i, j))
        return Term(f"({i},{j})", 1.0)

    tree = mapped("sum", height, width, leaf)
    assert tree.value == height * width == len(seen) == tree.terms
    levels = [tree]
    while levels:
        level = levels.pop()
        assert len(level.parts) <= MOST and len(level.parts) % level.columns == 0
        levels += [part for part in level.parts if isinstance(part, Sum)]


@given(st.lists(floats, min_size=1, max_size=600))
def test_no_level_prints_more_than_25_numbers(values):
    tree = grouped("cell", leaves(values), "channels")
    assert tree.terms == len(values)
    levels = [tree]
    while levels:
        level = levels.pop()
        assert len(level.parts) <= MOST
        levels += [part for part in level.parts if isinstance(part, Sum)]


def test_groups_are_near_equal_and_named_by_what_they_hold():
    tree = grouped("cell", leaves([1.0] * 96), "channels")
    assert [part.place for part in tree.parts] == [
        "channels 0..23", "channels 24..47", "channels 48..71", "channels 72..95",
    ]  # fmt: skip


def test_sum_is_rounded_once():
    assert add("sum", leaves([1e16, 1.0, -1e16])).value == 1.0


def test_gap_is_printed_where_rounded_numbers_miss_the_total():
    shown = printed(add("sum", leaves([1.00004, 1.00004, 1.00004])))
    assert shown.parts == ("1.0000", "1.0000", "1.0000")
    assert (shown.total, shown.value, shown.gap) == ("3.0000", "3.0001", "0.0001")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_shown_as_it_is(value):
    assert printed(add("sum", leaves([value, 1.0]))).value == str(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (6.907755, "6.9078"), (-0.000806321, "-0.00080632"), (123456.7, "123457"),
     (1e-9, "1.0000e-09"), (3.5e7, "3.5000e+07"), (float("nan"), "nan"), (float("inf"), "inf")],
)  # fmt: skip
def test_numbers_have_five_significant_digits(value, text):
    assert number(value) == text
