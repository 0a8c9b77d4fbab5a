"""How many threads NumPy's BLAS has."""

from functools import cache

import numpy  # noqa: F401 - it brings the BLAS
from threadpoolctl import ThreadpoolController


@cache
def numpys():
    """Its libraries. To find them among all that a process has loaded takes longer than to ask them."""
    # SciPy brings one of its own, which Numba loads with a process's first kernel: no business of ours.
    found = ThreadpoolController().select(user_api="blas")
    bundled = [library for library in found.lib_controllers if "numpy" in library.filepath]
    return bundled or found.lib_controllers


def blas_threads():
    return {library.num_threads for library in numpys()}
