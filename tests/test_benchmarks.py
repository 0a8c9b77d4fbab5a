"""`tinycnn bench` as people use it, and the benchmarks of kernels; how fast anything is, is not asked."""

import ast
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tinycnn import cli
from tinycnn.bench import parts
from tinycnn.bench.rounds import Spread
from tinycnn.bench.tables import LESS, Column, ResultTable, identity

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / "benchmarks" / "kernels.py"


def start(*command, **environment):
    """Run Python in a process that has none of the suite's own settings of Numba."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env=settings | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )


def bench(folder, *arguments, code=0, **environment):
    """What `tinycnn bench` writes and prints, in its shortest run without peers."""
    file, page = folder / "run.json", folder / "run.md"
    run = start(
        "-m", "tinycnn", "bench", *arguments, "--quick", "--rounds", 1, "--seconds", 0, "--minutes", 0.3,
        "--json", file, "--markdown", page, **environment,
    )  # fmt: skip
    assert run.returncode == code, run.stdout + run.stderr
    result = json.loads(file.read_text())
    assert result["wrong"] == []
    for table in map(ResultTable.of, result["tables"]):
        shown = bool(table.shown_rows())
        assert (table.title in run.stdout) == (f"### {table.title}" in page.read_text()) == shown
    return result, run.stdout


def test_a_run_is_printed_and_written(tmp_path):
    result, printed = bench(
        tmp_path, "pools", "gemm", "--engines", "--batch", 2, OPENBLAS_CORETYPE="Haswell"
    )
    assert [table["name"] for table in result["tables"]] == ["pools", "gemm"]
    (row,) = result["tables"][1]["rows"]
    assert row["layer"] == "conv3" and row["conv2d"]["median"] > 0
    assert {check["who"] for check in result["checks"]} == {"tinycnn", "the processor"}
    # A setting that would slow BLAS down is removed, and named.
    machine = result["machine"]
    assert "OPENBLAS_CORETYPE" in machine["removed_from_environment"]
    assert "Haswell" not in json.dumps(machine["blas"]) or machine["simd"] == "AVX2"
    assert "Measured without OPENBLAS_CORETYPE" in printed


@pytest.mark.process
def test_an_engine_that_is_missing_is_said_to_be(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError\n")
    result, printed = bench(
        tmp_path, "pools", "--engines", "torch", "--batch", 2, PYTHONPATH=str(tmp_path)
    )
    assert "PyTorch is not installed" in printed and "torch" in result["absent"]
    assert all("ratio" not in row for row in result["tables"][0]["rows"])


COMPARED = ["race", "small", "others", "pools", "cliffs", "memory", "busy"]


@pytest.mark.slow
@pytest.mark.parametrize("part", [part for part in parts.PARTS if part not in COMPARED])
def test_every_part_of_our_own_runs_on_the_real_network(tmp_path, part):
    result, _ = bench(tmp_path, part, "--engines")
    assert all(table["rows"] for table in result["tables"])


@pytest.mark.peers
@pytest.mark.parametrize("part", COMPARED)
def test_every_part_that_compares_runs_beside_the_peers(tmp_path, part):
    result, _ = bench(tmp_path, part)
    assert result["absent"] == {}
    assert all(table["rows"] for table in result["tables"])
    engines = {check["who"] for check in result["checks"]}
    if part in ("race", "small", "others", "busy"):
        assert engines >= {
            "tinycnn", "PyTorch", "PyTorch, channels last", "ONNX Runtime", "OpenVINO", "MNN",
        }  # fmt: skip
    assert {"torch"} <= set(result["machine"]["versions"])


# ------------------------------------------------------------------------------------ the command


@pytest.fixture
def measure(monkeypatch):
    """`tinycnn bench race` without a measurement: a table of one row, its milliseconds given."""

    def run_with(*arguments, ms=10.0, then=None):
        def run(name, settings, report):
            report.machine = {
                "processor": "one", "cores": 2, "simd": "AVX2", "blas": [], "versions": {},
            }  # fmt: skip
            columns = [identity("batch", "batch"), Column("ms", "ms", 1, LESS)]
            table = report.table(ResultTable("race", "A race", columns))
            table.add(batch=1, ms=Spread(ms, ms, ms))
            report.require("a goal", holds=False)
            if then is not None:
                raise then

        monkeypatch.setattr(parts, "run", run)
        return cli.main(["bench", "race", *map(str, arguments)])

    return run_with


def test_a_missed_goal_is_said_and_fails_only_on_demand(measure, capsys):
    assert measure() == 0
    assert "missed: a goal" in capsys.readouterr().err
    assert measure("--require") == 1


def test_slower_than_an_earlier_run_ends_with_1(measure, capsys, tmp_path):
    old = tmp_path / "old.json"
    measure("--json", old)
    capsys.readouterr()
    assert measure("--compare", old) == 0
    assert "Nothing changed beyond the noise." in capsys.readouterr().out
    assert measure("--compare", old, ms=12) == 1
    printed = capsys.readouterr().out
    assert "1.20  slower" in printed
    assert measure("--compare", old, ms=8) == 0
    assert "0.80  faster" in capsys.readouterr().out


def test_tables_of_earlier_runs_are_shown_again(measure, capsys, tmp_path):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, ms in zip(files, (10, 20), strict=True):
        measure("--json", file, ms=ms)
    capsys.readouterr()
    page = tmp_path / "page.md"
    assert cli.main(["bench", "--from", *map(str, files), "--markdown", str(page)]) == 0
    assert capsys.readouterr().out.count("A race") == 2
    assert "| 1 | 10.0 |" in page.read_text() and "| 1 | 20.0 |" in page.read_text()


def test_the_page_of_results_is_made_of_the_results(capsys, tmp_path):
    page = tmp_path / "page.md"
    files = [ROOT / "benchmarks" / "results" / f"{part}.json" for part in parts.PARTS]
    results = [str(file) for file in files if file.exists()]
    assert cli.main(["bench", "--from", *results, "--markdown", str(page)]) == 0
    assert page.read_text() in (ROOT / "docs" / "benchmark-results.md").read_text()


def test_the_readmes_table_is_made_of_the_results():
    with_table = runpy.run_path(str(ROOT / "benchmarks" / "measure.py"))["with_table"]
    readme = (ROOT / "README.md").read_text()
    files = [ROOT / "benchmarks" / "results" / f"{part}.json" for part in parts.PARTS]
    assert with_table(readme, [file for file in files if file.exists()]) == readme


def test_what_was_measured_before_an_interruption_is_kept(measure, capsys, tmp_path):
    file = tmp_path / "run.json"
    assert measure("--json", file, then=KeyboardInterrupt()) == 130
    assert "A race" in capsys.readouterr().out
    assert json.loads(file.read_text())["tables"][0]["rows"][0]["batch"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "PART must be one of 'race', 'layers'"),
        (["race", "--engines", "nosuch"], "--engines must be one of 'torch'"),
        (["race", "--threads", "0"], "--threads must be at least 1, got 0"),
        (["race", "--batch", "0"], "--batch must be at least 1, got 0"),
        (["cliffs", "--minutes", "0"], "--minutes must be a finite number above 0, got 0.0"),
        (["cliffs", "--seed", "-1"], "--seed must be at least 0, got -1"),
        (["race", "--seconds", "-1"], "--seconds must be a finite number from 0 up, got -1.0"),
        (["race", "--compare", "nosuch.json"], "'nosuch.json' cannot be read as a run's JSON"),
    ],
)
def test_a_mistake_ends_with_2_before_anything_is_measured(arguments, message, capsys):
    assert cli.main(["bench", *arguments]) == 2
    assert message in capsys.readouterr().err


# ---------------------------------------------------------------------------------------- kernels


@pytest.mark.process
def test_every_kernel_has_a_micro_benchmark_that_runs():
    run = start("-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-disable", KERNELS)
    assert run.returncode == 0, run.stdout + run.stderr
    tree = ast.parse(KERNELS.read_text())
    called = {
        ast.unparse(node.args[0]).split(".")[-1]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("benchmark", "benchmark.pedantic")
    }
    # Generated kernels are a test's parameter: those of a file whose names begin alike.
    generated = {
        (decorator.args[0].id, decorator.args[1].value)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "generated"
    }
    # What takes vectors Python cannot call; parts of a row's work and of recorded calls are timed within
    # what calls them.
    generated |= {("winograd_transforms", "output_k"), ("panels", ""), ("rows", ""), ("slots", "")}
    kernels = {
        (path.stem, function.name)
        for path in (ROOT / "kernels").glob("*.py")
        for function in ast.parse(path.read_text()).body
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_")
        if any(ast.unparse(it).split("(")[0] == "kernel" for it in function.decorator_list)
    }
    missing = {
        name
        for file, name in kernels
        if name not in called and not any(file == f and name.startswith(k) for f, k in generated)
    }
    assert missing == set()
    assert called - {"kernel"} <= {name for _, name in kernels}
