"""The benchmarks run, check their results and say what they should; how fast anything is, is not asked."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


def start(*command, **environment):
    """Run Python in a process that has none of the suite's own settings of Numba."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env=settings | environment,
        cwd=BENCHMARKS.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )


def quick(name, folder, **environment):
    """The JSON that a quick run of a benchmark writes, and what it prints."""
    file = folder / f"{name}.json"
    run = start(BENCHMARKS / f"{name}.py", "--quick", "--json", file, **environment)
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(file.read_text())
    assert result["benchmark"] == name
    assert result["missed"] == []
    assert {"processor", "simd", "cores", "blas", "versions"} <= set(result["machine"])
    return result, run.stdout


def test_convolution(tmp_path):
    result, printed = quick("convolution", tmp_path, OPENBLAS_CORETYPE="Haswell")
    rows = {row["layer"]: row for row in result["rows"]}
    assert list(rows) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert [row["required"] for row in rows.values()] == [0.6, 0.8, 0.8, 0.8, 0.8]
    assert rows["conv2"]["columns"] == [2 * 27 * 27, 5 * 5 * 96]
    for row in rows.values():
        assert 0 <= row["error"] <= 1e-5
        assert row["gemm_seconds"]["median"] > 0
        assert 0 < row["ratio"]["least"] <= row["ratio"]["median"] <= row["ratio"]["most"]
    # A setting that would slow BLAS down is removed, and named.
    assert "OPENBLAS_CORETYPE" in result["machine"]["removed_from_environment"]
    assert "OPENBLAS_CORETYPE" in printed


def test_pooling_without_pytorch_says_so(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError\n")
    result, printed = quick("pooling", tmp_path, PYTHONPATH=str(tmp_path))
    assert "PyTorch is not installed" in printed
    ways = {(row["pool"], row["direction"]) for row in result["rows"]}
    assert ways == {(p, d) for p in ("pool1", "pool2", "padded") for d in ("forward", "backward")}
    assert all(row["seconds"]["median"] > 0 and "ratio" not in row for row in result["rows"])


@pytest.mark.peers
def test_pooling_beside_pytorch(tmp_path):
    result, _ = quick("pooling", tmp_path)
    assert "torch" in result["machine"]["versions"]
    assert all(row["ratio"]["median"] > 0 for row in result["rows"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak")
def test_memory(tmp_path):
    result, _ = quick("memory", tmp_path)
    keep, release, cold = result["rows"]
    assert [row["way"] for row in result["rows"]] == ["keep", "release", "cold"]
    for row in (keep, release):
        assert 0 < row["growth"] <= row["gradients"] + row["activations"] + 150
    assert cold["activations"] == keep["activations"]
    assert keep["activations"] > release["activations"] > 0


def test_start(tmp_path):
    result, _ = quick("start", tmp_path)
    assert [row["what"] for row in result["rows"]] == ["numpy", "summary", "step", "first step"]
    assert result["rows"][1]["ratio"]["median"] > 0


def test_every_kernel_has_a_micro_benchmark_that_runs(tmp_path):
    run = start(
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--benchmark-disable",
        BENCHMARKS / "kernels.py",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    called = {
        node.args[0].id
        for node in ast.walk(ast.parse((BENCHMARKS / "kernels.py").read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "benchmark"
    }
    kernels = {
        function.name
        for path in (BENCHMARKS.parent / "kernels").glob("*.py")
        for function in ast.parse(path.read_text()).body
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_")
        if "kernel" in map(ast.unparse, function.decorator_list)
    }
    assert called == kernels
