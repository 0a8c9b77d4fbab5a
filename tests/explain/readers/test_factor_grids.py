"""What is multiplied in an opened number, as maps that lie over each other: the pass's own arrays."""

import numpy as np
import pytest
from small_nets import images

import tinycnn as tc
from tinycnn.explain import explain
from tinycnn.explain.readers.factor_grids import factor_grids
from tinycnn.layers import AveragePool2D, Conv2D, Dense, LocalResponseNorm, MaxPool2D


@pytest.fixture(scope="module")
def trace():
    layers = [
        Conv2D(6, 3, padding=1, activation="relu", name="colours"),
        MaxPool2D(3, stride=2, padding=1, name="pool"),
        Conv2D(4, (3, 2), stride=2, activation="relu", name="conv"),
        LocalResponseNorm(name="norm"),
        AveragePool2D(2, name="means"),
        Dense(20, name="fc"),
        Dense(5, activation="softmax", name="last"),
    ]
    trace = tc.Sequential(layers, (17, 15, 3), rng=2).trace(images(1, (17, 15, 3)))
    trace.backward(labels=[1])
    return trace


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)


def test_a_colour_each_of_a_first_convolution_and_all_together(trace):
    grids = factor_grids(explain(trace, "colours", (0, 4, 2)))
    assert [grid.title for grid in grids] == ["red", "green", "blue", "all 3 channels"]
    x, W = (
        np.pad(trace.x[0], ((1, 1), (1, 1), (0, 0)), constant_values=np.nan),
        trace["colours"].params["W"],
    )
    padded = np.isnan(x[0:3, 4:7, 0])
    for c, grid in enumerate(grids[:3]):
        assert list(grid.maps) == ["patch of x", "kernel W", "x * W"]
        patch, kernel, products = grid.maps.values()
        same(patch, x[0:3, 4:7, c])
        same(kernel, np.where(padded, np.nan, W[:, :, c, 2]))
        same(products, x[0:3, 4:7, c].astype(float) * W[:, :, c, 2])
        assert grid.value == pytest.approx(np.nansum(products))
    (whole,) = grids[3].maps.values()
    same(np.where(padded, 0, whole), np.nansum(x[0:3, 4:7] * W[..., 2], axis=2))
    assert padded.any() and grids[3].value == pytest.approx(sum(grid.value for grid in grids[:3]))


def test_of_many_channels_the_one_that_adds_up_to_most(trace):
    grids = factor_grids(explain(trace, "conv", (1, 2, 3)))
    x, W = trace["conv"].x[0, 2:5, 4:6].astype(float), trace["conv"].params["W"][..., 3]
    sums = (x * W).sum(axis=(0, 1))
    best = int(np.abs(sums).argmax())
    assert grids[0].title == f"channel {best}, of 6 the one whose products add up to most"
    same(grids[0].maps["patch of x"], x[..., best])
    same(grids[0].maps["kernel W"], W[..., best])
    assert grids[0].value == pytest.approx(sums[best])
    assert grids[1].title == "all 6 channels" and grids[1].value == pytest.approx(sums.sum())


def test_a_weights_gradient_over_all_its_places(trace):
    (grid,) = factor_grids(explain(trace, "conv.W", (1, 0, 4, 2)))
    record = trace["conv"]
    OH, OW = record.y.shape[1:3]
    met = record.x[0, 1 : 1 + 2 * OH : 2, 0 : 2 * OW : 2, 4]
    same(grid.maps["dz"], record.dz[0, :, :, 2])
    same(grid.maps["x"], met)
    same(grid.maps["dz * x"], record.dz[0, :, :, 2].astype(float) * met)
    assert grid.value == pytest.approx(float(record.grads["W"][1, 0, 4, 2]), rel=1e-5)


def test_a_windows_maximum(trace):
    place = (2, 3, 1)
    (grid,) = factor_grids(explain(trace, "pool", place))
    window, wins, passed = grid.maps.values()
    same(window, trace["pool"].x[0, 3:6, 5:8, 1])
    assert wins.sum() == 1 and wins[np.unravel_index(window.argmax(), (3, 3))] == 1
    same(passed, window * wins)
    assert grid.value == trace["pool"].y[0, 2, 3, 1]


def test_what_the_windows_over_a_cell_send_it(trace):
    """A map of the windows: dy, whether the cell won, and what that gives."""
    record = trace["pool"]
    place = next(
        (h, w, c)
        for h, w, c in np.argwhere(record.dx[0] != 0).tolist()
        if h % 2 and w % 2  # cells that four windows hold
    )
    (grid,) = factor_grids(explain(trace, "pool.x", place))
    assert list(grid.maps) == ["dy", "wins", "dy * wins"]
    r, c = place[0] // 2, place[1] // 2
    dy = record.dy[0, r : r + 2, c : c + 2, place[2]]
    won = record.y[0, r : r + 2, c : c + 2, place[2]] == record.x[(0, *place)]
    same(grid.maps["dy"], dy)
    same(grid.maps["wins"], won)
    same(grid.maps["dy * wins"], dy * won)
    assert grid.value == pytest.approx(float(record.dx[(0, *place)]), rel=1e-6)


def test_a_window_s_mean_and_what_its_gradient_is_divided_by(trace):
    (grid,) = factor_grids(explain(trace, "means", (0, 1, 2)))
    same(grid.maps["x"], trace["means"].x[0, 0:2, 2:4, 2])
    (grid,) = factor_grids(explain(trace, "means.x", (0, 1, 2)))
    assert grid.maps["1 / count"].tolist() == [[0.25]]


def test_of_a_dense_layer_the_biggest_terms(trace):
    (grid,) = factor_grids(explain(trace, "fc", (7,)))
    x, W = trace["fc"].x[0], trace["fc"].params["W"][:, 7]
    products = x.ravel().astype(float) * W
    best = np.argsort(-np.abs(products), kind="stable")[:12]
    assert (
        grid.title == f"the {len(best)} biggest of {x.size} terms"
        if x.size > 12
        else not grid.title
    )
    same(grid.maps["x * W"][:, 0], products[best])
    same(grid.maps["W"][:, 0], W[best])
    places = [np.unravel_index(d, x.shape) for d in best]
    assert list(grid.rows) == [f"x[{','.join(map(str, place))}]" for place in places]


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("norm[1,1,1]", ["x", "factor", "x * factor"]),
        ("conv.x[2,2,1]", ["dz", "W", "dz * W"]),
        ("fc.W[3,4]", ["x", "dz", "x * dz"]),
        ("fc.x[0,0,1]", ["dz", "W", "dz * W"]),
        ("conv.b[1]", ["dz"]),
        ("last.z[2]", ["terms"]),
        ("loss", ["exp(z)"]),
    ],
)
def test_every_other_sum_has_its_maps(trace, what, names):
    grids = factor_grids(explain(trace, what))
    assert list(grids[0].maps) == names
    for grid in grids:
        assert len({values.shape for values in grid.maps.values()}) == 1


def test_where_nothing_is_added_up_there_is_none(trace):
    row, column, channel = np.argwhere(trace["conv"].y[0] > 0)[0].tolist()
    assert factor_grids(explain(trace, "conv.z", (row, column, channel))) == ()  # dy passes


def test_the_figure_names_maps_scales_and_signs(trace, tmp_path):
    explain(trace, "colours", (3, 4, 2)).save(tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    for words in (
        "patch of x",
        "kernel W",
        "all 3 channels",
        "Red is above 0, blue below",
        "adds up to",
    ):
        assert f"<!-- {words}" in text or f">{words}" in text, words
