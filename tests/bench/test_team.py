"""Real processes: they wait stopped, a missing engine is missing, a broken one fails, none is left behind."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinycnn.bench.engines import ENGINES, OURS
from tinycnn.bench.machine import MISLEADING, clean_environment
from tinycnn.bench.report import BenchReport
from tinycnn.bench.team import Team
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress

POOL = Workload("pool", "pool 9 9 4 3 2 0", 2)


def state(process):
    """T: stopped."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_processes_are_stopped_while_they_wait_and_end_with_the_team():
    with Team([OURS, f"{OURS} 2"], 1) as team:
        processes = [member.process for member in team._members.values()]
        team.load(POOL)
        with Progress("pools", 4) as progress:
            times = team.time(2, 0, progress)
        assert {name: len(seconds) for name, seconds in times.items()} == {OURS: 2, f"{OURS} 2": 2}
        assert [state(process) for process in processes] == ["T", "T"]
        results = team.results()
        assert results[OURS]["y"].shape == (2, 4, 4, 4)
        np.testing.assert_array_equal(results[OURS]["y"], results[f"{OURS} 2"]["y"])
        assert team.title(f"{OURS} 2") == "tinycnn, 2 threads"
    assert all(process.returncode is not None for process in processes)


@pytest.mark.process
def test_an_engine_that_is_not_installed_is_missing(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('no such thing')\n")
    report = BenchReport({})
    with report.team([OURS, "torch"], 1, PYTHONPATH=str(tmp_path)) as team:
        assert team.present == [OURS]
    assert report.absent == {"torch": "PyTorch is not installed (no such thing)"}
    assert "PyTorch is not installed" in report.heading()
    assert report.wrong == []


def test_an_engine_sits_out_where_it_takes_fewer_images(small, monkeypatch):
    monkeypatch.setitem(ENGINES, "ncnn", replace(ENGINES[OURS], title="one", most_images=1))
    with Team([OURS, "ncnn"], 1) as team, Progress("pools", 3) as progress:
        for batch, present in ((2, [OURS]), (1, [OURS, "ncnn"]), (2, [OURS])):
            team.load(replace(POOL, batch=batch))
            assert team.present == present
            assert list(team.results()) == present
            assert list(team.time(1, 0, progress)) == present
        assert team.failed == team.missing == {}


@pytest.mark.process
def test_an_engine_that_fails_is_left_out_and_said():
    report = BenchReport({})
    with report.team([OURS], 1) as team:
        team.load(Workload("forward", "nosuch", 1))
        assert team.present == []
    (what,) = report.wrong
    assert what.startswith("tinycnn failed: UnknownNameError: variant must be one of")


@pytest.mark.process
def test_an_engine_that_dies_is_left_out_and_said():
    with Team([OURS], 1) as team:
        team._members[OURS].process.kill()
        team.load(POOL)
        assert team.present == [] and "its process ended" in team.failed[OURS]


@pytest.mark.process
def test_misleading_settings_are_kept_from_the_processes(monkeypatch):
    for name in MISLEADING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    assert "OPENBLAS_CORETYPE" not in clean_environment()
    assert clean_environment()["SOMETHING_ELSE"] == "kept"
    report = BenchReport({})
    with report.team([OURS], 1):
        pass
    assert "Measured without OPENBLAS_CORETYPE, which were set." in report.heading()


@pytest.mark.process
def test_whoever_is_interrupted_at_the_start_leaves_nobody_behind(monkeypatch):
    team = Team([OURS], 1)
    monkeypatch.setattr(team, "_answer", lambda name: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        team.__enter__()
    assert team._members[OURS].process.returncode is not None
