"""Code that is run in a process of its own."""

import inspect
import os
import subprocess
import sys

import numpy_blas

SECONDS = 300  # a guard against hanging, never reached


def in_python(code, *arguments, **environment):
    """Run ``code`` in a fresh process; the words it prints, once it has ended well and in silence."""
    ended = subprocess.run(
        [sys.executable, "-c", PROLOGUE + code, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == 0 and not ended.stderr, ended.stderr
    return ended.stdout.split()


_PROLOGUE = """
import os, signal, sys, threading, warnings
from threadpoolctl import threadpool_limits
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime import parallel
from tinycnn.runtime.balance import Balance
from tinycnn.runtime.threads import busy, use_threads

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
Balance.pays = True  # helpers are called each time
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork beside threads

{numpy_blas}

def run_everywhere():
    # Each of three threads must take its block before any may end: a pool without threads hangs.
    barrier, seen = threading.Barrier(3), set()
    def work(item):
        barrier.wait(30)
        seen.add(threading.get_ident())
    with use_threads(3):
        parallel_for(work, range(3))
    assert len(seen) == 3
"""

PROLOGUE = _PROLOGUE.replace("{numpy_blas}", inspect.getsource(numpy_blas))
