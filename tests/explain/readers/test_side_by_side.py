"""Patch, kernel and products beside each other: the printed factors give the printed products."""

import re

import numpy as np
import pytest
from small_nets import images

import tinycnn as tc
from tinycnn import cli
from tinycnn.explain import explain
from tinycnn.explain.readers.side_by_side import draw_beside
from tinycnn.explain.readers.style import Style
from tinycnn.layers import Conv2D, Dense, MaxPool2D


@pytest.fixture(scope="module")
def trace():
    layers = [
        Conv2D(6, 3, padding=1, activation="relu", name="conv"),
        MaxPool2D(2, name="pool"),
        Conv2D(3, 5, padding=2, name="wide"),
        Dense(5, activation="softmax", name="last"),
    ]
    trace = tc.Sequential(layers, (12, 12, 2), rng=2).trace(images(1, (12, 12, 2)))
    trace.backward(labels=[1])
    return trace


def maps(lines, columns):
    """The three maps that are printed, NaN where a point stands."""
    rows = []
    for line in lines:
        cells = re.sub(r" [*=](?= )", "  ", line).split()
        if len(cells) == 3 * columns and all(re.fullmatch(r"\.|-?\d.*", cell) for cell in cells):
            rows.append([np.nan if cell == "." else float(cell) for cell in cells])
    return np.split(np.array(rows), 3, axis=1)


@pytest.mark.parametrize("columns", [80, 90, 120, 200])
@pytest.mark.parametrize(
    ("what", "size"), [("conv[4,5,3]", 3), ("conv[0,0,1]", 3), ("wide[2,3,1]", 5)]
)
def test_they_can_be_redone(trace, what, size, columns):
    opened = explain(trace, what)
    lines = draw_beside(opened, Style.plain(), columns)
    if not lines:
        assert (size, columns) in {(5, 80), (5, 90)}  # there is no room
        return
    assert max(map(len, lines)) <= columns
    a, b, products = maps(lines, size)
    assert a.shape == b.shape == products.shape == (size, size)
    digits = [len(text) for line in lines for text in re.findall(r"\.(\d+)(?=\s|$)", line)]
    step = 10.0 ** -min(digits)  # of the coarsest number that is printed
    slack = 0.75 * step if "digits" not in " ".join(lines[:2]) else step * np.nanmax(np.abs([a, b]))
    np.testing.assert_allclose(a * b, products, rtol=0, atol=slack)
    names = re.search(r"channel (\d+)", " ".join(lines[:2]))
    record, place = trace[what.partition("[")[0]], opened.place
    W = record.params["W"][:, :, int(names[1]), place[2]]
    np.testing.assert_allclose(b[~np.isnan(b)], W[~np.isnan(b)], atol=1e-3)
    total = float(re.search(r"add up to (\S+)", lines[-1])[1])
    assert total == pytest.approx(np.nansum(products), abs=0.01)


def test_padding_is_a_point(trace):
    a, b, products = maps(draw_beside(explain(trace, "conv", (0, 0, 1)), Style.plain(), 120), 3)
    for values in (a, b, products):
        assert np.isnan(values[0]).all() and np.isnan(values[:, 0]).all()
        assert np.isfinite(values[1:, 1:]).all()


@pytest.mark.parametrize("what", ["pool[1,1,1]", "last[2]", "conv.z[1,1,1]", "loss"])
def test_what_has_no_such_maps_shows_none(trace, what):
    lines = draw_beside(explain(trace, what), Style.plain(), 200)
    assert not lines or "window of x, wins" in lines[0]


def test_step_prints_them_where_they_fit(capsys):
    assert cli.main(["step", "--model", "mini", "--layer", "conv3", "--at", "2,2,5"]) == 0
    out = capsys.readouterr().out
    assert "BESIDE  channel" in out and max(map(len, out.splitlines())) <= 80
    assert cli.main(["step", "--model", "mini", "--layer", "conv2", "--at", "2,2,5"]) == 0
    assert "BESIDE" not in capsys.readouterr().out
