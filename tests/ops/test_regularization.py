import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from op_checks import (
    assert_same_bits,
    call_converts_once,
    call_is_polite,
    call_is_repeatable,
    untouched,
)
from strategies import whole

from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.kernels import reference
from tinycnn.ops import dropout, dropout_backward, regularization
from tinycnn.testing.strategies import dtypes, generators

shapes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)
rates = st.sampled_from([0.0, 0.1, 0.5, 0.9])
keys = st.integers(0, 2**64 - 1)


@settings(max_examples=80)
@given(shapes, rates, keys, dtypes, generators, st.integers(0, 2**40), st.integers(0, 2**32 - 1))
def test_dropout_is_its_formula_with_its_twins_mask(shape, rate, key, dtype, rng, sample, layer):
    x = whole(rng, shape, dtype)
    expected = np.empty((shape[0], x[:1].size), np.bool_)
    threshold = round(rate * 2**32)
    reference.dropout_mask(np.uint64(key), layer, sample, 0, len(x), threshold, expected)
    y, mask = dropout(x, rate, key, first_sample=sample, layer=layer)
    assert_same_bits(mask, expected.reshape(shape))
    assert_same_bits(y, np.where(mask, x * dtype(1 / (1 - rate)), dtype(0)))


@settings(max_examples=60)
@given(shapes, st.sampled_from([0, 0.5, 0.75]), keys, generators)
def test_backward_is_the_adjoint_for_a_fixed_mask(shape, rate, key, rng):
    x, c = whole(rng, shape), whole(rng, shape)
    y, mask = dropout(x, rate, key)
    assert np.vdot(y, c) == np.vdot(x, dropout_backward(c, mask, rate))


@settings(max_examples=60)
@given(st.integers(1, 7), st.integers(0, 7), keys, st.integers(0, 100))
def test_a_mask_does_not_depend_on_the_split_into_batches(N, cut, key, first):
    x = np.ones((N, 3, 5))
    whole_batch = dropout(x, 0.5, key, first_sample=first)
    head = dropout(x[:cut], 0.5, key, first_sample=first)
    tail = dropout(x[cut:], 0.5, key, first_sample=first + len(x[:cut]))
    assert_same_bits(whole_batch, tuple(map(np.concatenate, zip(head, tail, strict=True))))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_every_thread_count_and_run(monkeypatch, dtype):
    x = np.random.default_rng(0).standard_normal((9, 7, 30)).astype(dtype)
    expected = dropout(x, 0.3, 5)
    monkeypatch.setattr(regularization, "_CELLS", 300)
    with untouched(x):
        call_is_repeatable(monkeypatch, lambda: dropout(x, 0.3, 5))
    assert_same_bits(dropout(x, 0.3, 5), expected)


@settings(max_examples=20)
@given(shapes, keys, dtypes, generators)
def test_rate_0_keeps_everything(shape, key, dtype, rng):
    x = whole(rng, shape, dtype)
    y, mask = dropout(x, 0, key)
    assert_same_bits(y, x)
    assert mask.all()
    assert not np.shares_memory(y, x)
    assert_same_bits(dropout_backward(y, mask, 0), x)


def test_the_mean_over_many_masks_is_x():
    x, masks = np.array([[1.0, -2, 3, 50]]), 4000
    for rate in (0.1, 0.5, 0.9):
        mean = np.mean([dropout(x, rate, key)[0] for key in range(masks)], axis=0)
        five_sigma = 5 * np.abs(x) * np.sqrt(rate / (1 - rate) / masks)
        assert (np.abs(mean - x) < five_sigma).all()


def test_what_is_dropped_is_zero_even_where_it_was_not_finite():
    x = np.repeat([[np.nan], [np.inf], [-np.inf]], 64, axis=1)
    y, mask = dropout(x, 0.5, 1)
    assert 0 < mask.sum() < mask.size
    np.testing.assert_array_equal(y[~mask], 0)
    np.testing.assert_array_equal(y[mask], x[mask])


# ----------------------------------------------------------------------------------- randomness


def test_keys_layers_and_samples_have_masks_of_their_own():
    x = np.ones((1, 64))
    draws = [
        dropout(x, 0.5, 0),
        dropout(x, 0.5, 1),
        dropout(x, 0.5, 2**32),
        dropout(x, 0.5, 0, layer=1),
        dropout(x, 0.5, 0, first_sample=1),
        dropout(x, 0.5, 0, first_sample=2**32),
        dropout(x, 0.5, 0, first_sample=2**63 - 2),
        dropout(x, 0.5, 0, layer=2**32 - 1),
    ]
    assert len({mask.tobytes() for _, mask in draws}) == len(draws)


