"""What numbers hang on: the machine in words, the environment cleaned, what else uses the cores."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tinycnn import __version__
from tinycnn.runtime.cores import cores
from tinycnn.wording import many

# Settings that some environments carry and that make numbers say something else: a BLAS held to an
# older processor's kernels, a number of threads that is not the one asked for, kernels that are not
# compiled or that check each index.
MISLEADING = (
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "ONEDNN_MAX_CPU_ISA", "TINYCNN_THREADS", "TINYCNN_LANES", "NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK",
)  # fmt: skip


def clean_environment() -> dict[str, str]:
    """This process's environment without the settings that mislead."""
    return {name: value for name, value in os.environ.items() if name not in MISLEADING}


def removed() -> list[str]:
    """The settings that `clean_environment` leaves out here."""
    return [name for name in MISLEADING if name in os.environ]


_NUMBERS = {"family": "cpu family", "model": "model"}  # of a processor, as /proc/cpuinfo calls them


def describe() -> dict[str, Any]:
    """Kind of processor, cores, BLAS, versions, as this process has them. Never a machine's name."""
    from threadpoolctl import threadpool_info

    versions = {name: import_module(name).__version__ for name in ("numpy", "numba")}
    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return {
        "processor": _processor(),
        "simd": _simd(),
        "cores": cores(),
        "system": platform.system(),
        "blas": [
            {
                "name": library["internal_api"],
                "version": library["version"],
                "kernels": library.get("architecture"),
            }
            for library in blas
        ],
        "versions": {"python": platform.python_version(), "tinycnn": __version__, **versions},
    }


def sentence(machine: Mapping[str, Any]) -> str:
    """A machine, described in one line."""
    blas = ", ".join(f"{b['name']} {b['version']} for {b['kernels']}" for b in machine["blas"])
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    kind = f"{machine['processor']}, {many(machine['cores'], 'core')}, {machine['simd']}"
    return f"{kind}; BLAS: {blas}; {versions}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    # Some hosts hide the name's number: family and model tell one generation from another.
    known = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    if "model name" not in known:
        return platform.processor() or platform.machine()
    numbers = [f"{name} {known[key]}" for name, key in _NUMBERS.items() if key in known]
    return " ".join([known["model name"], f"({', '.join(numbers)})" if numbers else ""]).strip()


def _simd() -> str:
    import numpy as np

    # NumPy's own inquiry; from 2.4 on it names levels, before that instructions.
    extensions: Any = np.show_config(mode="dicts")
    found = extensions["SIMD Extensions"]
    names = {*found.get("baseline", ()), *found.get("found", ())}
    for marks, text in (
        ({"X86_V4", "AVX512F"}, "AVX-512"),
        ({"X86_V3", "AVX2"}, "AVX2"),
        ({"NEON"}, "NEON"),
    ):
        if marks & names:
            return text
    return "neither AVX2 nor NEON"


class Load:
    """How much of the cores other processes use meanwhile; None where the system does not tell."""

    def __init__(self) -> None:
        self._wall, self._busy, self._own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def others(self) -> float | None:
        """The others' share, from 0 to 1; children that have not ended yet count as others."""
        busy = _busy_seconds()
        if busy is None or self._busy is None:
            return None
        spent = busy - self._busy - (_own_seconds() - self._own)
        return max(spent, 0.0) / ((time.perf_counter() - self._wall) * (os.cpu_count() or 1))


def _busy_seconds() -> float | None:
    try:
        user, nice, system, _, _, *rest = (
            Path("/proc/stat").read_text(encoding="utf-8").split()[1:9]
        )
    except OSError:
        return None
    return sum(map(int, (user, nice, system, *rest))) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    return sum(os.times()[:4])
