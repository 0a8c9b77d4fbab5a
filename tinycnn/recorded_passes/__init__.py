"""How a training pass runs: the kernel calls of all layers recorded once, forward and backward.

A pass of a small network is some dozens of calls of a few microseconds; made from Python, each waited for
longer than it took. What forward writes are the arrays that a trace shows, so it shows the same.
"""

from __future__ import annotations

from tinycnn.recorded_passes.passes import RecordedPass, RecordedPasses

__all__ = ["RecordedPass", "RecordedPasses"]
