"""The tester tested: every planted error is caught where it is, and called what it is."""

import pytest
from checking.planted import PLANTED

from tinycnn.checking import gradcheck

each = pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)


def report_of(planted):
    return gradcheck((planted.forward, planted.backward), *planted.arrays.values())


@each
def test_a_planted_error_is_caught_and_named(planted):
    report = report_of(planted)
    if planted.awake is not None:
        asleep(planted, report)
        report = gradcheck((planted.forward, planted.backward), *planted.awake.values())
    assert report.verdict == "wrong"
    assert {tensor.name for tensor in report.tensors if not tensor.ok} == planted.wrong, report
    for name in planted.wrong:
        assert report[name].failures
        kinds = [guess.kind for guess in report[name].diagnosis]
        assert len(kinds) == len(set(kinds)) <= 3
        if planted.kind:
            guess = report[name].diagnosis[0]
            assert (guess.kind, planted.says in guess.text) == (planted.kind, True), report
    if planted.problem:
        assert any(planted.problem in problem for problem in report.problems), report
    else:
        assert report.problems == []


def asleep(planted, report):
    """Nothing is seen of it, and the report says so: by tensor, and what to do."""
    assert report.verdict == "undecided", report
    undecided = {tensor.name for tensor in report.tensors if tensor.verdict == "undecided"}
    assert undecided == planted.wrong == {t.name for t in report.tensors if not t.ok}
    for name in planted.wrong:
        assert report[name].shortage.startswith("nothing was tested")
        assert "choose values" in report[name].shortage


def test_the_catalogue_is_large_enough():
    assert len({planted.name for planted in PLANTED}) == len(PLANTED) >= 110
    assert sum(planted.kind is not None for planted in PLANTED) >= 40
