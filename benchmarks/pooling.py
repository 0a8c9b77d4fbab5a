"""Is max_pool2d, which keeps its winners, as fast as PyTorch's max_pool2d(return_indices=True)?

AlexNet's first two pools and one with padding, float32, channels last on both sides, on as many
threads. The forward pass is required to be at least as fast; the backward pass is for information.
PyTorch is optional: without it, only our own times are printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import _measure
import numpy as np

from tinycnn import ops
from tinycnn.blocks import use_threads

try:
    import torch
except ImportError:
    torch = None

REQUIRED = 1.0


@dataclass(frozen=True)
class Pool:
    """A pool over square images."""

    name: str
    side: int
    C: int
    kernel: int
    stride: int
    padding: int


POOLS = [
    Pool("pool1", 55, 96, 3, 2, 0),
    Pool("pool2", 27, 256, 3, 2, 0),
    Pool("padded", 112, 64, 3, 2, 1),
]


def main() -> int:
    parser = _measure.parser(__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument(
        "--threads", type=int, nargs="+", default=sorted({1, _measure.cores()}), metavar="T"
    )
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    _measure.clean_environment()
    if options.quick:
        options.batch, options.rounds = 2, 1
    report = _measure.Report("pooling", options, *(["torch"] if torch else []))
    print(f"batch {options.batch}, float32, rounds: {options.rounds}")
    if torch is None:
        print("PyTorch is not installed (pip install torch): our own times alone")
    print("\npool    direction  threads   ours ms  PyTorch ms  PyTorch / ours      required")
    for pool in POOLS:
        for threads in options.threads:
            measure(pool, threads, options, report)
    return report.end()


def measure(pool: Pool, threads: int, options: argparse.Namespace, report: _measure.Report) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((options.batch, pool.side, pool.side, pool.C), np.float32)
    how = {"stride": pool.stride, "padding": pool.padding}
    y, winner = ops.max_pool2d(x, pool.kernel, **how)
    dy = rng.standard_normal(y.shape, np.float32)
    check(pool, x, y, winner, dy, ops.max_pool2d_backward(dy, winner, x.shape, pool.kernel, **how))

    def forward() -> object:
        with use_threads(threads):
            return ops.max_pool2d(x, pool.kernel, **how)

    def backward() -> object:
        with use_threads(threads):
            return ops.max_pool2d_backward(dy, winner, x.shape, pool.kernel, **how)

    theirs = peer(pool, threads, x, y, dy) if torch else (None, None)
    pairs = zip(("forward", "backward"), (forward, backward), theirs, strict=True)
    for direction, ours, their in pairs:
        rounds = _measure.compare(
            {"ours": ours, **({"torch": their} if their else {})}, options.rounds
        )
        mine = _measure.Spread.of(rounds["ours"])
        required = REQUIRED if direction == "forward" and their else None
        row: dict[str, Any] = {"pool": pool.name, "direction": direction, "threads": threads}
        row |= {"seconds": mine, "required": required}
        line = f"{pool.name:8}{direction:10} {threads:7} {mine.median * 1e3:9.2f}"
        if their:
            torch_seconds = _measure.Spread.of(rounds["torch"])
            ratio = _measure.ratio(rounds, "torch", "ours")
            row |= {"torch_seconds": torch_seconds, "ratio": ratio}
            line += f" {torch_seconds.median * 1e3:11.2f}  {ratio!s:19}"
            if required:
                what = f"{pool.name}, {threads} threads: PyTorch / ours at least {required}"
                verdict = report.require(what, ratio.median >= required)
                line += f" {required} {'' if options.quick else verdict}"
        report.add(line, **row)


def peer(
    pool: Pool, threads: int, x: np.ndarray, y: np.ndarray, dy: np.ndarray
) -> tuple[Callable[[], object], Callable[[], object]]:
    """PyTorch's forward and backward over the same memory, seen as (N, C, H, W), channels last."""
    torch.set_num_threads(threads)
    images, dy_images = (torch.from_numpy(a).permute(0, 3, 1, 2) for a in (x, dy))
    assert images.is_contiguous(memory_format=torch.channels_last)

    def forward() -> Any:
        with torch.inference_mode():
            return torch.nn.functional.max_pool2d(
                images, pool.kernel, pool.stride, pool.padding, return_indices=True
            )

    theirs, indices = forward()
    same = np.array_equal(theirs.permute(0, 2, 3, 1).numpy(), y)
    if not same:
        sys.exit(f"{pool.name}: PyTorch's maxima differ from ours")

    def backward() -> object:
        pairs = [[size, size] for size in (pool.kernel, pool.stride, pool.padding, 1)]
        with torch.inference_mode():
            return torch.ops.aten.max_pool2d_with_indices_backward(
                dy_images, images, *pairs, False, indices
            )

    return forward, backward


def check(
    pool: Pool, x: np.ndarray, y: np.ndarray, winner: np.ndarray, dy: np.ndarray, dx: np.ndarray
) -> None:
    """Compare with the same pool in NumPy, one cell of all windows at a time."""
    pad, stride = pool.padding, pool.stride
    sides = ((0, 0), (pad, pad), (pad, pad), (0, 0))
    padded = np.pad(x, sides, constant_values=-np.inf)
    best, index, total = np.full_like(y, -np.inf), np.zeros_like(winner), np.zeros(padded.shape)
    rows, columns = ((size - 1) * stride + 1 for size in y.shape[1:3])
    cells = [(i, j) for i in range(pool.kernel) for j in range(pool.kernel)]
    for number, (i, j) in enumerate(cells):
        at = np.s_[:, i : i + rows : stride, j : j + columns : stride]
        wins = padded[at] > best
        best[wins], index[wins] = padded[at][wins], number
        total[at] += np.where(winner == number, dy, 0)
    inside = total[:, pad : pad + pool.side, pad : pad + pool.side]
    agree = np.array_equal(y, best) and np.array_equal(winner, index)
    if not (agree and np.abs(dx - inside).max() <= 1e-6 * np.abs(inside).max()):
        sys.exit(f"{pool.name}: max_pool2d and the same in NumPy differ")


if __name__ == "__main__":
    sys.exit(main())
