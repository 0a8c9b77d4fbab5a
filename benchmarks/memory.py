"""What does a process grow by in one forward and one backward pass of AlexNet?

In a fresh process, weights drawn, program loaded, kernels compiled before by another. Required: the
peak grows by no more than the gradients, the activations that the trace keeps, and 150 MB for
everything else: column blocks, whatever is released again on the way, compiled code. Once keeping
every gradient between layers, as lessons do ("keep"), once releasing each when it has been used, as
training does ("release"). For information, "keep" once more where the first operation of the process
loads Numba too ("cold"), which takes some 70 MB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import _measure
import numpy as np

import tinycnn
from tinycnn import ops
from tinycnn.trace import Trace

MB = 1e6
ROOM = 150  # MB
WAYS = ("keep", "release", "cold")
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> int:
    parser = _measure.parser(__doc__)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--worker", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    variant = "mini" if options.quick else "one-tower"
    if options.worker:
        print(json.dumps(grow(variant, options.batch, options.worker)))
        return 0
    _measure.clean_environment()
    if not _STATUS.exists():
        sys.exit("memory: only Linux tells a process's peak; nothing is measured here")
    report = _measure.Report("memory", options)
    print(f"AlexNet ({variant}), batch {options.batch}, float32; MB\n")
    print("               gradients  activations kept  room   allowed   growth")
    worker(options, "keep")  # compiles what is not compiled yet
    for way in WAYS:
        row = worker(options, way)
        allowed = row["gradients"] + row["activations"] + ROOM
        what = f"{way}: growth at most gradients + activations kept + {ROOM} MB"
        holds = row["growth"] <= allowed
        verdict = "" if way == "cold" else report.require(what, holds, timed=False)
        report.add(
            f"{way:14} {row['gradients']:9.1f} {row['activations']:17.1f} {ROOM:5} "
            f"{allowed:9.1f} {row['growth']:8.1f}   {verdict}",
            way=way, room=ROOM, allowed=allowed, **row,
        )  # fmt: skip
    return report.end()


def worker(options: argparse.Namespace, way: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--worker", way, "--batch", str(options.batch)]
    command += ["--quick"] if options.quick else []
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def grow(variant: str, batch: int, way: str) -> dict[str, Any]:
    """Run one pass forward and backward; sizes in MB."""
    if way != "cold":
        for name in ops.__all__:
            getattr(ops, name)  # ops load on first use, and Numba with them
    model = tinycnn.alexnet(variant=variant)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *model.input_shape), np.float32)
    labels = rng.integers(0, 1000, batch)
    weights = model.parameters()
    with peak() as seen:
        trace = model.trace(x, training=way == "release", rng=0)
        gradients = trace.backward(labels=labels)
    if not all(np.isfinite(gradient).all() and gradient.any() for gradient in gradients.values()):
        sys.exit("a gradient is zero or not finite")
    return {
        "gradients": gradients.flat.nbytes / MB,
        "activations": kept(trace, [weights.flat, gradients.flat, x]) / MB,
        "growth": (seen["peak"] - seen["before"]) / MB,
        "measured_by": seen["by"],
    }


def kept(trace: Trace, others: list[np.ndarray]) -> int:
    """Bytes of the distinct arrays that the trace's records hold, except for ``others``."""
    owners = {id(owner): owner for record in trace.records for owner in _owners(vars(record))}
    for other in others:
        owners.pop(id(_owner(other)), None)
    return sum(owner.nbytes for owner in owners.values())


def _owners(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield _owner(value)
    elif isinstance(value, dict):
        yield from _owners(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _owners(item)


def _owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@contextmanager
def peak() -> Iterator[dict[str, Any]]:
    """The process's resident bytes before, and at their peak within the ``with`` block."""
    seen: dict[str, Any] = {"before": _status("VmRSS"), "by": "VmHWM"}
    try:
        _CLEAR.write_text("5")  # the kernel's high-water mark starts again from what there is now
    except OSError:
        seen["by"] = "sampling"
    done = threading.Event()
    samples = [seen["before"]]

    def sample() -> None:
        while not done.is_set():
            samples.append(_status("VmRSS"))
            time.sleep(0.001)

    thread = threading.Thread(target=sample)
    if seen["by"] == "sampling":
        thread.start()
    yield seen
    done.set()
    if seen["by"] == "sampling":
        thread.join()
        seen["peak"] = max(samples)
    else:
        seen["peak"] = _status("VmHWM")


def _status(field: str) -> int:
    """A size from /proc/self/status, in bytes."""
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    sys.exit(main())
