"""How long until a fresh process shows something?

`tinycnn summary` from start to end, beside `import numpy` alone (required: at most 4 times as long,
which is 0.6 s where importing NumPy takes 0.15 s), and `tinycnn step` from start to its first layer,
once its kernels have been compiled by an earlier start (required: within 2 s). The first `step` ever,
which compiles, is for information.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import _measure

SUMMARY_RATIO = 4.0
STEP_SECONDS = 2.0
NUMPY = ["-c", "import numpy"]
SUMMARY = ["-m", "tinycnn", "summary"]
STEP = ["-m", "tinycnn", "step"]
FIRST_LAYER, TOTAL = "conv1", "62,378,344"


def main() -> int:
    parser = _measure.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    _measure.clean_environment()
    if options.quick:
        options.rounds = 1
    report = _measure.Report("start", options)
    check_summary()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TINYCNN_CACHE_DIR"] = cache
        step = [*STEP, "--model", "mini"] if options.quick else STEP
        first = first_layer(step)
        runs = {
            "numpy": lambda: finish(NUMPY),
            "summary": lambda: finish(SUMMARY),
            "step": lambda: first_layer(step),
        }
        times: _measure.Rounds = {name: [] for name in runs}
        for _ in range(options.rounds):
            for name, run in runs.items():
                times[name].append(run())
    spreads = {name: _measure.Spread.of(seconds) for name, seconds in times.items()}
    ratio = _measure.ratio(times, "summary", "numpy")
    summary = report.require(
        f"tinycnn summary in at most {SUMMARY_RATIO:g} times what importing NumPy takes",
        ratio.median <= SUMMARY_RATIO,
    )
    second = report.require(
        f"the second tinycnn step's first layer within {STEP_SECONDS:g} s",
        spreads["step"].median <= STEP_SECONDS,
    )
    print(f"rounds: {options.rounds}, each a fresh process; seconds\n")
    report.add(
        f"import numpy                    {spreads['numpy']}",
        what="numpy",
        seconds=spreads["numpy"],
    )
    report.add(
        f"tinycnn summary                 {spreads['summary']}, {ratio} times importing NumPy; "
        f"required at most {SUMMARY_RATIO:g}: {summary}",
        what="summary", ratio=ratio, required=SUMMARY_RATIO, seconds=spreads["summary"],
    )  # fmt: skip
    report.add(
        f"tinycnn step, to {FIRST_LAYER}'s row     {spreads['step']}; "
        f"required at most {STEP_SECONDS:g}: {second}",
        what="step", required=STEP_SECONDS, seconds=spreads["step"],
    )  # fmt: skip
    report.add(f"the same at the very first start {first:.2f}", what="first step", seconds=first)
    return report.end()


def check_summary() -> None:
    """Its total is right, and it loads no Numba."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *SUMMARY],
        check=True,
        capture_output=True,
        text=True,
        cwd=_measure.ROOT,
    )
    if TOTAL not in run.stdout:
        sys.exit(f"tinycnn summary does not total {TOTAL} parameters")
    if " numba" in run.stderr:
        sys.exit("tinycnn summary imports Numba, which it has no use for")


def finish(arguments: list[str]) -> float:
    """Seconds that a fresh Python takes for ``arguments``, from start to end."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=_measure.ROOT
    )
    return time.perf_counter() - start


def first_layer(arguments: list[str]) -> float:
    """Seconds until a fresh Python prints the row of the first layer."""
    start = time.perf_counter()
    found = None
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, cwd=_measure.ROOT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found is None and line.split()[:1] == [FIRST_LAYER]:
                found = time.perf_counter() - start
    if process.returncode or found is None:
        sys.exit(f"python {' '.join(arguments)} failed or printed no row of {FIRST_LAYER}")
    return found


if __name__ == "__main__":
    sys.exit(main())
