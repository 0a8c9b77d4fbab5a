"""ONNX Runtime on the processor: all graph optimisations, as many threads within an operator as asked."""

from __future__ import annotations

from pathlib import Path

from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.engines import Contender
from tinycnn.bench.engines.onnx_graph import file_of
from tinycnn.bench.engines.translation import channels_first, channels_last
from tinycnn.bench.work import Workload


def load(workload: Workload, way: str, threads: int, folder: Path) -> Contender:
    """Load a network for one batch size."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name("N", workload.batch)
    path = file_of(workload, folder)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    shape = work.build(workload.network).input_shape  # draws no weights
    inputs = {"x": channels_first(work.images(workload.batch, shape))}

    def call() -> Array:
        y: Array = session.run(None, inputs)[0]
        return y

    return Contender(call, lambda: {"y": channels_last(call())})
