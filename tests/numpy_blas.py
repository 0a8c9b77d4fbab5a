"""How many threads NumPy's BLAS has."""

from threadpoolctl import threadpool_info


def blas_threads():
    # SciPy brings one of its own, which Numba loads with a process's first kernel: no business of ours.
    found = [info for info in threadpool_info() if info["user_api"] == "blas"]
    bundled = [info for info in found if "numpy" in info["filepath"]]
    return {info["num_threads"] for info in bundled or found}
