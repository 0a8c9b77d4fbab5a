import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import strict_json

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


def refuse(name):
    raise AssertionError(f"{name} is no JSON")


def alike(data, read):
    """Whether ``read`` is what JSON makes of ``data``, written down here once more."""
    if isinstance(data, dict):
        return data.keys() == read.keys() and all(alike(data[key], read[key]) for key in data)
    if isinstance(data, (list, tuple)):
        return len(data) == len(read) and all(map(alike, data, read))
    if isinstance(data, float) and not math.isfinite(data):
        number = float(read)
        return isinstance(read, str) and (number == data or (number != number and data != data))
    return type(read) is type(data) and read == data


@given(plain)
def test_a_strict_reader_gets_everything_back(data):
    text = strict_json.dumps(data)
    assert alike(data, json.loads(text, parse_constant=refuse))
    assert json.loads(strict_json.dumps(data, indent=1)) == json.loads(text)


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_what_is_no_finite_number_is_a_string(value, text):
    assert strict_json.dumps({"a": [value, np.float64(value)]}) == f'{{"a": ["{text}", "{text}"]}}'


def test_a_key_that_is_no_number_is_a_string_too():
    assert strict_json.dumps({math.inf: 1}) == '{"Infinity": 1}'


def test_what_json_lacks_is_refused():
    with pytest.raises(TypeError, match="not JSON serializable"):
        strict_json.dumps({"a": np.float32(1)})
