"""Vectors for Numba: each operation against NumPy, for every number of lanes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import examples

from tinycnn.arrays import read_only
from tinycnn.kernels import simd
from tinycnn.kernels.jit import kernel, numba
from tinycnn.kernels.simd import (
    LANES,
    at_least,
    broadcast,
    exp,
    fma,
    from_lane,
    keep_rolled,
    lanes_of,
    largest_of,
    load,
    load_first,
    load_wide,
    maximum,
    prefetch,
    splat,
    store,
    store_first,
    stream,
    stream_end,
    sum_of,
)
from tinycnn.runtime import memory

# Of these tests, and of what all tests share.
FOLDERS = [str(folder) for folder in Path(__file__).parents[:2]]


@kernel
def apply(x, y, z, results):
    """Every operation that takes vectors and gives one."""
    lanes = lanes_of(x)
    a, b, c = load(x, 0), load(y, 0), load(z, 0)
    store(results, 0 * lanes, a + b)
    store(results, 1 * lanes, a - b)
    store(results, 2 * lanes, a * b)
    store(results, 3 * lanes, maximum(a, b))
    store(results, 4 * lanes, at_least(a, b))
    store(results, 5 * lanes, fma(a, b, c))
    store(results, 6 * lanes, broadcast(x, 1))
    store(results, 7 * lanes, from_lane(a, 1, b))
    a += b
    a -= c
    a *= b
    store(results, 8 * lanes, a)


def applied(x, y, z):
    results = np.empty((9, len(x)), x.dtype)
    with np.errstate(all="ignore"):
        apply(read_only(x), read_only(y), read_only(z), results.reshape(-1))
    return results


three_vectors = st.sampled_from([(np.float32, LANES), (np.float64, LANES // 2)]).flatmap(
    lambda kind: st.tuples(
        *[arrays(*kind, elements=st.floats(width=8 * np.dtype(kind[0]).itemsize))] * 3
    )
)


@examples(200)
@given(three_vectors)
def test_every_operation_is_numpys(given_vectors):
    x, y, z = given_vectors
    results = applied(x, y, z)
    with np.errstate(all="ignore"):
        expected = [x + y, x - y, x * y, np.maximum(x, y), np.where(y > x, y, x)]
        wide = x.astype(np.longdouble) * y + z
        exact = wide.astype(x.dtype)
        chain = (x + y - z) * y
        twice = x * y + z  # on a processor without fused multiply-add
    for ours, theirs in zip(results, expected, strict=False):
        np.testing.assert_array_equal(ours, theirs)
    fused = results[5]
    # Rounded twice, to more bits before, the expected sum may be a neighbour.
    with np.errstate(all="ignore"):
        near = (np.nextafter(exact, -np.inf) <= fused) & (fused <= np.nextafter(exact, np.inf))
    assert (near | (fused == twice) | (np.isnan(fused) & np.isnan(exact))).all()
    np.testing.assert_array_equal(results[6], np.full(len(x), x[1]))
    np.testing.assert_array_equal(results[7], [x[0], *y[1:]])
    np.testing.assert_array_equal(results[8], chain)


def test_nan_wins_on_both_sides():
    x, y = np.zeros((2, LANES), np.float32)
    x[0], y[1], x[2], y[2] = np.nan, np.nan, np.nan, np.nan
    results = applied(x, y, x)
    assert np.isnan(results[3][:3]).all()  # maximum
    assert np.isnan(results[4][[0, 2]]).all()  # at_least keeps a NaN of its first argument
    assert not np.isnan(results[3:5, 3:]).any()


@kernel
def widen(x, at, results):
    store(results, 0, load_wide(x, at))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_half_a_vector_is_read_in_float64_at_any_index(dtype):
    x = np.append(np.arange(1, LANES, dtype=dtype) / 3, np.nan)
    for at in range(LANES // 2 + 1):
        results = np.empty(LANES // 2)
        widen(read_only(x), at, results)
        np.testing.assert_array_equal(results, x[at : at + LANES // 2].astype(np.float64))


@kernel
def copy_first(x, start, count, results):
    store_first(results, 1, count, load_first(x, start, count))
    store(results, lanes_of(x) + 2, load_first(x, start, count))


@given(st.integers(0, LANES // 2), st.sampled_from([np.float32, np.float64]), st.integers(0, 3))
def test_the_first_lanes_alone_are_read_and_written(count, dtype, left):
    lanes = LANES * 4 // np.dtype(dtype).itemsize
    x = np.arange(1, count + left + 1, dtype=dtype)  # nothing lies beyond
    results = np.full(2 * lanes + 2, -1, dtype)
    copy_first(read_only(x), left, count, results)
    expected = np.full(2 * lanes + 2, -1, dtype)
    expected[1 : 1 + count] = expected[lanes + 2 : lanes + 2 + count] = x[left:]
    expected[lanes + 2 + count :] = 0
    np.testing.assert_array_equal(results, expected)


@kernel
def reduce(x, results):
    results[0], results[1] = sum_of(load(x, 0)), largest_of(load(x, 0))


@given(arrays(np.float32, LANES, elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_all_lanes_come_to_their_sum_by_halves_and_to_their_largest(x):
    results = np.empty(2, np.float32)
    reduce(read_only(x), results)
    sums = list(x)
    while len(sums) > 1:
        half = len(sums) // 2
        sums = [sums[i] + sums[i + half] for i in range(half)]
    np.testing.assert_array_equal(results, [sums[0], max(x)])


@kernel
def write(number, results):
    store(results, 0, splat(number))


def test_a_number_is_rounded_to_float32_in_every_lane():
    results = np.empty(LANES, np.float32)
    write(0.1, results)
    np.testing.assert_array_equal(results, np.full(LANES, 0.1, np.float32))


@kernel
def shift(x, y, start, count):
    for at in range(start, start + count * LANES, LANES):
        keep_rolled()
        prefetch(x, at + 10**6)
        store(y, at + 1, load(x, at))


def test_loads_and_stores_at_any_index_and_touch_nothing_else():
    x = np.arange(4 * LANES, dtype=np.float32)
    y = np.full(4 * LANES, -1, np.float32)
    shift(read_only(x), y, 3, 2)
    expected = np.full(4 * LANES, -1)
    expected[4 : 4 + 2 * LANES] = np.arange(3, 3 + 2 * LANES)
    np.testing.assert_array_equal(y, expected)


@kernel
def stream_shifted(x, y, start, count):
    for at in range(start, start + count * LANES, LANES):
        stream(y, at, load(x, at + 1))
    stream_end()


def test_what_is_streamed_is_there_when_the_call_ends():
    x = np.arange(5 * LANES, dtype=np.float32)
    y = memory.aligned((4 * LANES,), np.dtype(np.float32))
    y[:] = -1
    stream_shifted(read_only(x), y, LANES, 2)
    expected = np.full(4 * LANES, -1)
    expected[LANES : 3 * LANES] = np.arange(LANES + 1, 3 * LANES + 1)
    np.testing.assert_array_equal(y, expected)


@kernel
def add_in_order(x, sums):
    total = splat(0.0)
    for at in range(0, x.size, LANES):
        total = total + load(simd.read_only(x), at)
    store(sums, 0, total)


def test_sums_keep_their_order():
    """Nothing is reassociated: a large number absorbs small ones, wherever they stand."""
    x = np.ones((1000, LANES), np.float32)
    x[0] = 2.0**24
    sums = np.empty(LANES, np.float32)
    add_in_order(x.reshape(-1), sums)
    np.testing.assert_array_equal(sums, np.full(LANES, 2.0**24))


def outside(code):
    """What a process of its own says of an index out of bounds, with every index checked."""
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE + code],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr


OUTSIDE = f"""
import sys
sys.path[:0] = {FOLDERS!r}
import numpy as np
from test_simd import LANES, memory, read_only, shift, stream_shifted
x, y = memory.aligned((2, 3 * LANES), np.dtype(np.float32))
"""


@pytest.mark.process
@pytest.mark.parametrize(
    "code",
    [
        "shift(read_only(x), y, 0, 3)",
        "shift(read_only(x), y, -1, 1)",
        "stream_shifted(read_only(x), y, 3 * LANES, 1)",
        "stream_shifted(read_only(x), y[1:], 0, 1)",  # not aligned
    ],
)
def test_bounds_are_checked_where_that_is_asked_for(code):
    raised = "AssertionError" if numba.config.DISABLE_JIT else "IndexError"
    assert raised in outside(code)


def refused(function, *arguments):
    """Numba's words where it cannot compile the call."""
    with pytest.raises(numba.core.errors.TypingError) as caught:
        function(*arguments)
    return str(caught.value)


