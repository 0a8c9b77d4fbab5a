"""Checks of sums: their bounds hold, what is called exact is, and a wrong sum is found."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinycnn as tc
from tinycnn.explain.values.checks import check_sum, half_epsilon
from tinycnn.explain.values.explanation import Check, only
from tinycnn.explain.values.sums import Product, Term, add, grouped
from tinycnn.layers import Dense

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
floats = st.floats(width=32, min_value=-1e6, max_value=1e6)


def products(pairs):
    return grouped(
        "sum", [Product(f"{i}", float(a), float(b)) for i, (a, b) in enumerate(pairs)], "terms"
    )


def in_float32(pairs, order):
    """The sum as an engine may have it: each product rounded, added up in some order."""
    terms = [np.float32(a) * np.float32(b) for a, b in pairs]
    total = np.float32(0)
    for i in order:
        total = total + terms[i]
    return float(total)


# --------------------------------------------------------------------------------------------- sums


@given(st.data())
def test_the_bound_of_a_sum_holds_in_any_order(data):
    pairs = data.draw(st.lists(st.tuples(floats, floats), min_size=1, max_size=60))
    order = data.draw(st.permutations(range(len(pairs))))
    tree = products(pairs)
    assert check_sum(tree, in_float32(pairs, order), FLOAT32).ok
    pairwise = np.array([np.float32(a) * np.float32(b) for a, b in pairs]).sum(dtype=np.float32)
    assert check_sum(tree, float(pairwise), FLOAT32).ok
    bias = data.draw(floats)
    with_bias = float(np.float32(in_float32(pairs, order)) + np.float32(bias))
    assert check_sum(tree, with_bias, FLOAT32, bias=bias).ok


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
def test_the_bound_of_a_sum_holds_in_float64(pairs):
    engine = fused = 0.0
    for a, b in reversed(pairs):
        engine += a * b
        fused = float(
            Fraction(a) * Fraction(b) + Fraction(fused)
        )  # rounded once, as BLAS may do it
    assert check_sum(products(pairs), engine, FLOAT64).ok
    assert check_sum(products(pairs), fused, FLOAT64).ok


small = st.integers(-(2**10), 2**10)


@given(st.data(), st.integers(-60, 40))
def test_a_sum_that_is_called_exact_is_the_same_in_every_order(data, exponent):
    pairs = data.draw(st.lists(st.tuples(small, small), min_size=1, max_size=12))
    pairs = [(math.ldexp(a, exponent), float(b)) for a, b in pairs]
    tree = products(pairs)
    order = data.draw(st.permutations(range(len(pairs))))
    check = check_sum(tree, in_float32(pairs, order), FLOAT32)
    size = sum(abs(a * b) for a, b in pairs)
    if size < math.ldexp(1, exponent + 24):  # of multiples of 2**exponent
        assert check.bound == 0 and check.why == "every partial sum is a float32: exact"
    if check.bound == 0:
        assert check.difference == 0 and check.ok


def test_a_sum_that_only_looks_exact_is_not_called_so():
    """Few digits each, but far apart: 2**24 + 1 is no float32."""
    pairs = [(2.0**24, 1.0), (1.0, 1.0)]
    check = check_sum(products(pairs), in_float32(pairs, (0, 1)), FLOAT32)
    assert check.bound > 0 and check.difference == 1 and check.ok
    assert check_sum(products(pairs), 2.0**24 + 1, FLOAT64).bound == 0
    # A function such as a power may round whatever it is given.
    ones = products([(1.0, 1.0)])
    assert check_sum(ones, 1.0, FLOAT32, extra=2).bound == 0
    assert check_sum(ones, 1.0, FLOAT32, extra=32).bound > 0


def test_a_product_that_float64_rounds_is_not_exact():
    x = 1 + 2.0**-30  # its square has 61 bits, of which float64 keeps 53
    check = check_sum(products([(x, x), (-1.0, 1.0 + 2.0**-29)]), 2.0**-60, FLOAT64)
    assert check.bound > 0 and check.reference == 0 and check.ok
    assert check_sum(products([(x, 2.0)]), 2 * x, FLOAT64).bound == 0


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 10**6))
def test_every_sum_of_a_network_in_float64_agrees(images, inputs, units, seed):
    rng = np.random.default_rng(seed)
    model = tc.Sequential([Dense(3), Dense(units)], (inputs,), dtype="float64", rng=seed)
    trace = model.trace(rng.standard_normal((images, inputs)))
    gradients = trace.backward(dy=rng.standard_normal((images, units)))
    whats = [
        f"{name}[{','.join(map(str, index))}]"
        for name, array in gradients.items()
        for index in np.ndindex(array.shape)
    ]
    for what in whats:
        opened = trace.explain(what)
        assert all(check.ok for check in only(Check, opened.sections)), str(opened)


def test_the_bound_says_what_it_is_made_of():
    tree = add("sum", [Term("a", 0.1), Term("b", -0.2), Term("c", 0.3)])
    check = check_sum(tree, 0.2, FLOAT32)
    assert check.why == "3 terms * 2^-24 * the sum of the terms' sizes, 0.60000"
    assert check.bound == pytest.approx(3 * 2**-24 * 0.6, rel=1e-5)
    check = check_sum(tree, 0.3, FLOAT32, bias=0.1)
    assert check.why == "4 terms * 2^-24 * the sum of the terms' sizes, 0.70000"
    check = check_sum(add("sum", [Term("a", 0.1)]), 0.1, FLOAT32)
    assert check.why == "1 term * 2^-24 * the sum of the terms' sizes, 0.10000"
    check = check_sum(tree, 0.2, FLOAT64)
    assert check.why == "4 roundings * 2^-53 * the sum of the terms' sizes, 0.60000"
    assert half_epsilon(FLOAT32) == 2.0**-24 and half_epsilon(FLOAT64) == 2.0**-53


def test_a_wrong_sum_is_found():
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((2000, 2)).astype(np.float32)
    right = in_float32(pairs, range(2000))
    assert check_sum(products(pairs), right, FLOAT32).ok
    biggest = np.abs(pairs.prod(axis=1)).argmax()
    short = in_float32(np.delete(pairs, biggest, axis=0), range(1999))
    assert not check_sum(products(pairs), short, FLOAT32).ok


def test_nothing_to_add_up_is_exactly_zero():
    check = check_sum(products([(0.0, 3.0), (2.0, 0.0)]), 0.0, FLOAT32)
    assert check.bound == 0 and check.ok
    assert not check_sum(products([(0.0, 3.0)]), 1e-30, FLOAT32).ok


@pytest.mark.parametrize(
    ("engine", "reference", "bound", "ok"),
    [
        (1.0, 1.0, 0.0, True), (1.0, 1.5, 0.5, True), (1.0, 1.5, 0.4, False), (1.5, 1.0, 0.4, False),
        (math.nan, math.nan, 0.0, False), (math.nan, 1.0, 9.0, False), (1.0, math.nan, 9.0, False),
        (math.inf, math.inf, 0.0, False), (math.inf, -math.inf, 9.0, False), (math.inf, 1.0, 9.0, False),
    ],
)  # fmt: skip
def test_what_agrees(engine, reference, bound, ok):
    assert Check("float64", engine, reference, bound, "planted").ok is ok


def test_a_sum_that_is_not_finite():
    tree = add("sum", [Term("a", math.inf), Term("b", 1.0)])
    for engine in (math.inf, 1.0):  # the same infinity proves nothing either
        check = check_sum(tree, engine, FLOAT32)
        assert not check.ok and not check.finite and check.reference == math.inf
    assert math.isnan(check_sum(add("sum", [Term("a", math.nan)]), math.nan, FLOAT32).reference)


def test_a_bound_is_explained_once_and_where_there_is_one():
    from tinycnn.explain import explain, open_lesson

    lesson = open_lesson(model="mini")
    words = "(rounding alone can take the two so far apart; more would be an error)"
    assert str(explain(lesson.backward, "conv2.W[1,2,3,4]")).count(words) == 1  # of two checks
    assert words not in str(explain(lesson.trace, "pool1", (3, 4, 5)))  # a maximum is copied
