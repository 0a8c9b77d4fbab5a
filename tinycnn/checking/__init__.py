"""Gradient checks: what a backward pass claims, compared with differences of the forward pass.

How a check runs: `targets` turns what is given into a function of named arrays and its gradient;
`behaviour` looks at everything but the numbers (shapes, mutation, hidden state); `comparison` takes one
array after the other, and `derivatives` measures it along directions and at single cells, `kinks` left
out; `verdicts` weighs each discrepancy against what the difference itself may be wrong by; where a
gradient is wrong, `diagnosis` compares it with what usual `mistakes` give. The result is a `report`.
"""

from __future__ import annotations

from tinycnn.checking.check import gradcheck
from tinycnn.checking.error_curve import Curve
from tinycnn.checking.kinks import KINKS, Kink
from tinycnn.checking.one_derivative import explain
from tinycnn.checking.report import Diagnosis, Entry, GradientReport, TensorReport
from tinycnn.checking.targets.adaptors import as_target
from tinycnn.checking.targets.target import Target

__all__ = [
    "KINKS",
    "Curve",
    "Diagnosis",
    "Entry",
    "GradientReport",
    "Kink",
    "Target",
    "TensorReport",
    "as_target",
    "explain",
    "gradcheck",
]
