"""What results are compared with, itself compared with the twin; and wrong results refused."""

from pathlib import Path

import numpy as np
import pytest
from twins import convolved

from tinycnn.bench import reference, work
from tinycnn.bench.agreement import compare
from tinycnn.bench.engines import ENGINES
from tinycnn.bench.report import BenchReport
from tinycnn.bench.work import Workload

CONV = Workload("forward", "conv 6 5 3 4 3 1 1", 3)


def right_convolution():
    model = work.build(CONV.network)
    params = model.parameters()
    x = work.images(3, (6, 5, 3))
    return convolved(x, params["conv.W"], params["conv.b"], relu=True, pads=((1, 1), (1, 1)))


def test_a_right_result_is_right_and_a_wrong_one_is_not():
    y = right_convolution()
    assert reference.largest_error(CONV, {"y": y}) < 1e-12
    y[2, 5, 4, 3] += 0.01 * y.max()
    assert reference.largest_error(CONV, {"y": y}) == pytest.approx(0.01)
    assert reference.bound(CONV) == 1e-4
    y[0, 0, 0, 0] = np.nan
    assert not reference.largest_error(CONV, {"y": y}) <= reference.bound(CONV)


def ours(workload):
    return ENGINES["tinycnn"].load(workload, 1, Path()).check()


@pytest.mark.parametrize(
    "workload",
    [
        Workload("forward", "one-tower", 3),
        Workload("training", "one-tower", 8),
        Workload("backward", "one-tower/conv2", 2),
        Workload("backward", "one-tower/dropout1", 2),
        Workload("backward", "one-tower/fc1", 2),
        Workload("pool", "pool 9 8 4 3 2 0", 2),
        Workload("pool backward", "pool 9 8 4 3 2 1", 2),
        Workload("im2col", "one-tower/conv2", 2),
        CONV,
    ],
    ids=lambda workload: f"{workload.work} {workload.network}",
)
def test_this_engine_is_within_the_bounds(small, workload):
    assert reference.largest_error(workload, ours(workload)) <= reference.bound(workload)


def test_what_must_be_nothing_is_measured_by_itself():
    """A softmax of one class is 1 whatever goes in: its gradient is 0."""
    workload = Workload("op backward", "softmax 4 1", 4)
    found = ours(workload)
    assert reference.largest_error(workload, found) == 0
    wrong = {"dx": found["dx"] + np.float32(0.1)}
    assert reference.largest_error(workload, wrong) > reference.bound(workload)


def test_a_step_that_forgets_a_part_is_out_of_bounds(small):
    workload = Workload("training", "one-tower", 8)
    results = dict(ours(workload))
    for name in results:
        changed = results | {name: results[name] * 1.02}
        assert reference.largest_error(workload, changed) > reference.bound(workload), name


def test_the_checked_batch_repeats_its_images_equally():
    places = work.repeated(128)
    assert np.bincount(places).tolist() == [32] * 4
    assert np.bincount(work.repeated(3)).tolist() == [1] * 3


def test_only_a_clear_lead_must_be_the_same_class():
    expected = np.array([[10.0, 0.0, 0.0], [5.0, 5.0001, 0.0], [0.0, 1.0, 2.0]])
    found = expected.copy()
    assert compare(found, expected) == (2, 2)
    found[1] = [5.0001, 5.0, 0]  # too close to tell
    assert compare(found, expected) == (2, 2)
    found[2] = [0, 2.0, 1.0]
    assert compare(found, expected) == (2, 1)


def test_who_rounds_coarsely_is_raced_and_said():
    report = BenchReport({})
    assert report.check("A", CONV, 3e-3, 1e-4, coarse=1e-2)
    assert report.check("A", CONV, 2e-3, 1e-4, coarse=1e-2)
    assert report.check("B", CONV, 1e-5, 1e-4, coarse=1e-2)
    assert report.wrong == []
    for error in (2e-2, float("nan")):
        assert not report.check("C", CONV, error, 1e-4, coarse=1e-2)
    assert len(report.wrong) == 2
    again = BenchReport.of([report.to_dict()])
    for told in (report.heading(), again.heading()):
        assert "A rounds coarsely: some results are off by 3e-03" in told
        assert "B rounds" not in told and "C rounds" not in told
