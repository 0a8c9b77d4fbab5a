"""The battery of gradient checks: nothing is left out, all of it passes, and an error in it shows."""

import numpy as np
import pytest

from tinycnn import layers, ops
from tinycnn.checking import gradcheck
from tinycnn.checking.battery.case import NETWORKS, OPS_AND_LAYERS, GradientCase
from tinycnn.checking.battery.full_network import check_full_network
from tinycnn.checking.battery.network_cases import network_cases
from tinycnn.checking.battery.operations import LAYERS, OPS
from tinycnn.checking.battery.runs import BatteryReport, all_cases, run


def groups(cases):
    return {case.name.split(":")[0] for case in cases}


def test_every_op_that_has_a_gradient_is_among_the_cases():
    has_gradient = {name for name in ops.__all__ if f"{name}_backward" in ops.__all__}
    assert groups(OPS.cases()) == has_gradient | {
        "cross_entropy",
        "mean_squared_error",
        "im2col",
        "col2im",
    }


def test_every_layer_is_among_the_cases():
    built_in = {
        name
        for name, value in vars(layers).items()
        if isinstance(value, type) and issubclass(value, layers.Layer) and not name.startswith("_")
    }
    assert groups(LAYERS.cases()) == built_in - {"Layer"} | {"layers with the loss"}


def test_names_differ_and_bounds_are_the_promised_ones():
    cases = all_cases()
    assert len({case.name for case in cases}) == len(cases) > 120
    assert {case.bound for case in [*OPS.cases(), *LAYERS.cases()]} == {1e-7} == {OPS_AND_LAYERS}
    assert {case.bound for case in network_cases()} == {1e-6} == {NETWORKS}


@pytest.mark.parametrize("case", [*OPS.cases(), *LAYERS.cases()], ids=lambda case: case.name)
def test_ops_and_layers_in_short(case):
    result = next(run([case], samples=3, directions=1))
    assert result.ok, result.report
    assert result.checked >= 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_whole_battery(seed):
    report = BatteryReport(list(run(all_cases(seed), seed=seed)))
    assert report.ok, report
    assert len(report.results) == len(all_cases())
    for result in report.results[-3:]:  # AlexNet mini
        assert len(result.report.tensors) == 17
        for tensor in result.report.tensors:  # 3 directions, and entries
            assert tensor.checked >= 3 + min(16, np.prod(tensor.shape))


@pytest.mark.slow
def test_the_full_network():
    report = check_full_network()
    assert report.ok, report
    assert len(report.tensors) == 17
    assert sum(np.prod(tensor.shape) for tensor in report.tensors[1:]) == 62_378_344
    assert all(tensor.checked == 4 for tensor in report.tensors)


# ------------------------------------------------------------------------------- errors that show


def test_an_error_of_one_in_a_thousand_shows(monkeypatch):
    right = ops.local_response_norm_backward
    monkeypatch.setattr(ops, "local_response_norm_backward", lambda *a, **k: 1.001 * right(*a, **k))
    cases = [case for case in all_cases() if case.name.startswith(("local", "LocalR", "relu"))]
    report = BatteryReport(list(run(cases)))
    assert not report.ok
    failed = {result.case.name.split(":")[0] for result in report.failures}
    assert failed == {"local_response_norm", "LocalResponseNorm"}
    text = str(report)
    assert f"{len(cases)} cases, {len(report.failures)} NOT ok" in text
    assert "local_response_norm: strong" in text and "1.0e-03 !" in text


def test_an_error_above_the_bound_shows_even_if_the_check_passes():
    def report(**options):
        x = np.linspace(1, 2, 5)
        return gradcheck((np.sin, lambda dy, x: dy * np.cos(x) * (1 + 1e-8)), x, **options)

    fine, strict = (
        GradientCase("sine: fine", 1e-7, report),
        GradientCase("sine: strict", 1e-9, report),
    )
    found = BatteryReport(list(run([fine, strict])))
    assert [result.ok for result in found.results] == [True, False]
    assert "the worst error, 1.0e-08, is not below 1e-09" in str(found)


def test_the_report_as_text_and_data():
    cases = [case for case in OPS.cases() if case.name.startswith("relu")]
    report = BatteryReport(list(run(cases)))
    lines = str(report).splitlines()
    assert lines[0] == "Gradients against differences in float64: 2 cases, all ok"
    row = next(line for line in lines if line.startswith("relu"))
    results = report.results
    assert row.split()[1:4] == [
        "2",
        str(sum(result.checked for result in results)),
        str(sum(result.skipped for result in results)),
    ]
    assert max(map(len, lines)) <= 80
    data = report.to_dict()
    assert data["ok"] and [case["name"] for case in data["cases"]] == [case.name for case in cases]
    assert data["cases"][0]["worst"] == results[0].report.worst < 1e-7
    assert data["cases"][0]["report"]["tensors"][0]["name"] == "x"


def test_another_seed_draws_other_numbers():
    def worst(seed):
        case = next(case for case in OPS.cases(seed) if case.name == "softmax: axis 1")
        return next(run([case], seed=seed)).report.tensors[0].entries[0].analytic

    assert worst(0) == worst(0) != worst(1)
