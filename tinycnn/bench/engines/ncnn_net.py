"""ncnn on the processor: float32, all its algorithms, as many threads as asked, one image at a time."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.engines import Contender
from tinycnn.bench.engines.activations import add_ncnn_activation
from tinycnn.bench.engines.layers import NCNN
from tinycnn.bench.engines.ncnn_layers import NcnnLayers
from tinycnn.bench.engines.translation import channels_first, channels_last, layers_of
from tinycnn.bench.work import Workload
from tinycnn.model import Sequential


def load(workload: Workload, way: str, threads: int, folder: Path) -> Contender:
    """Load a network; its maps have no axis for a batch."""
    import ncnn

    model = work.build(workload.network)
    net, output = ncnn.Net(), translated(model)
    net.opt.num_threads = threads
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage"):
        setattr(net.opt, f"use_{name}", False)
    with TemporaryDirectory(dir=folder) as own:
        param, weights = output.write(Path(own) / "ncnn")
        if net.load_param(str(param)) or net.load_model(str(weights)):
            raise RuntimeError(f"ncnn cannot read {workload.network!r} as it was written for it")
    (x,) = channels_first(work.images(workload.batch, model.input_shape))
    image = ncnn.Mat(x).clone()  # else it only borrows the memory of x

    def call() -> Array:
        extractor = net.create_extractor()
        extractor.input("x", image)
        failed, y = extractor.extract(output.value)
        if failed:
            raise RuntimeError(f"ncnn cannot run {workload.network!r}")
        found: Array = np.asarray(y)[None]
        return found

    return Contender(call, lambda: {"y": channels_last(call())})


def translated(model: Sequential) -> NcnnLayers:
    """The network in ncnn's layers."""
    net = NcnnLayers(model.input_shape)
    for ours in layers_of(model):
        NCNN.of(ours.layer)(ours, net)
        add_ncnn_activation(ours, net)
    return net
