"""The V of error against step: its numbers against closed forms, and how it is shown."""

import json
import math

import numpy as np
import pytest
from small_nets import images, plain_net

from tinycnn.checking import explain, gradcheck
from tinycnn.errors import ArgumentError, FileError, UnknownNameError

X = np.array([[0.5, 2.0], [1.0, -1.0]])
SINE = (np.sin, lambda dy, x: dy * np.cos(x))


@pytest.fixture(scope="module")
def curve():
    return explain(SINE, X, where="x[0,1]", dy=np.ones((2, 2)))


def test_central_differences_of_the_sine(curve):
    """(sin(x + h) - sin(x - h)) / 2h = cos(x) sin(h) / h."""
    assert curve.unit == pytest.approx(math.sqrt(6.25 / 4))
    assert [point.step for point in curve.points[::2]] == pytest.approx(10.0 ** -np.arange(1, 11))
    for point in curve.points[:9]:  # further right rounding is more than 1e-9
        h = point.step * curve.unit
        assert point.float64 == pytest.approx(math.cos(2) * math.sin(h) / h, abs=1e-9)
    assert curve.entry.analytic == math.cos(2)
    assert curve.entry.numeric == pytest.approx(math.cos(2), rel=1e-11)


def test_it_is_a_v_in_both_precisions_and_float64_lies_lower(curve):
    for best, point in (
        (curve.best32, "error32"),
        (curve.best64, "error64"),
    ):
        errors = [getattr(p, point) for p in curve.points]
        assert errors[0] > 10 * getattr(best, point) and errors[-1] > 10 * getattr(best, point)
    assert curve.best64.error64 < 1e-9 < 1e-8 < curve.best32.error32 < 1e-4
    assert curve.best64.step < curve.best32.step


def test_the_numbers_are_those_of_the_check():
    model, x = plain_net(), images(2)
    report = gradcheck(model, x, labels=[1, 0], rng=5, samples=10**6, wrt="dense1.b")
    looked = explain(model, x, labels=[1, 0], rng=5, where="dense1.b[2]")
    (same,) = (e for e in report["dense1.b"].entries if e.index == (2,))
    assert looked.entry.analytic == same.analytic
    assert looked.ok and looked.target == report.target


def test_a_wrong_gradient_is_measured_against_the_differences():
    looked = explain((np.sin, lambda dy, x: 2 * dy * np.cos(x)), X, where="x[0,0]")
    assert not looked.ok and looked.entry.verdict == "differs"
    assert looked.best64.error64 < 1e-8


def test_a_kink_is_measured_against_the_convention():
    looked = explain((np.abs, lambda dy, x: dy * np.sign(x)), [0.0, 1.0], where="x[0]")
    assert looked.entry.verdict == "kink"
    assert all(point.error64 == 0 for point in looked.points)


def test_as_text(curve):
    text = str(curve)
    lines = text.splitlines()
    assert lines[0] == "dx[0,1] of pair sin, <lambda>: agrees"
    assert any(line.split()[:1] == ["1.0e-10"] for line in lines)
    assert max(map(len, lines)) <= 80
    picture = text[text.index("error: x float32") :].splitlines()[1:18]
    # The picture's marks stand in the row of the error's power of ten and the column of the step.
    for i, point in enumerate(curve.points):
        for error, mark in ((point.error32, "x"), (point.error64, "o")):
            row = round(min(max(-math.log10(error), 0), 16)) if error else 16
            assert picture[row][8 + 3 * i] in (mark, "*")


def test_as_html_and_data(curve):
    text = curve._repr_html_()
    assert "&lt;lambda&gt;" in text and text.count("<tr>") == 20
    data = json.loads(json.dumps(curve.to_dict()))
    assert data["ok"] and len(data["points"]) == 19 and data["where"] == "x[0,1]"


def test_as_a_figure(curve, tmp_path):
    curve.save(tmp_path / "v.svg")
    assert (
        "float64" in (tmp_path / "v.svg").read_text() or (tmp_path / "v.svg").stat().st_size > 5000
    )
    curve.save(tmp_path / "v.png")
    assert (tmp_path / "v.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(FileError, match=r"a figure is \.svg or \.png"):
        curve.save(tmp_path / "v.gif")


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("y[0,0]", "by one of x; got 'y[0,0]'"),
        ("x[0", "one derivative is named like x[0,0]"),
        ("x[0]", "x has shape (2, 2); got the index [0], count from 0"),
        ("x[0,2]", "x has shape (2, 2); got the index [0, 2]"),
    ],
)
def test_names_that_are_not_there(where, text):
    with pytest.raises(UnknownNameError) as caught:
        explain(SINE, X, where=where)
    assert text in str(caught.value)


def test_a_number_alone_needs_no_index():
    assert explain(SINE, 0.5, where="x").ok


def test_what_does_not_behave_cannot_be_looked_at():
    with pytest.raises(ArgumentError, match=r"cannot be looked at: .* dx has shape \(2,\)"):
        explain((np.sin, lambda dy, x: dy.sum(0)), X, where="x[0,0]")
