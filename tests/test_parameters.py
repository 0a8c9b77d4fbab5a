"""Named arrays in one flat buffer: views stay bound, shapes stay as they are."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.errors import ArgumentError, DTypeError, ShapeError, UnknownNameError
from tinycnn.parameters import FlatArrays

SHAPES = {"conv1.W": (2, 3), "conv1.b": (3,), "conv10.W": (2,), "scale.factor": ()}


def some(dtype=np.float32):
    arrays = FlatArrays(SHAPES, np.dtype(dtype))
    arrays.flat[...] = np.arange(len(arrays.flat))
    return arrays


shapes = st.dictionaries(
    st.text(min_size=1), st.lists(st.integers(0, 4), max_size=4).map(tuple), max_size=6
)


@given(shapes, st.sampled_from([np.float32, np.float64]))
def test_views_lie_in_order_and_without_gaps(shapes, dtype):
    arrays = FlatArrays(shapes, np.dtype(dtype), zero=True)
    assert {name: view.shape for name, view in arrays.items()} == shapes
    assert list(arrays) == list(shapes)
    assert len(arrays) == len(shapes)
    assert arrays.flat.shape == (sum(map(math.prod, shapes.values())),)
    assert arrays.flat.dtype == dtype
    assert not arrays.flat.any()
    arrays.flat[...] = np.arange(len(arrays.flat))
    parts = [view.ravel() for view in arrays.values()]
    np.testing.assert_array_equal(np.concatenate([*parts, []]), arrays.flat)


def test_views_and_buffer_are_one_memory():
    arrays = some()
    arrays["conv1.b"][1] = 70
    assert arrays.flat[7] == 70
    arrays.flat[7] = 80
    assert arrays["conv1.b"][1] == 80


def test_assignment_writes_into_the_view():
    arrays = some()
    view = arrays["conv1.b"]
    arrays["conv1.b"] = [1, 2, 3]
    arrays["scale.factor"] = 4
    assert list(view) == [1, 2, 3]
    assert arrays["scale.factor"] == 4
    arrays["conv1.b"] *= 10
    assert list(view) == [10, 20, 30]
    assert arrays["conv1.b"] is view


@pytest.mark.parametrize("values", [0.0, [1, 2], np.zeros((3, 1)), np.zeros((1, 3))])
def test_shapes_do_not_change_nor_stretch(values):
    arrays = some()
    with pytest.raises(ShapeError, match=r"conv1\.b must have shape \(3,\) .*got shape"):
        arrays["conv1.b"] = values
    assert list(arrays["conv1.b"]) == [6, 7, 8]


@pytest.mark.parametrize("values", [[1j, 0, 0], ["a", "b", "c"], [None, None, None]])
def test_what_is_not_a_real_number_is_refused(values):
    with pytest.raises(DTypeError, match=r"conv1\.b must hold real numbers"):
        some()["conv1.b"] = values


def test_unknown_names():
    message = (
        r"no array is named 'conv2\.W'; there are conv1\.W, conv1\.b, conv10\.W, scale\.factor"
    )
    with pytest.raises(UnknownNameError, match=message):
        some()["conv2.W"]
    with pytest.raises(UnknownNameError, match=message):
        some()["conv2.W"] = 1
    assert "conv2.W" not in some()
    assert "conv1.W" in some()


def test_of_gives_one_layers_arrays():
    arrays = some()
    own = arrays.of("conv1")
    assert list(own) == ["W", "b"]
    assert own["W"] is arrays["conv1.W"]
    assert list(arrays.of("conv10")) == ["W"]
    assert arrays.of("conv") == {}


def test_read_only_views_follow_but_cannot_be_written():
    arrays = some()
    views = arrays.read_only()
    arrays["conv1.b"][0] = 50
    assert views["conv1.b"][0] == 50
    message = r"conv1\.b is read-only here; change parameters inside `with model\.edit\(\) as p:`"
    with pytest.raises(ArgumentError, match=message):
        views["conv1.b"] = [1, 2, 3]
    for write in (
        lambda: views["conv1.b"].__setitem__(0, 1),
        lambda: views.flat.__setitem__(0, 1),
        lambda: views.of("conv1")["b"].__setitem__(0, 1),
    ):
        with pytest.raises(ValueError, match="read-only"):
            write()
    assert arrays["conv1.b"][0] == 50


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda arrays: pickle.loads(pickle.dumps(arrays))]
)
def test_copies_keep_their_views_bound_to_their_own_buffer(copied):
    arrays = some()
    twin = copied(arrays)
    assert list(twin) == list(arrays)
    np.testing.assert_array_equal(twin.flat, arrays.flat)
    twin["conv1.W"][...] = -1
    assert list(twin.flat[:7]) == [-1] * 6 + [6]
    assert list(arrays.flat[:7]) == [0, 1, 2, 3, 4, 5, 6]
