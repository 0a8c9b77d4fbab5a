"""A Python of its own: how it is started, and what of this process's environment it is given."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]  # where this package is imported from
# What Python, NumPy and a system's libraries need to be found. Nothing else goes to somebody's file.
_KEPT = (
    "COMSPEC", "CONDA_PREFIX", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH",
    "PATH", "PATHEXT", "PYTHONHOME", "SYSTEMDRIVE", "SYSTEMROOT", "TZ", "VIRTUAL_ENV", "WINDIR",
)  # fmt: skip
# One thread: the arrays are small, and many files are graded at once.
_THREADS = (
    "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip


def start(
    module: str,
    environment: dict[str, str],
    *,
    folder: Path | None = None,
    errors: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``python -m module`` in ``folder``, pipes at both ends, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )


def whole_environment() -> dict[str, str]:
    """This process's environment, in which this package is found."""
    return {**os.environ, "PYTHONPATH": _path()}


def bare_environment(home: Path) -> dict[str, str]:
    """What a file needs to run, and no more; ``home`` is its home, and where it keeps temporary files."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        **dict.fromkeys(_THREADS, "1"),
        **dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(home)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": _path(),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONUTF8": "1",
    }


def _path() -> str:
    return os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
