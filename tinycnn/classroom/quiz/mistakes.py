"""What usual mistakes make of the right numbers: for the key, and so that each is found out."""

from __future__ import annotations

from collections.abc import Mapping

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.classroom.quiz.sliding import Sliding
from tinycnn.explain.examples.arithmetic import text
from tinycnn.validation import Pair


def forward(
    x: Array, W: Array, b: Array, drawn: Sliding, place: tuple[int, ...]
) -> dict[str, float]:
    """The cell z[0,i,j,f] at ``place`` = (i, j, f) as mistakes give it, each after its words."""
    ways: dict[str, tuple[Array, Array, Array | None, dict[str, Pair]]] = {
        "the kernel is turned over": (x, W[::-1, ::-1], b, {}),
        "the bias is left out": (x, W, None, {}),
    }
    if drawn.stride != (1, 1):
        ways["the stride is left out"] = x, W, b, {"stride": (1, 1)}
    if drawn.stride[0] != drawn.stride[1]:
        ways["rows and columns of the stride are swapped"] = x, W, b, {"stride": drawn.stride[::-1]}
    if drawn.padding != (0, 0):
        ways["the padding is left out"] = x, W, b, {"padding": (0, 0)}
    if W.shape[2] > 1:
        ways["channel 0 alone is read"] = x[..., :1], W[:, :, :1], b, {}
    if W.shape[3] > 1:
        ways["the other filter is taken"] = x, W[..., ::-1], b[::-1], {}
    wrong = {}
    for words, (image, kernel, bias, changed) in ways.items():
        z = ops.conv2d(image, kernel, bias, **drawn.arguments | changed)[0]
        if all(index < size for index, size in zip(place, z.shape, strict=True)):
            wrong[words] = float(z[place])
    return wrong


def input_gradient(
    dz: Array, x: Array, W: Array, drawn: Sliding, place: tuple[int, ...]
) -> dict[str, float]:
    """The cell dx[0,i,j,0] at ``place`` = (i, j) as mistakes give it, each after its words."""
    ways = {"the kernel is turned over": (dz, W[::-1, ::-1])} | {
        f"filter {f} alone is counted": (dz[..., f : f + 1], W[..., f : f + 1])
        for f in range(W.shape[3])
    }
    wrong = {}
    for words, (sent, kernel) in ways.items():
        dx, _, _ = ops.conv2d_backward(sent, x, kernel, **drawn.arguments)
        assert dx is not None  # need_dx is True
        wrong[words] = float(dx[(0, *place, 0)])
    return wrong


def told(wrong: Mapping[str, float]) -> str:
    """A line of the key: ``wrong: 5 if the kernel is turned over; 3 if the bias is left out``."""
    return "wrong: " + "; ".join(f"{text(number)} if {words}" for words, number in wrong.items())
