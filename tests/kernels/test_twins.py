"""Every public kernel has a twin and a property test: read from the sources, not from a run."""

import ast
import inspect
from pathlib import Path

import pytest

from tinycnn import kernels
from tinycnn.kernels import reference


def functions(path):
    return [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]


def decorated(function, name):
    decorators = [getattr(decorator, "func", decorator) for decorator in function.decorator_list]
    return any(isinstance(d, ast.Name) and d.id == name for d in decorators)


# Written by a program, and tested one by one against the matrices and products that they stand for:
# tests/ops/winograd/test_generated_kernels.py; or with the kernels whose innermost loops they are.
GENERATED = {"microkernels", "winograd_transforms"}
# Parts of kernels: how they cut their rows, and products with panels; tested with them.
PARTS = {"panels", "rows"}
# Calls other kernels, and is tested by the calls of their twins: test_recorded_calls.py, test_by_ranges.py.
OF_KERNELS = {"callers", "range_callers", "recorded_calls", "slots", "training_callers"}

KERNELS = {
    f"{path.stem}.{function.name}": function
    for path in sorted(Path(kernels.__path__[0]).glob("*.py"))
    if path.stem not in GENERATED | PARTS | OF_KERNELS
    for function in functions(path)
    if decorated(function, "kernel") and not function.name.startswith("_")
}

# The first argument of each call of against_twin in a test that hypothesis drives.
PROPERTY_TESTED = {
    call.args[0].id
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    for test in functions(path)
    if test.name.startswith("test_") and decorated(test, "given")
    for call in ast.walk(test)
    if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "against_twin"
}


def test_the_kernels_are_found():
    assert {"im2col.im2col", "max_pool.max_pool2d_backward", "relu.relu_backward"} <= set(KERNELS)


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_has_a_twin_with_the_same_parameters(name):
    function = KERNELS[name]
    twin = getattr(reference, function.name, None)
    assert twin is not None, f"kernels/{name} has no twin in kernels/reference.py"
    assert list(inspect.signature(twin).parameters) == [arg.arg for arg in function.args.args]


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_has_a_property_test_against_its_twin(name):
    assert KERNELS[name].name in PROPERTY_TESTED


def test_the_twins_import_nothing_from_the_kernels():
    tree = ast.parse(Path(reference.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {ast.unparse(node) for node in imports} == {
        "from __future__ import annotations",
        "import math",
        "from typing import Any",
        "import numpy as np",
    }
