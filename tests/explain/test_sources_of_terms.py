"""Where each term of a sum comes from: the arrays of the pass have it there."""

import numpy as np
import pytest
from small_nets import images

import tinycnn as tc
from tinycnn.explain import explain
from tinycnn.explain.values.explanation import SumTree, only
from tinycnn.explain.values.sums import leaves
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    LocalResponseNorm,
    MaxPool2D,
)

NETS = {
    "windows": [
        Conv2D(4, (3, 2), stride=(1, 2), padding=1, activation="relu"), LocalResponseNorm(size=3),
        MaxPool2D(3, stride=2, padding=1), Conv2D(4, 3, padding=2, dilation=2, groups=2),
        AveragePool2D(2, stride=1), Dense(5, activation="relu"), Dropout(0.5),
        Dense(3, activation="softmax"),
    ],
    "means": [
        Conv2D(3, 2), BatchNormalization(), GlobalAveragePool2D(), Flatten(),
        Dense(3, activation="softmax"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module", params=NETS)
def trace(request):
    model = tc.Sequential(NETS[request.param], (8, 9, 2), rng=3)
    trace = model.trace(images(1, (8, 9, 2), seed=5), training=True, rng=1)
    trace.backward(labels=[2], keep=True)
    return trace


def opened(trace):
    """Some numbers of each layer, each with its record."""
    rng = np.random.default_rng(2)
    for record in trace.records:
        arrays = {"": record.y[0], ".x": record.dx[0], ".z": record.dz[0]}
        arrays |= {f".{name}": gradient for name, gradient in record.grads.items()}
        for part, array in arrays.items():
            for _ in range(4):
                place = [int(rng.integers(size)) for size in array.shape]
                yield record, explain(trace, f"{record.name}{part}", place)


def winner(record, place):
    """The first of the largest cells of a pool's window."""
    win, (row, column, channel) = record.layer.window(record.x.shape[1:]), place
    rows, columns = (
        [at * axis.stride - axis.before + k * axis.dilation for k in range(axis.kernel)]
        for at, axis in ((row, win.height), (column, win.width))
    )
    _, H, W, _ = record.x.shape
    cells = [(h, w, channel) for h in rows for w in columns if 0 <= h < H and 0 <= w < W]
    return max(cells, key=lambda cell: record.x[(0, *cell)])


def test_every_source_holds_what_the_term_begins_with(trace):
    found, others = set(), set()
    for record, explanation in opened(trace):
        for section in only(SumTree, explanation.sections):
            for leaf in leaves([section.tree]):
                if section.second == "wins" and leaf.factors:  # 1 where the window passed it on
                    assert leaf.factors[1] == (
                        winner(record, leaf.other.place) == explanation.place
                    )
                elif leaf.factors and leaf.other is not None:
                    held = record.params if leaf.other.array == "W" else vars(record)
                    other = held[leaf.other.array]
                    other = other if leaf.other.array == "W" else other[0]
                    assert leaf.factors[1] == float(other[leaf.other.place])
                    others.add(leaf.other.array)
                if leaf.source is None:
                    continue
                array = getattr(record, leaf.source.array)
                there = float(array[(0, *leaf.source.place)])
                if leaf.source.array == "z":
                    there = np.exp(np.float64(there) - array.max())
                elif leaf.source.array == "y":
                    there = pytest.approx(-there, rel=1e-5)  # the others' p
                # a pool's window that the cell has lost gives it nothing
                begins = (leaf.factors or (leaf.value,))[0]
                assert begins == there or begins == 0, explanation
                found.add((record.name, leaf.source.array))
    assert {"W", "x"} <= others
    kinds = {record.name.rstrip("0123456789") for record in trace.records}
    assert {name.rstrip("0123456789") for name, _ in found} == kinds


def test_a_kernels_positions_are_told(trace):
    for record, explanation in opened(trace):
        for section in only(SumTree, explanation.sections):
            if not section.kernel:
                continue
            assert section.kernel == record.layer.kernel
            assert [tuple(at) for at in positions(section.to_dict()["sum"])] == list(
                np.ndindex(section.kernel)
            )


def positions(part):
    """Those below a part of a sum as plain data."""
    if "position" in part:
        return [part["position"]]
    return [at for inner in part.get("parts", []) for at in positions(inner)]
