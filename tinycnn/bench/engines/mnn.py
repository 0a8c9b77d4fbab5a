"""MNN on the processor: float32 ("precision": "high"), as many threads as asked, from the ONNX file.

Its weights are not rearranged when they are loaded: it would take no Winograd, and be slower. On maps of 28
and more its Winograd is off by some 1e-3 of the largest number; without, by 1e-6, and half as fast.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.engines import Contender
from tinycnn.bench.engines.onnx_graph import file_of
from tinycnn.bench.engines.translation import channels_first, channels_last
from tinycnn.bench.work import Workload

_CONVERT = "import sys, MNN, _tools; _tools.mnnconvert(sys.argv[1:])"


def load(workload: Workload, way: str, threads: int, folder: Path) -> Contender:
    """Convert a network, and load it."""
    import MNN
    import onnx

    graph = file_of(workload, folder)
    (output,) = onnx.load(graph, load_external_data=False).graph.output
    settings = {"backend": "CPU", "numThread": threads, "precision": "high", "power": "high"}
    net: Any = MNN.nn.load_module_from_file(
        str(converted(graph)), ["x"], [output.name],
        runtime_manager=MNN.nn.create_runtime_manager((settings,)),
    )  # fmt: skip
    x = channels_first(work.images(workload.batch, work.build(workload.network).input_shape))
    order = MNN.expr.NCHW

    held: list[Any] = []

    def call() -> Array:
        # The array is a view of the result's memory, which ends with the result.
        held[:] = [net.forward(MNN.expr.const(x, list(x.shape), order))]
        y: Array = held[0].read()
        return y

    return Contender(call, lambda: {"y": channels_last(call()).copy()})


def converted(graph: Path) -> Path:
    """An ONNX file in MNN's format, beside it, made by a process whose memory is not counted here.

    By the library beneath MNN's converter: the command installs a package and reports over the network.
    """
    path = graph.with_suffix(".mnn")
    arguments = ["-f", "ONNX", "--modelFile", str(graph), "--MNNModel", str(path), "--bizCode", "x"]
    command = [sys.executable, "-c", _CONVERT, "mnnconvert", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path
