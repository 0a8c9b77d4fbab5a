"""The report: its verdict, its table, its remarks, HTML and data."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tinycnn.checking import Diagnosis, Entry, GradientReport, TensorReport, gradcheck


def entry(verdict="agrees", error=1e-9, **given):
    values = {
        "where": "[0,1]", "analytic": 1.5, "numeric": 1.25, "error": error, "resolution": 1e-10,
        "verdict": verdict, "index": (0, 1),
    }  # fmt: skip
    return Entry(**{**values, **given})


def report(*tensors, problems=()):
    return GradientReport("Dense fc1", list(problems), list(tensors), 1e-6, "because <so>")


GOOD = TensorReport("x", (2, 3), [entry(), entry(error=1e-8, where="direction 1", index=None)])
BAD = TensorReport(
    "W",
    (3, 2),
    [entry(error=0.5), entry("differs", 0.2)],
    diagnosis=[Diagnosis("factor", "looks & so")],
)
KINKS = [
    entry("kink", reason=f"a kink: r's ReLU at (0, {i}) flips", where=f"[{i}]") for i in range(5)
]


SHORT = TensorReport("x", (1,), [entry()], shortage="too little")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (report(GOOD), "right"),
        (report(), "right"),
        (report(GOOD, BAD), "wrong"),
        (report(GOOD, problems=["mutates dy"]), "wrong"),
        (report(SHORT), "undecided"),
        (report(GOOD, SHORT), "undecided"),
        (report(SHORT, BAD), "wrong"),
        (report(SHORT, problems=["mutates dy"]), "wrong"),
        (report(replace(BAD, shortage="too little")), "wrong"),
    ],
)
def test_verdicts(found, verdict):
    assert (found.verdict, found.ok) == (verdict, verdict == "right")
    assert str(found).startswith(f"Gradients of Dense fc1: {verdict}\n")
    assert f"<b>Gradients of Dense fc1: {verdict}</b>" in found._repr_html_()
    assert found.to_dict()["verdict"] == verdict


def test_what_is_undecided_says_so_tensor_by_tensor():
    found = report(GOOD, SHORT)
    assert [tensor.verdict for tensor in found.tensors] == ["right", "undecided"]
    assert [tensor["verdict"] for tensor in found.to_dict()["tensors"]] == ["right", "undecided"]
    assert "- dx: undecided: too little" in str(found)
    assert "<li>dx: undecided: too little</li>" in found._repr_html_()


def test_the_worst_is_among_what_differs_if_anything_does():
    assert GOOD.worst.error == 1e-8
    assert BAD.worst.error == 0.2
    assert report(GOOD, BAD).worst == 0.2
    assert TensorReport("x", (1,), KINKS).worst is None and report().worst == 0.0


def test_counts():
    tensor = TensorReport("x", (9,), [entry(), *KINKS])
    assert (tensor.checked, len(tensor.skipped), len(tensor.failures)) == (1, 5, 0)


def test_the_table():
    text = str(report(GOOD, BAD, problems=["mutates dy"]))
    lines = text.splitlines()
    assert lines[0] == "Gradients of Dense fc1: wrong"
    assert " ".join(lines[2].split()) == (
        "tensor checked skipped where worst error analytic numeric"
    )
    assert lines[4].split() == ["x", "2", "direction", "1", "1.0e-08", "1.5", "1.25"]
    assert lines[5].split() == ["W", "2", "[0,1]", "2.0e-01", "!", "1.5", "1.25"]
    assert "- mutates dy" in lines
    assert "- dW: 1 of 2 derivatives differ from the differences" in lines
    assert "- dW: looks & so" in lines
    assert lines[-1] == "Tolerance 1e-06: because <so>"


def test_skipped_ones_are_grouped_by_their_reason():
    text = str(report(TensorReport("x", (9,), [entry(), *KINKS])))
    assert "- dx: skipped [0], [1] and 3 more: a kink: r's ReLU at (0, 0) flips" in text


def test_lines_are_short():
    long = TensorReport("x", (9,), [entry()], shortage="a long reason " * 20)
    assert max(map(len, str(report(long)).splitlines())) <= 80


def test_html_escapes_and_says_the_same():
    text = report(GOOD, BAD)._repr_html_()
    assert "Dense fc1: wrong" in text and "looks &amp; so" in text and "because &lt;so&gt;" in text
    assert text.count("<tr>") == 3


def test_data_is_json():
    data = json.loads(json.dumps(report(GOOD, BAD, problems=["p"]).to_dict()))
    assert data["ok"] is False and data["problems"] == ["p"]
    good, bad = data["tensors"]
    assert (good["ok"], good["checked"], good["shape"]) == (True, 2, [2, 3])
    assert bad["diagnosis"] == [{"kind": "factor", "text": "looks & so"}]
    assert good["entries"][0]["index"] == [0, 1] and good["entries"][1]["index"] is None


def test_a_tensor_is_found_by_its_name():
    assert report(GOOD, BAD)["W"] is BAD


@pytest.mark.parametrize("factor", [1.0, 1.5])
def test_a_real_report_is_json_too(factor):
    found = gradcheck((np.sin, lambda dy, x: factor * dy * np.cos(x)), [0.1, 0.2])
    assert json.loads(json.dumps(found.to_dict()))["ok"] is (factor == 1)
    assert str(found).startswith("Gradients of pair sin, <lambda>: ")
