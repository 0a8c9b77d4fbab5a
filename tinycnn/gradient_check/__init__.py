"""Gradient checks: what a backward pass claims, compared with differences of the forward pass."""

from __future__ import annotations

from tinycnn.gradient_check.adaptors import as_target
from tinycnn.gradient_check.check import gradcheck
from tinycnn.gradient_check.curve import Curve, explain
from tinycnn.gradient_check.report import Diagnosis, Entry, Report, TensorReport
from tinycnn.gradient_check.target import Target

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
