"""Each part fills its tables; how fast anything is, is not asked."""

import sys
from dataclasses import replace

import pytest

from tinycnn.bench import busy, cliffs, contest, others, pools, scaling, start, training
from tinycnn.bench.engines import OURS
from tinycnn.bench.operations.cells import SweptReLU
from tinycnn.bench.operations.convolution import SweptConv2D
from tinycnn.bench.parts import PARTS, run
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import ResultTable, identity
from tinycnn.errors import ArgumentError, TinyCNNError

pytestmark = pytest.mark.usefixtures("small")


def measured(part, **options):
    """The tables of a part's shortest run, by name."""
    report = BenchReport({})
    settings = Settings(quick=True, threads=2, rounds=1, seconds=0, engines=(), **options)
    run(part, settings, report)
    assert report.wrong == []
    assert {"processor", "simd", "cores", "blas", "versions"} <= set(report.machine)
    for table in report.tables:
        assert table.to_dict()
        assert not table.shown_rows() or (table.text() and table.markdown())
    return {table.name: table.rows for table in report.tables}


def test_race():
    tables = measured("race", batches=(4,))
    assert set(tables) == {"race forward", "race training"}
    for (row,) in tables.values():
        assert row["batch"] == 4 and row["tinycnn"].median > 0 and "ratio" not in row


def test_layers(tmp_path):
    picture = tmp_path / "roofline.svg"
    (rows,) = measured("layers", layers=("conv2", "pool2", "fc1"), save=picture).values()
    assert [(row["layer"], row["direction"]) for row in rows] == [
        (layer, way) for layer in ("conv2", "pool2", "fc1") for way in ("forward", "backward")
    ]
    conv = rows[0]
    # Batch 8, 5 x 5 cells, 3 x 3 kernels, 4 to 4 channels; bytes of x, W, b and y.
    flops, moved = 2 * 8 * 25 * 9 * 4 * 4, 4 * (8 * 25 * 8 + 9 * 16 + 4)
    assert conv["intensity"] == flops / moved
    assert conv["gflops"] == pytest.approx(flops / conv["ms"].median / 1e6)
    assert conv["gbytes"] == pytest.approx(moved / conv["ms"].median / 1e6)
    assert "gflops" not in rows[2]
    assert picture.read_text().count("<svg") == 1


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="--layers must be one of 'conv1'"):
        measured("layers", layers=("conv9",))


def test_others(monkeypatch):
    sizes = {"a": "conv 5 5 3 4 3 1 1", "b": "conv 6 6 4 4 3 2 1 2"}
    group = replace(others.PLAIN, sizes=sizes, quick=("a", "b"))
    monkeypatch.setattr(others, "GROUPS", {"plain": group})
    tables = measured("others", batches=(2,))
    assert list(tables) == ["others plain 2", "others paper forward", "others paper training"]
    assert [row["layer"] for row in tables["others plain 2"]] == ["a", "b"]
    assert [row["batch"] for row in tables["others paper training"]] == [2]


def test_small():
    tables = measured("small", layers=("digits 8 x 8",), batches=(2, 4))
    for name in ("small forward", "small training"):
        assert [(row["network"], row["batch"]) for row in tables[name]] == [
            ("digits 8 x 8", 2), ("digits 8 x 8", 4),
        ]  # fmt: skip


def test_training():
    (rows,) = measured("training", batches=(2,)).values()
    (row,) = rows
    assert row["network"] == "fashion" and row["verdict"] in ("met", "missed")
    assert row["added"].median == pytest.approx(
        100 * (row["trainer"].median / row["tinycnn"].median - 1)
    )


def test_of_training_the_peers_time_is_compared_with_the_trainers():
    rounds = {
        "trainer": [2.0, 2.0],
        "tinycnn": [1.6, 1.6],
        "torch": [3.0, 5.0],
        "torch-cl": [9.0, 9.0],
    }
    report = BenchReport({})
    row = training._row(rounds, "fashion", report)
    assert row["added"].median == pytest.approx(25) and row["ratio"].median == 2
    assert row["fastest"] == "PyTorch" and row["verdict"] == "missed, met"
    assert report.missed == ["training fashion: Trainer adds at most 3 %"]


def test_a_mean_counts_twice_as_fast_and_half_as_fast_alike():
    report = BenchReport({})
    table = ResultTable("a", "A", [identity("layer", "layer"), *contest.columns([OURS, "torch"])])
    for seconds in ([2.0], [0.5]):
        table.add(**contest.row({OURS: [1.0], "torch": seconds}, 1, report, "a layer"))
    contest.add_mean(table, "layers", 1.1, report)
    mean = table.rows[-1]
    assert mean["layer"] == "geometric mean" and mean["ratio"].median == pytest.approx(1)
    assert mean["verdict"] == "missed" and len(report.missed) == 1


def test_pools(monkeypatch):
    monkeypatch.setattr(pools, "POOLS", {"small": "pool 9 9 4 3 2 0"})
    (rows,) = measured("pools").values()
    assert [row["direction"] for row in rows] == ["forward", "backward"]


