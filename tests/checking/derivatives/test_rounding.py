"""What forward rounds to, measured: against the grids that functions are put on here."""

import numpy as np
import pytest

from tinycnn.checking.derivatives.rounding import precision, rounding_of

AT = np.random.default_rng(0).uniform(0.5, 1.5, 6)


def rounding(function, x=AT, dy=None, unit=1.0):
    """Of a function of each cell, all of them moved together."""
    y = np.asarray(function(x))
    weights = np.ones(y.shape) if dy is None else dy
    return rounding_of(y, weights, lambda step: np.asarray(function(x + step)), [unit])


SMOOTH = {
    "linear": lambda x: 3 * x,
    "tanh": np.tanh,
    "fast": lambda x: np.sin(50 * x),
    "constant": lambda x: np.ones(x.shape),
    "large": lambda x: 1e6 + np.exp(x),
    "kink at the point": lambda x: np.abs(x - AT),
    "kinks nearby": lambda x: np.maximum(x, AT + 1e-5),
    "off": lambda x: np.maximum(x - 3, 0),
    "clipped": lambda x: np.clip(x, -1, 1),
    "logarithm": np.log,
}


@pytest.mark.parametrize("name", SMOOTH)
def test_float64_alone_is_not_coarse(name):
    assert not rounding(SMOOTH[name]).coarse


@pytest.mark.parametrize("scale", [1e-250, 1e-6, 1e6, 1e250])
def test_nor_is_it_at_any_scale(scale):
    assert not rounding(lambda x: np.arctan(x / scale), scale * AT, unit=scale).coarse


@pytest.mark.parametrize("digits", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_the_grid_of_rounded_outputs(digits):
    found = rounding(lambda x: np.round(3 * x, digits))
    assert found.words == f"forward seems to round to 1e{-digits}"
    assert (found.outputs > 0.3 * 10.0**-digits).all()
    assert (found.outputs < 3 * 10.0**-digits).all()


@pytest.mark.parametrize(("dtype", "power"), [(np.float32, -7), (np.float16, -3)])
def test_the_rounding_of_smaller_types(dtype, power):
    found = rounding(lambda x: np.tanh(x.astype(dtype)).astype(np.float64))
    ulp = float(np.spacing(dtype(0.7)))
    assert (found.outputs > ulp / 3).all() and (found.outputs < 12 * ulp).all()
    assert found.words in (f"forward seems to round to 1e{power}", "forward seems to round to 1e-4")


def test_cancellation_inside_is_rounding_too():
    found = rounding(lambda x: (x + 1e8) - 1e8)
    assert (found.outputs > 1e-9).all() and (found.outputs < 1e-7).all()


def test_outputs_that_do_not_move_are_not_reached():
    found = rounding(lambda x: np.append(np.round(x, 3), np.ones(2)))
    assert found.reached.tolist() == [True] * 6 + [False] * 2
    assert (found.outputs[:6] > 0).all() and not found.outputs[6:].any()


def test_the_sum_is_off_by_what_its_outputs_share():
    """Of outputs that round the same number, the rounding adds up like the numbers themselves."""
    dy = np.full(100, 2.0)
    found = rounding(lambda x: np.round(np.full(100, x[0]), 4), AT[:1], dy)
    assert 200 * 0.3e-4 < found.total < 200 * 3e-4


def test_where_forward_leaves_its_domain_nothing_is_heard():
    assert not rounding(np.sqrt, np.array([1e-9, 2e-9])).coarse


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_precision_of_what_was_computed_in_a_smaller_type(dtype):
    assert precision(AT.astype(dtype).astype(np.float64)) == np.finfo(dtype).eps
    assert precision(1e200 * AT) == np.finfo(np.float64).eps


def test_a_flat_side_does_not_hide_the_staircase_of_the_other():
    found = rounding(
        lambda x: np.tanh(x.astype(np.float32)).astype(np.float64), np.full(3, 12.0), unit=8
    )
    ulp = float(np.spacing(np.float32(0.99)))
    assert found.coarse and (found.outputs >= ulp / 2).all() and (found.outputs < 12 * ulp).all()


def test_an_offset_that_swallows_all_steps_of_the_arrays_size():
    found = rounding(lambda x: (x.astype(np.float32) + np.float32(1e9)).astype(np.float64))
    assert found.reached.all()
    assert (found.outputs >= 64).all() and (found.outputs < 12 * 64).all()


def test_the_largest_output_tells_not_the_one_that_moves_first():
    def function(x):
        return np.array([np.floor(x[0] * 20) * 1e-40, 1 + np.floor(x[0]) * 1e-6])

    assert rounding(function, np.array([0.02])).outputs[1] > 0.9e-6
