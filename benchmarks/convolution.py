"""How much of a matrix product's own speed does conv2d reach?

AlexNet's five convolutions by im2col, with bias and ReLU, against NumPy's product of two matrices
of the same sizes, (N*OH*OW, K) @ (K, F) into memory that is there already, with BLAS on as many
threads. 1.00 means that unrolling the windows, bias, ReLU and fresh memory for the result cost
nothing; above 1, that BLAS on blocks of our making is faster than BLAS on the whole.
"""

from __future__ import annotations

import argparse
import sys

import _measure
import numpy as np
from threadpoolctl import ThreadpoolController

from tinycnn import ops
from tinycnn.blocks import use_threads

# name, side of the input, channels, filters, kernel, stride, padding, ratio required at batch 32
LAYERS = [
    ("conv1", 227, 3, 96, 11, 4, 0, 0.6),
    ("conv2", 27, 96, 256, 5, 1, 2, 0.8),
    ("conv3", 13, 256, 384, 3, 1, 1, 0.8),
    ("conv4", 13, 384, 384, 3, 1, 1, 0.8),
    ("conv5", 13, 384, 256, 3, 1, 1, 0.8),
]
BOUND = 1e-5  # of the largest value of y, for float32 sums of up to 3,456 products


def main() -> int:
    parser = _measure.parser(__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=_measure.cores())
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    _measure.clean_environment()
    if options.quick:
        options.batch, options.rounds = 2, 1
    report = _measure.Report("convolution", options)
    print(f"batch {options.batch}, float32, threads: {options.threads}, rounds: {options.rounds}\n")
    print("layer      GEMM ms  conv2d ms  GEMM / conv2d       required")
    for layer in LAYERS:
        measure(layer, options, report)
    return report.end()


def measure(
    layer: tuple[str, int, int, int, int, int, int, float],
    options: argparse.Namespace,
    report: _measure.Report,
) -> None:
    name, side, C, F, kernel, stride, padding, required = layer
    rng = np.random.default_rng(0)
    x = rng.standard_normal((options.batch, side, side, C), np.float32)
    W = rng.standard_normal((kernel, kernel, C, F), np.float32)
    b = rng.standard_normal(F, np.float32)
    K = kernel * kernel * C

    def convolve() -> np.ndarray:
        with use_threads(options.threads):
            return ops.conv2d(
                x, W, b, stride=stride, padding=padding, activation="relu", algorithm="im2col"
            )

    y = convolve()
    error = largest_error(x, W, b, stride, padding, y, rng)
    if error > BOUND:
        sys.exit(f"{name}: conv2d is off by {error:.1e} of its largest value, {BOUND} is allowed")

    cols = rng.standard_normal((y.size // F, K), np.float32)
    weights, product = W.reshape(K, F), np.empty((y.size // F, F), np.float32)

    blas = ThreadpoolController().select(user_api="blas")  # to look for it takes a millisecond

    def multiply() -> None:
        with blas.limit(limits=options.threads):
            np.matmul(cols, weights, out=product)

    rounds = _measure.compare({"gemm": multiply, "conv2d": convolve}, options.rounds)
    ratio = _measure.ratio(rounds, "gemm", "conv2d")
    gemm, conv2d = (_measure.Spread.of(rounds[who]) for who in ("gemm", "conv2d"))
    verdict = "at batch 32"
    if options.batch == 32:
        what = f"{name}: GEMM / conv2d at least {required}"
        verdict = report.require(what, ratio.median >= required)
    report.add(
        f"{name:8} {gemm.median * 1e3:9.2f} {conv2d.median * 1e3:10.2f}  {ratio!s:19} "
        f"{required} {verdict}",
        layer=name, columns=list(cols.shape), filters=F, error=error,
        gemm_seconds=gemm, conv2d_seconds=conv2d, ratio=ratio, required=required,
    )  # fmt: skip


def largest_error(
    x: np.ndarray,
    W: np.ndarray,
    b: np.ndarray,
    stride: int,
    padding: int,
    y: np.ndarray,
    rng: np.random.Generator,
) -> float:
    """|y - the formula| in float64 at 50 places, all filters each, over the largest value there."""
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    padded = np.pad(x, sides).astype(np.float64)
    places = [tuple(int(rng.integers(size)) for size in y.shape[:3]) for _ in range(50)]
    corners = [(0, 0, 0), tuple(size - 1 for size in y.shape[:3])]
    expected = []
    for n, oh, ow in places + corners:
        top, left = oh * stride, ow * stride
        window = padded[n, top : top + W.shape[0], left : left + W.shape[1]]
        expected.append(np.maximum(np.tensordot(window, W.astype(np.float64), 3) + b, 0))
    found = np.array([y[place] for place in places + corners])
    return float(np.abs(found - expected).max() / np.abs(expected).max())


if __name__ == "__main__":
    sys.exit(main())