@kernel
def write_to_read_only(x):
    store(simd.read_only(x), 0, splat(0.0))


def test_arrays_of_another_kind_are_refused_when_compiled():
    if numba.config.DISABLE_JIT:
        return  # nothing has a type there
    y = np.zeros(LANES, np.float32)
    other = np.zeros(LANES, np.float16)
    assert "one-dimensional float32 or float64 array" in refused(shift, other, y, 0, 1)
    assert "Cannot cast float64" in refused(shift, np.zeros(LANES), y, 0, 1)
    assert "may be written to" in refused(shift, y, read_only(y), 0, 1)
    assert "may be written to" in refused(write_to_read_only, y)


CHECK = """
import numpy as np, sys
sys.path[:0] = {folders!r}
import test_simd as t
from tinycnn.kernels.simd import LANES
assert LANES == {lanes}, LANES
rng = np.random.default_rng(0)
x, y, z = (rng.standard_normal(16).astype(np.float32) for _ in range(3))
ranges = [slice(i, i + LANES) for i in range(0, 16, LANES)]
parts = [t.applied(x[r], y[r], z[r])[[0, 1, 2, 3, 4, 5, 8]] for r in ranges]
print(np.concatenate(parts, axis=1).tobytes().hex())
"""


@pytest.mark.process
def test_every_number_of_lanes_gives_the_same_bits():
    printed = set()
    for lanes in (4, 8, 16):
        code = CHECK.format(folders=FOLDERS, lanes=lanes)
        environment = {**os.environ, "TINYCNN_LANES": str(lanes)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        printed.add(done.stdout)
    assert len(printed) == 1


def test_a_wrong_number_of_lanes_is_refused():
    done = subprocess.run(
        [sys.executable, "-c", "import tinycnn.kernels.simd"],
        env={**os.environ, "TINYCNN_LANES": "12"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "TINYCNN_LANES must be 4, 8 or 16, got '12'" in done.stderr


@kernel
def exponentials(x, y):
    for at in range(0, x.size, LANES):
        store(y, at, exp(load(x, at)))


def test_exp_is_within_two_units_of_the_last_place():
    rng = np.random.default_rng(0)
    x = np.concatenate([
        np.linspace(-110, 95, 16_000), rng.standard_normal(15_936),
        [0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 88.72283, 88.72284, -87.3366],
        [-103.97, -104.1, 1e30, -1e30, 1e-40, -1e-40],
        np.zeros(48),
    ]).astype(np.float32)  # fmt: skip
    y = np.empty_like(x)
    with np.errstate(all="ignore"):
        exponentials(read_only(x), y)
        expected = np.exp(x.astype(np.float64))
        rounded = expected.astype(np.float32)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(x))
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(y[~finite], rounded[~finite])
    unit = np.spacing(np.maximum(rounded[finite], np.float32(1e-45)))
    assert (np.abs(y[finite] - expected[finite]) <= 2 * unit).all()
