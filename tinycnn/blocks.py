"""What work in blocks needs, by one name."""

from tinycnn.runtime.jobs import run
from tinycnn.runtime.ranges import LEAST_ROWS, Range, cut
from tinycnn.runtime.scratch import scratch
from tinycnn.runtime.threads import free_threads, threads, use_threads

__all__ = [
    "LEAST_ROWS",
    "Range",
    "cut",
    "free_threads",
    "run",
    "scratch",
    "threads",
    "use_threads",
]
