"""Values as bytes and back: the same, and from bytes of any kind never more than an error."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from tinycnn.classroom.sandbox.values import Foreign, decode, encode

DTYPES = st.one_of(
    of_numpy.boolean_dtypes(), of_numpy.integer_dtypes(), of_numpy.floating_dtypes(),
    of_numpy.complex_number_dtypes(), of_numpy.unicode_string_dtypes(max_len=5),
)  # fmt: skip
ARRAYS = of_numpy.arrays(DTYPES, of_numpy.array_shapes(min_dims=0, min_side=0, max_side=4))
PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text()
VALUES = st.recursive(
    PLAIN,
    lambda inside: (
        st.lists(inside) | st.lists(inside).map(tuple) | st.dictionaries(st.text(), inside)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_a_value_comes_back(value):
    assert repr(decode(encode(value))) == repr(value)


@given(ARRAYS)
def test_an_array_comes_back_bit_for_bit_and_read_only(array):
    came = decode(encode(array))
    assert came.dtype == array.dtype and came.shape == array.shape
    assert came.tobytes() == array.tobytes()
    assert array.size == 0 or not came.flags.writeable


def test_arrays_of_any_layout():
    for array in (np.arange(12.0).reshape(3, 4).T, np.arange(9)[::-2], np.arange(3, dtype=">f8")):
        assert np.array_equal(decode(encode(array)), array)
    assert decode(encode(np.float32(0.5))).dtype == np.float32


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (3 + 4j, "complex"), (1 << 5000, "int"), ({1}, "set"), (print, "builtin_function_or_method"),
        (np.zeros(2, "i4,f4"), "array of [('f0', '<i4'), ('f1', '<f4')]"),
        (np.zeros(2, "M8[s]"), "array of datetime64[s]"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_number_goes_as_the_name_of_its_type(value, name):
    assert decode(encode(value)) == Foreign(name)


def test_objects_are_not_sent():
    came = decode(encode(np.array([print, 3], object)))
    assert came.dtype == object and came.tolist() == [None, None]


def test_a_generator_goes_on_where_it_was():
    rng = np.random.default_rng(5)
    rng.random(7)
    came = decode(encode(rng))
    assert np.array_equal(came.random(9), rng.random(9))


def test_what_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(RecursionError):
        encode(value)


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_a_value_or_refused(data):
    try:
        decode(data)
    except ValueError:
        return


@given(ARRAYS | VALUES, st.data())
def test_damaged_values_are_a_value_or_refused(value, data):
    whole = bytearray(encode(value))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    for damaged in (bytes(whole), bytes(whole[:place])):
        try:
            decode(damaged)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x", b"NN", b"l" + struct.pack("<Q", 2**60), b"s" + struct.pack("<Q", 2**63) + b"x",
        b"a" + struct.pack("<Q", 3) + b"<f8" + struct.pack("<BQ", 1, 2**60),
        b"a" + struct.pack("<Q", 2) + b"|O" + struct.pack("<BQ", 1, 2**40),
        b"a" + struct.pack("<Q", 3) + b"<f9" + struct.pack("<BQ", 1, 1) + bytes(9),
        b"l" + struct.pack("<Q", 1) + (b"l" + struct.pack("<Q", 1)) * 100 + b"N",
        b"d" + struct.pack("<Q", 1) + b"N", b"i" + struct.pack("<Q", 2) + b"1_",
        b"d" + struct.pack("<Q", 1) + b"t" + struct.pack("<Q", 2) + b"l" + struct.pack("<Q", 0) + b"N",
    ],
)  # fmt: skip
def test_bytes_that_are_no_value(data):
    with pytest.raises(ValueError, match=r"."):
        decode(data)
