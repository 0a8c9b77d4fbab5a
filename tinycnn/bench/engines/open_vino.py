"""OpenVINO on the processor: float32, one batch size, one stream on as many threads as asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.engines import Contender
from tinycnn.bench.engines.onnx_graph import file_of
from tinycnn.bench.engines.translation import channels_first, channels_last
from tinycnn.bench.work import Workload


def load(workload: Workload, way: str, threads: int, folder: Path) -> Contender:
    """Load a network for one batch size."""
    import openvino

    core = openvino.Core()
    x = channels_first(work.images(workload.batch, work.build(workload.network).input_shape))
    graph = core.read_model(file_of(workload, folder))
    graph.reshape(list(x.shape))
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request: Any = core.compile_model(graph, "CPU", settings).create_infer_request()
    del graph

    def call() -> Array:
        # Both arrays stay where they are: no copy is timed.
        y: Array = request.infer([x], share_inputs=True, share_outputs=True)[0]
        return y

    return Contender(call, lambda: {"y": channels_last(call())})
