"""PyTorch's ops that are swept beside ours give what float64 gives, in both memory formats."""

import pytest

from tinycnn.bench import reference
from tinycnn.bench.engines import ENGINES, TRAINERS
from tinycnn.bench.operations import OPERATIONS
from tinycnn.bench.operations.convolution import SweptConv2D
from tinycnn.bench.work import Workload

pytestmark = pytest.mark.peers

SIZES = {name: min(kind.fixed) for name, kind in OPERATIONS.items()}
OPS = [OPERATIONS[name](*sizes) for name, sizes in SIZES.items()]
OPS += [SweptConv2D(2, 9, 6, 4, 3, 5, 2, 1, 2), SweptConv2D(2, 9, 6, 6, 3, 3, 1, 0, 6)]
CASES = [(op, direction) for op in OPS for direction in op.directions]


@pytest.mark.parametrize("name", TRAINERS)
@pytest.mark.parametrize(
    ("op", "direction"), CASES, ids=lambda value: getattr(value, "text", value)
)
def test_pytorch_is_within_the_bounds(name, op, direction, tmp_path):
    workload = Workload(f"op {direction}", op.text, op.batch)
    candidate = ENGINES[name].load(workload, 1, tmp_path)
    candidate.call()
    found = candidate.check()
    assert reference.largest_error(workload, found) <= reference.bound(workload)
    broken = {key: array * 1.02 for key, array in found.items()}
    assert not reference.largest_error(workload, broken) <= reference.bound(workload)