@pytest.mark.parametrize("shape", [(3, 40), (0, 40)])
def test_a_generator_gives_the_key_by_one_64_bit_draw(shape):
    x, given_rng, twin = np.ones(shape), np.random.default_rng(7), np.random.default_rng(7)
    returned = dropout(x, 0.5, given_rng)
    assert_same_bits(returned, dropout(x, 0.5, int(twin.bit_generator.random_raw())))
    assert given_rng.bit_generator.state == twin.bit_generator.state


def test_any_form_of_a_key():
    x = np.ones((2, 50))
    for key in (0, 5, 2**63, 2**64 - 1):
        assert_same_bits(dropout(x, 0.5, np.uint64(key)), dropout(x, 0.5, key))


def test_without_a_key_every_mask_is_fresh():
    x = np.ones((1, 200))
    assert dropout(x, 0.5, None)[1].tobytes() != dropout(x, 0.5, None)[1].tobytes()


def test_global_random_states_are_left_alone():
    numpys, pythons = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    for rng in (None, 3, np.random.default_rng(0)):
        dropout(np.ones((4, 9)), 0.5, rng)
    np.testing.assert_array_equal(np.random.get_state()[1], numpys)  # noqa: NPY002
    assert random.getstate() == pythons


# ----------------------------------------------------------------------- arguments and results


@settings(max_examples=15)
@given(shapes, rates, dtypes, generators)
def test_any_memory_order_and_type_is_accepted_and_left_alone(shape, rate, dtype, rng):
    x, dy = whole(rng, shape, dtype), whole(rng, shape, dtype)
    _, mask = dropout(x, rate, 3)
    call_is_polite(lambda x: dropout(x, rate, 3), x)
    call_is_polite(lambda dy, mask: dropout_backward(dy, mask, rate), dy, mask)
    call_converts_once(lambda x: dropout(x, rate, 3)[0], x)
    call_converts_once(lambda dy: dropout_backward(dy, mask, rate), dy)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (0, 2, 3)])
def test_nothing_to_drop(shape):
    y, mask = dropout(np.empty(shape, np.float32), 0.5, 0)
    assert y.shape == mask.shape == dropout_backward(y, mask, 0.5).shape == shape
    assert (y.dtype, mask.dtype) == (np.float32, np.bool_)


X = np.ones((2, 3))


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (
            ArgumentError,
            "^rate must be a finite number from 0 up and below 1, got 1$",
            {"rate": 1},
        ),
        (ArgumentError, r"^rate must be .*, got -0\.1$", {"rate": -0.1}),
        (ArgumentError, "^rate must be .*, got nan$", {"rate": float("nan")}),
        (ArgumentError, "^rate must be .*, got 'half'$", {"rate": "half"}),
        (ArgumentError, "^rate must be .*, got np.complex64", {"rate": np.complex64(0)}),
        (
            ArgumentError,
            r"^rng must be None, a numpy\.random\.Generator or an int with 0 <= rng < 2\*\*64, "
            r"got -1$",
            {"rng": -1},
        ),
        (ArgumentError, "^rng must be .* got 18446744073709551616$", {"rng": 2**64}),
        (ArgumentError, r"^rng must be .* got 1\.5$", {"rng": 1.5}),
        (ArgumentError, "^first_sample must be at least 0, got -1$", {"first_sample": -1}),
        (ArgumentError, r"^first_sample must be an int, got 0\.0$", {"first_sample": 0.0}),
        (ArgumentError, "^first_sample must be at most 9", {"first_sample": 2**63 - 2}),
        (ArgumentError, "^layer must be at most 4294967295, got 4294967296", {"layer": 2**32}),
        (ShapeError, r"^x must have the axes \(N, \.\.\.\), got shape \(\)", {"x": 1.0}),
        (DTypeError, "^x must hold real numbers, got dtype complex128", {"x": 1j * X}),
    ],
)
def test_bad_input(kind, message, arguments):
    with pytest.raises(kind, match=message):
        dropout(**{"x": X, "rate": 0.5, "rng": 0, **arguments})


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (
            DTypeError,
            "^mask must be the bool array that dropout returned, got float64$",
            {"mask": np.ones((2, 3))},
        ),
        (
            ShapeError,
            r"^dy must have shape \(2, 2\) \(the shape of mask\), got shape \(2, 3\)$",
            {"mask": np.ones((2, 2), np.bool_)},
        ),
        (ArgumentError, "^rate must be a finite number .* below 1, got 2$", {"rate": 2}),
        (DTypeError, "^dy must hold real numbers, got dtype <U1", {"dy": ["a"]}),
    ],
)
def test_bad_input_of_backward(kind, message, arguments):
    with pytest.raises(kind, match=message):
        dropout_backward(**{"dy": X, "mask": np.ones((2, 3), np.bool_), "rate": 0.5, **arguments})
