"""What random logits cost: against closed forms and a quadrature of another kind."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.explain.random_logits import expected_loss

NODES, WEIGHTS = np.polynomial.hermite.hermgauss(150)


@given(st.floats(0, 10))
def test_one_class_costs_nothing(spread):
    assert expected_loss(1, spread) == pytest.approx(0, abs=1e-10)


@given(st.integers(1, 10**6))
def test_equal_logits_cost_the_logarithm_of_their_number(classes):
    assert expected_loss(classes, 0.0) == pytest.approx(math.log(classes), abs=1e-9)


@given(st.floats(1e-3, 3))
def test_two_classes(spread):
    """ln(exp(a) + exp(b)) = (a + b) / 2 + ln(2 cosh(d / 2)), where d = a - b is normal too."""
    d = 2 * spread * NODES  # of standard deviation s * sqrt(2); Hermite's nodes bring another
    mean = WEIGHTS @ np.log(2 * np.cosh(d / 2)) / math.sqrt(math.pi)
    assert expected_loss(2, spread) == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize(("classes", "spread", "mean"), [(2, 1.5, 1.1049), (1000, 5.0, 16.942)])
def test_where_the_series_is_wrong(classes, spread, mean):
    """The means of 20,000 draws are 1.099 (standard error 0.008) and 16.946 (0.010)."""
    assert expected_loss(classes, spread) == pytest.approx(mean, rel=1e-4)
    assert math.log(classes) + spread**2 / 2 > 1.1 * mean


@given(st.integers(1000, 10**6), st.floats(0, 1))
def test_many_classes_and_narrow_logits_follow_the_series(classes, spread):
    """ln K + s^2 / 2 - (exp(s^2) - 1) / 2K, and what comes next is smaller still."""
    third = (math.exp(spread**2) - 1) / (2 * classes)
    series = math.log(classes) + spread**2 / 2 - third
    assert expected_loss(classes, spread) == pytest.approx(series, abs=max(third, 1e-3) / 10)


@pytest.mark.parametrize(
    ("classes", "largest"), [(2, 1 / math.sqrt(math.pi)), (3, 1.5 / math.sqrt(math.pi))]
)
@pytest.mark.parametrize("spread", [40.0, 60.0, 1e4, 1e8])
def test_of_wide_logits_the_largest_counts(classes, largest, spread):
    """The mean of the largest of two or three standard normal numbers is known."""
    assert expected_loss(classes, spread) == pytest.approx(spread * largest, rel=1e-3)