def test_cliffs(monkeypatch):
    swept = [(SweptConv2D(2, 5, 4, 6, 3, 3, 2, 1, 2), "backward"), (SweptReLU(3, 5), "forward")]
    monkeypatch.setattr(cliffs, "fixed", lambda: iter(swept))
    tables = measured("cliffs")
    assert {(row["op"], row["sizes"]) for row in tables["cliffs"]} == {
        ("conv2d", "N 2, size 5, C 4, F 6, KH 3, KW 3, stride 2, padded 1, groups 2"),
        ("relu", "N 3, D 5"),
    }
    assert [(row["op"], row["direction"], row["swept"]) for row in tables["cliffs by op"]] == [
        ("conv2d", "backward", 1), ("relu", "forward", 1),
    ]  # fmt: skip


def test_what_is_slower_comes_first_and_the_rest_is_not_shown(monkeypatch):
    seconds = {"relu 1 1": 4.0, "relu 1 2": 0.5, "relu 1 3": 0.1}  # of PyTorch's; ours takes 1

    def measure(team, workload, *others):
        return {OURS: [1.0], "torch": [seconds[workload.network]]}

    monkeypatch.setattr(contest, "measure", measure)
    swept = [(SweptReLU(1, D), "forward") for D in (1, 2, 3)]
    monkeypatch.setattr(cliffs, "fixed", lambda: iter(swept))
    report = BenchReport({})
    run("cliffs", Settings(quick=True, engines=()), report)
    table, totals = report.tables
    assert [row.get("slower") for row in table.rows] == [10, 2, None]
    assert [line for line in table.text().splitlines() if "N 1, D 1" in line] == []
    (total,) = totals.rows
    assert (total["swept"], total["slow"], total["least"]) == (3, 2, 0.1)
    assert report.missed == ["cliffs, relu forward: each 0.8 times PyTorch"]


def test_a_sweep_ends_with_its_time(monkeypatch):
    monkeypatch.setattr(cliffs, "fixed", lambda: iter([(SweptReLU(1, 1), "forward")]))
    report = BenchReport({})
    run("cliffs", Settings(quick=True, engines=(), minutes=1e-9), report)
    assert [table.rows for table in report.tables] == [[], []]


def test_gemm():
    (rows,) = measured("gemm", layers=("conv2", "conv3")).values()
    assert [row["layer"] for row in rows] == ["conv2", "conv3"]
    assert all(row["ratio"].median > 0 and row["goal"] == 0.8 for row in rows)


def test_scaling(monkeypatch):
    for workloads in ("_sizes", "_channels"):
        monkeypatch.setattr(
            scaling,
            workloads,
            lambda: {n: scaling.Workload("forward", f"conv {n} {n} 3 4 3 1 1", 2) for n in (4, 5)},
        )
    tables = measured("scaling")
    assert [row["batch"] for row in tables["scaling batch"]] == [1, 2]
    one, two = tables["scaling threads"]
    assert (one["threads"], two["threads"]) == (1, 2) and two["goal"] == 1.7
    roofs = tables["scaling roofs"]
    assert [row["threads"] for row in roofs] == [1, 2]
    assert all(row[name] > 0 for row in roofs for name in ("flops", "read", "triad"))


def test_memory():
    tables = measured("memory")
    beside_peers = {"memory forward", "memory training", "memory one image"}
    assert set(tables) == {*beside_peers, "memory pass"}
    for row in (row for name in beside_peers for row in tables[name]):
        assert row["peak"] >= row["before"] > 0
    kept, released = tables["memory pass"]
    assert kept["gradients"] == released["gradients"] > 0
    assert kept["activations"] > released["activations"] > 0


def test_start(monkeypatch):
    monkeypatch.setattr(start, "finish", lambda arguments, cache: 0.1)
    monkeypatch.setattr(start, "first_layer", lambda arguments, cache: 0.2)
    tables = measured("start")
    assert {"import numpy", "tinycnn summary"} <= {
        row["command"] for row in tables["start commands"]
    }
    ever, later = tables["start calls"]
    assert (ever["when"], later["when"]) == ("ever", "of a process")
    assert ever["goal"] == 12 and ever["first"] > 0


def test_a_fresh_python_is_timed_to_its_end_and_to_a_row(tmp_path):
    assert start.finish(["-c", "pass"], str(tmp_path)) > 0
    assert start.first_layer(["-c", "print('conv1 row')"], str(tmp_path)) > 0
    with pytest.raises(TinyCNNError, match="printed no row of conv1"):
        start.first_layer(["-c", "print('nothing')"], str(tmp_path))


def test_busy():
    (rows,) = measured("busy", batches=(2,)).values()
    assert rows[0]["engine"] == "tinycnn" and rows[0]["slower"].median > 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_busy_processes_end_with_the_block():
    from pathlib import Path

    with busy.busy_cores() as processes:
        assert all(Path(f"/proc/{process}").exists() for process in processes)
    assert not any(Path(f"/proc/{process}").exists() for process in processes)


def test_agreement():
    (rows,) = measured("agreement").values()
    assert rows[0]["images"] == 16 and rows[0]["clear"] == rows[0]["same"] > 0


def test_every_part_is_a_module_that_the_command_knows():
    from tinycnn.commands import bench

    assert tuple(PARTS) == bench._PARTS
