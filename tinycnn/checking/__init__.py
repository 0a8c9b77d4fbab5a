"""Gradient checks: what a backward pass claims, compared with differences of the forward pass."""

from __future__ import annotations

from tinycnn.checking.adaptors import as_target
from tinycnn.checking.check import gradcheck
from tinycnn.checking.curve import Curve, explain
from tinycnn.checking.report import Diagnosis, Entry, Report, TensorReport
from tinycnn.checking.target import Target

__all__ = [
    "Curve",
    "Diagnosis",
    "Entry",
    "Report",
    "Target",
    "TensorReport",
    "as_target",
    "explain",
    "gradcheck",
]
