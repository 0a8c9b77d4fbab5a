import json

import pytest

from tinycnn.bench.comparison import FASTER, SLOWER, change, compare, read, report_of
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Spread
from tinycnn.bench.tables import LESS, MORE, Column, ResultTable, identity
from tinycnn.errors import FileError


def spread(median, low, high):
    return {"median": median, "low": low, "high": high}


@pytest.mark.parametrize(
    ("before", "after", "better", "verdict"),
    [
        (spread(10, 9, 11), spread(12, 11.5, 13), "less", SLOWER),
        (spread(10, 9, 11), spread(12, 11.5, 13), "more", FASTER),
        (spread(10, 9, 11), spread(8, 7, 8.5), "less", FASTER),
        (spread(10, 9, 11), spread(8, 7, 8.5), "more", SLOWER),
        (spread(10, 9, 11), spread(12, 10.9, 13), "less", ""),  # the quartiles overlap
        (spread(10, 10, 10), spread(10.4, 10.4, 10.4), "less", ""),  # by less than 5 %
        (100.0, 106.0, "less", SLOWER),
        (100.0, 104.0, "less", ""),
    ],
)
def test_a_change_is_one_beyond_the_noise(before, after, better, verdict):
    assert change(before, after, better) == verdict


def run(ms, ratio=None, processor="a", batch=1):
    report = BenchReport({})
    report.machine = {"processor": processor}
    columns = [
        identity("batch", "batch"),
        Column("ms", "ms", 1, LESS),
        Column("ratio", "ratio", 1, MORE, paired=True),
        Column("verdict", "goal"),
    ]
    table = report.table(ResultTable("race", "", columns))
    row = {"batch": batch, "ms": Spread(ms, ms, ms), "verdict": "met"}
    table.add(**row, **({} if ratio is None else {"ratio": Spread(ratio, ratio, ratio)}))
    return report.to_dict()


def test_where_there_are_ratios_times_do_not_count():
    assert compare(run(10, 2), run(20, 2)).rows == []  # another day's machine
    (row,) = compare(run(10, 2), run(10, 1.5)).rows
    assert (row["table"], row["row"], row["column"], row["verdict"]) == (
        "race", "1", "ratio", SLOWER,
    )  # fmt: skip
    assert row["change"] == 0.75
    (row,) = compare(run(10), run(20, 2)).rows  # one of them was measured without peers
    assert (row["column"], row["verdict"]) == ("ms", SLOWER)


def test_what_only_one_run_has_is_left_out():
    assert compare(run(10, batch=1), run(20, batch=8)).rows == []
    assert compare({"machine": {}, "tables": []}, run(20)).rows == []


def test_a_report_of_runs_on_several_processors_names_them():
    runs = [run(10), run(10, processor="b"), run(10, processor="b")]
    for each in runs:
        each["machine"] |= {"blas": [], "versions": {}, "cores": 2, "simd": "AVX2"}
    heading = BenchReport.of(runs).heading()
    assert heading.startswith("a, ") and "elsewhere, on: b." in heading
    assert "elsewhere" not in BenchReport.of(runs[1:]).heading()


def test_another_processor_is_said():
    assert "different processors" in compare(run(10), run(10, processor="b")).note


def test_a_file_that_is_no_run_is_refused(tmp_path):
    path = tmp_path / "old.json"
    with pytest.raises(FileError, match="cannot be read"):
        read(path)
    path.write_text("[1]")
    with pytest.raises(FileError, match="not a run of this version"):
        read(path)
    path.write_text(json.dumps(run(10)))
    assert read(path)["format"] == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda run: run.pop("machine"),
        lambda run: run.update(tables=3),
        lambda run: run.update(tables=[{}]),
        lambda run: run["tables"][0].update(rows=[1]),
        lambda run: run["tables"][0]["rows"][0].update(ms={"low": "x"}),
        lambda run: run["tables"][0]["columns"][0].pop("name"),
    ],
)
def test_a_damaged_run_is_refused_before_anything_is_measured(tmp_path, damage):
    path, damaged = tmp_path / "old.json", run(10)
    damage(damaged)
    path.write_text(json.dumps(damaged))
    with pytest.raises(FileError, match=r"old\.json' is a damaged run: .*; measure again with"):
        read(path)
    with pytest.raises(FileError, match="is a damaged run"):
        report_of([path])


def test_a_run_that_ended_before_it_began_is_read(tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(BenchReport({}).to_dict()))
    assert report_of([path, path]).tables == []
