"""The candidates of a benchmark: this engine, and others that compute the same.

Each module has ``load(workload, variant, threads, folder)``, which gives a `Contender`: a call to be
timed, and results to be checked. What an engine needs is imported when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

from tinycnn.arrays import Array
from tinycnn.bench.work import Workload

OURS = "tinycnn"
TRAINER = "trainer"  # ours, with all that `tinycnn.training` puts around a step
LIMITS = "limits"


@dataclass(frozen=True)
class Contender:
    """``call`` does the work once; ``check`` gives its results by name, in this engine's layouts."""

    call: Callable[[], object]
    check: Callable[[], Mapping[str, Array]]


@dataclass(frozen=True)
class Engine:
    """Where an engine lives, in what way it is used, and which packages' versions matter.

    ``most_images``: how large a batch it takes; None for any. ``coarse``: an error, relative to the largest
    number, up to which it is raced although others keep a smaller bound, and it is said.
    """

    title: str
    module: str
    way: str = ""
    packages: tuple[str, ...] = ()
    most_images: int | None = None
    coarse: float = 0.0

    def takes(self, workload: Workload) -> bool:
        """Whether the workload's batch is one for this engine."""
        return self.most_images is None or workload.batch <= self.most_images

    def load(self, workload: Workload, threads: int, folder: Path) -> Contender:
        """Load the network of ``workload``; ``folder`` is for files that engines share."""
        module = import_module(f"tinycnn.bench.engines.{self.module}")
        candidate: Contender = module.load(workload, self.way, threads, folder)
        return candidate

    def versions(self) -> dict[str, str]:
        """Versions of what it needs; ImportError where something is missing."""
        return {name: _version(name) for name in self.packages}


def _version(package: str) -> str:
    module = import_module(package)
    return str(getattr(module, "__version__", None) or metadata.version(package))


ENGINES = {
    OURS: Engine("tinycnn", "ours"),
    TRAINER: Engine("tinycnn's Trainer", "trainer", packages=("tqdm",)),
    "torch": Engine("PyTorch", "pytorch", "contiguous", ("torch",)),
    "torch-cl": Engine("PyTorch, channels last", "pytorch", "channels last", ("torch",)),
    "onnxruntime": Engine("ONNX Runtime", "onnx_runtime", packages=("onnx", "onnxruntime")),
    "openvino": Engine("OpenVINO", "open_vino", packages=("onnx", "openvino")),
    "mnn": Engine("MNN", "mnn", packages=("onnx", "MNN"), coarse=1e-2),
    "ncnn": Engine("ncnn", "ncnn_net", packages=("ncnn",), most_images=1),
    LIMITS: Engine("the processor", "limits"),
}
PEERS = ("torch", "torch-cl", "onnxruntime", "openvino", "mnn", "ncnn")
TRAINERS = ("torch", "torch-cl")  # peers that train
