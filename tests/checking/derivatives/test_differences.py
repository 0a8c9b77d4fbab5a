"""Differences against closed forms: their values, their own error, and kinks told from curvature."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tinycnn.checking import as_target
from tinycnn.checking.derivatives import sampling
from tinycnn.checking.derivatives.differences import Differences
from tinycnn.checking.derivatives.extrapolation import (
    Derivative,
    Reading,
    certain,
    extrapolate,
    refuted,
    settled,
)
from tinycnn.checking.derivatives.sizes import scale


def derivative(function, x, *, size=1.0, tolerance=1e-6, dy=1.0):
    """The derivative of a function of one number at ``x``."""
    target = as_target((function, lambda dy, x: dy), np.array([x]))
    differences = Differences(target, np.array([dy]))
    return differences.along(sampling.entry("x", 0, (1,)), size, tolerance, differences.fine)


SMOOTH = {
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "cubic": (lambda x: 2 * x**3 - x, lambda x: 6 * x**2 - 1),
    "tenth power": (lambda x: x**10, lambda x: 10 * x**9),
    "|x|^3": (lambda x: np.abs(x) ** 3, lambda x: 3 * x * np.abs(x)),
    "x|x|": (lambda x: x * np.abs(x), lambda x: 2 * np.abs(x)),
    "fast": (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x)),
    "large outputs": (lambda x: 1e6 + np.exp(x), np.exp),
    "scaled down": (lambda x: 1e-6 * np.sin(x), lambda x: 1e-6 * np.cos(x)),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("x", [0.0, 1e-12, 0.3, -1.7, 3.0])
def test_closed_forms(name, x):
    function, slope = SMOOTH[name]
    expected = slope(x)
    size = max(abs(expected), abs(slope(1.0)))
    found = derivative(function, x, size=size)
    assert not found.kink
    assert abs(found.value - expected) <= 1e-7 * size
    assert abs(found.value - expected) <= 4 * found.error + 1e-14 * size


@pytest.mark.parametrize("power", range(-6, 7))
def test_scales_from_a_millionth_to_a_million(power):
    unit = 10.0**power
    found = derivative(lambda x: np.sin(x / unit) * unit, 0.7 * unit)
    assert abs(found.value - math.cos(0.7)) < 1e-10


@pytest.mark.parametrize("x", [1e-6, 1e-3, 1.0, 1e3])
@pytest.mark.parametrize("function", ["log", "sqrt"])
def test_the_edge_of_a_domain_is_kept_off(function, x):
    slope = {"log": 1 / x, "sqrt": 0.5 / math.sqrt(x)}[function]
    found = derivative(getattr(np, function), x, size=slope)
    assert found.value == pytest.approx(slope, rel=1e-8)


def test_dy_weighs_the_outputs():
    target = as_target((lambda x: np.stack([x, x**2]), lambda dy, x: dy), np.array([3.0]))
    differences = Differences(target, np.array([[2.0], [-1.0]]))
    found = differences.along(sampling.entry("x", 0, (1,)), 1.0, 1e-6, differences.fine)
    assert found.value == pytest.approx(2 - 6, rel=1e-12)


# ------------------------------------------------------------------------------------------ kinks


@pytest.mark.parametrize("distance", [1e-6, 1e-5, 1e-3, 0.03, 0.5])
@pytest.mark.parametrize("side", [1, -1])
def test_a_kink_nearby_is_passed_by(distance, side):
    target = as_target(
        (lambda x: np.maximum(x, 0), lambda dy, x: dy), np.array([side * distance, 1.0])
    )
    differences = Differences(target, np.ones(2))
    found = differences.along(sampling.entry("x", 0, (2,)), 1.0, 1e-6, differences.fine)
    assert not found.kink
    assert found.value == pytest.approx(max(side, 0), abs=1e-9)


@pytest.mark.parametrize(
    "function",
    [
        np.abs,
        lambda x: np.maximum(x, 0),
        lambda x: np.maximum(x, 0) + np.sin(x),
        lambda x: -np.abs(x),
    ],
)
@pytest.mark.parametrize("x", [0.0, 1e-13])
def test_a_kink_at_the_point_is_a_kink(function, x):
    target = as_target((function, lambda dy, x: dy), np.array([x, 1.0]))
    differences = Differences(target, np.ones(2))
    found = differences.along(sampling.entry("x", 0, (2,)), 1.0, 1e-6, differences.fine)
    if x == 0:
        assert found.kink.startswith("a kink: the slope ahead is another than behind")
    else:  # beside a cell of size 1 steps of its own size show that this one is smooth
        assert found.kink or found.error < 1e-3


def test_the_names_of_known_kinks():
    from tinycnn.layers import ReLU

    target = as_target(ReLU(name="r"), np.array([[0.0, 1e-4]]))
    differences = Differences(target, np.ones((1, 2)))
    at_zero = differences.along(sampling.entry("x", 0, (1, 2)), 1.0, 1e-6, differences.fine)
    assert at_zero.kink == "a kink: r's ReLU at (0, 0) flips within any step"
    beside = differences.along(sampling.entry("x", 1, (1, 2)), 1.0, 1e-6, differences.fine)
    assert not beside.kink and beside.value == pytest.approx(1.0, abs=1e-9)
    assert beside.step < 1e-4


def test_a_jump_is_no_slope():
    found = derivative(np.floor, 1.0)
    assert found.kink or found.unclear


# ------------------------------------------------------------------------------------ its own error


def test_a_noisy_function_says_so():
    found = derivative(lambda x: np.sin(x.astype(np.float32)).astype(np.float64), 0.7)
    assert 1e-10 < found.error < 1e-2
    assert abs(found.value - math.cos(0.7)) <= 4 * found.error


def test_what_vanishes_beside_the_outputs_is_blind():
    found = derivative(lambda x: 1.0 + 1e-22 * x, 1.0)
    assert found.value == 0.0
    assert found.blind > 1e-22 and found.own_noise


def test_a_wrong_claim_is_refuted_by_every_step():
    target = as_target((np.sin, lambda dy, x: dy), np.array([0.7]))
    differences = Differences(target, np.ones(1))
    found = differences.confirm(sampling.entry("x", 0, (1,)), 1.0, 1e-6, 1.0, differences.fine)
    assert not found.unclear and not found.kink
    assert found.value == pytest.approx(math.cos(0.7), rel=1e-9)


def readings(function, steps):
    return [Reading(h, *function(h), noise=0.0, blind=0.0, spread=0.0) for h in steps]


def test_extrapolation_removes_even_powers():
    steps = [0.1, 0.05, 0.025, 0.0125]
    found = extrapolate(
        readings(lambda h: (2 + h**2 - 3 * h**4 + h**6, 5 * h), steps), 1e-6, smooth=False
    )
    assert found.value == pytest.approx(2, abs=1e-14)
    assert not found.kink and not found.unclear


def test_a_gap_that_stays_is_a_kink_and_a_small_one_does_not_matter():
    steps = [0.1, 0.05, 0.025]
    constant = readings(lambda h: (0.0, 0.5 + h), steps)
    assert extrapolate(constant, 1e-6, smooth=False).kink
    assert not extrapolate(constant, 1.0, smooth=False).kink
    assert not extrapolate(constant, 1e-6, smooth=True).kink


def test_a_gap_that_hardly_shrinks_leaves_it_open():
    steps = [0.1 / 2**i for i in range(5)]
    found = extrapolate(readings(lambda h: (0.0, h**0.5), steps), 1e-6, smooth=False)
    assert found.unclear and not found.kink
    assert found.error > 0.01


def test_a_claim_is_refuted_only_outside_what_the_gap_leaves_open():
    wide = Reading(1e-3, 2.0, 0.5, noise=0.0, blind=0.0, spread=0.5)
    narrow = Reading(1e-6, 2.0, 1e-4, noise=1e-5, blind=0.0, spread=1e-4)
    assert not refuted(2.001, [wide])
    assert refuted(2.001, [wide, narrow])
    assert not refuted(2.0002, [wide, narrow])


def test_a_kink_that_smaller_steps_rule_out_lies_nearby():
    far = Derivative(0.3, 0.01, 0.1, 0.0, 0.0, gap=0.5, kink="a kink")
    near = Derivative(1e-15, 1e-14, 1e-3, 0.0, 0.0, unclear="slowly")
    assert certain([far, near]) is near
    assert certain([near, far]) is far
    assert certain([far, replace(near, error=0.2)]) is far


def sequence(*pairs):
    return [Derivative(value, error, 1.0, 0.0, 0.0) for value, error in pairs]


def test_values_that_run_away_do_not_settle():
    assert settled(sequence((1, 0.9), (4, 3), (16, 12), (64, 50))).unclear


def test_values_that_agree_settle_on_the_best():
    found = settled(sequence((3, 0.5), (2.0, 1e-6), (2.0, 1e-9), (2.0, 1e-7), (2.0, 1e-5)))
    assert found.value == 2.0 and not found.unclear
    assert found.error == 1e-6  # the worst of three that confirm each other


def test_what_smaller_steps_contradict_does_not_settle():
    """A kink between the steps: above it another slope than below."""
    found = settled(sequence((3, 1e-9), (3, 1e-9), (3, 1e-9), (2, 1e-8), (2, 1e-8), (2, 1e-8)))
    assert found.value == 2 and not found.unclear


@pytest.mark.parametrize(
    ("array", "expected"),
    [([3.0, 4.0], math.sqrt(12.5)), ([0.0, 0.0], 1.0), ([], 1.0), ([1e200, -1e200], 1e200)],
)
def test_the_scale_of_an_array(array, expected):
    assert scale(np.array(array)) == pytest.approx(expected, rel=1e-15)
