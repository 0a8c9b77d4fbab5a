"""The parts of ``tinycnn bench`` by name."""

from __future__ import annotations

from importlib import import_module

from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings

PARTS = {
    "race": "AlexNet forward and a training step beside PyTorch, ONNX Runtime, OpenVINO, MNN and ncnn",
    "layers": "each layer forward and backward, beside the processor's and the memory's limits",
    "small": "predict and a training step of networks that people train",
    "training": "an epoch by the trainer, beside the bare loop and PyTorch's",
    "others": "layers of other networks, and the paper's AlexNet, beside the same engines",
    "pools": "max-pooling with winners and its gradient, beside PyTorch",
    "cliffs": "every op at sizes from one end to the other, beside PyTorch: where is it slower?",
    "gemm": "im2col beside the matrix product alone",
    "scaling": "by batch, image size, channels and threads",
    "memory": "peak memory beside the same engines",
    "start": "imports, the first call ever, the first call of a process",
    "busy": "beside a busy process on each core",
    "agreement": "200 images against im2col in float64",
}
QUICK = ("agreement", "race", "pools")  # without a part named, and quick


def run(name: str, settings: Settings, report: BenchReport) -> None:
    """Run one part: the module of its name."""
    import_module(f"tinycnn.bench.{name}").run(settings, report)
