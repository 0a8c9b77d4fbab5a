"""The ops that are swept: sizes that are drawn are of use, and each result is what it must be."""

from itertools import islice

import numpy as np
import pytest
from twins import convolved

from tinycnn.bench import cliffs
from tinycnn.bench.operations import OPERATIONS, operation_of
from tinycnn.bench.operations.cells import SweptDropout
from tinycnn.bench.operations.convolution import SweptConv2D
from tinycnn.bench.operations.operation import spread

SMALL = 1 << 16  # multiply-adds: what a test works out


def drawn(seed, count):
    return [operation for operation, _ in islice(cliffs.drawn(seed), count)]


def test_a_seed_draws_the_same_sizes():
    assert drawn(3, 100) == drawn(3, 100) != drawn(4, 100)


def test_draws_are_bounded_and_are_told_by_their_text():
    operations = drawn(0, 300)
    assert {operation.name for operation in operations} == set(OPERATIONS)
    for operation in operations:
        assert cliffs.is_bounded(operation)
        assert operation_of(operation.text) == operation
    assert all(cliffs.is_bounded(operation) for operation, _ in cliffs.fixed())


@pytest.mark.parametrize("kind", OPERATIONS.values(), ids=OPERATIONS)
def test_an_op_takes_whatever_is_drawn(kind):
    rng = np.random.default_rng(0)
    few = (
        operation for operation in iter(lambda: kind.draw(rng), None) if operation.cost() <= SMALL
    )
    for operation in islice(few, 5):
        inputs = operation.inputs()
        for direction in kind.directions:
            found = operation.results(inputs, direction)
            expected = operation.expected(found, direction)
            assert found.keys() == expected.keys()
            arrays = [*inputs.values(), *found.values()]
            assert max(array.size for array in arrays) <= operation.largest(), operation
            for name, array in found.items():
                largest = np.abs(expected[name]).max()
                assert np.abs(array - expected[name]).max() <= 1e-4 * largest, (operation, name)


def test_a_convolution_is_the_twins():
    operation = SweptConv2D(2, 7, 3, 4, 3, 5, 2, 1, 1)
    inputs = operation.inputs()
    expected = convolved(*inputs.values(), stride=(2, 2), pads=((1, 1), (2, 2)))
    found = operation.expected({}, "forward")["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_a_dropout_that_drops_everything_is_wrong():
    operation = SweptDropout(4, 100)
    x = operation.inputs()["x"]
    assert np.isnan(operation.expected({"y": np.zeros_like(x)}, "forward")["y"]).all()
    kept = np.where(np.arange(100) % 2, 2 * x, 0)
    np.testing.assert_array_equal(operation.expected({"y": kept}, "forward")["y"], kept)


def test_every_op_has_an_entry():
    """What `tinycnn.ops` has, forward or with its gradient, is swept."""
    from tinycnn import ops

    together = {"col2im": "im2col", "moments": "batch_normalization"}  # swept as part of the other
    forward = {name.removesuffix("_backward") for name in ops.__all__}
    assert {together.get(name, name) for name in forward} == set(OPERATIONS)


def test_sizes_reach_from_one_end_to_the_other():
    rng = np.random.default_rng(0)
    found = {spread(rng, 100, 3) for _ in range(2000)}
    assert min(found) == 3 and max(found) == 100
    assert {4, 8, 16, 32, 64} <= found and any(size % 2 for size in found)
